"""Evidence in the words of the form."""

from __future__ import annotations

import json
from typing import Any

from intake.responses.answers import prune, read_answers
from intake.screening.explain import answer_text, evidence_json, question_text
from intake.screening.screen import screen
from tests.unit.intake.shipped import cases, definition, rules


def evidence(rule_id: str, answers: dict[str, Any]) -> dict[str, Any]:
    found = screen(rules(), prune(definition(), read_answers(answers)))
    (raised,) = (r for r in (*found.rules, *found.red_flags) if r.rule.id == rule_id)
    return evidence_json(definition(), raised)


def test_evidence_quotes_question_side_and_chosen_options() -> None:
    found = evidence(
        "foot-ankle-weak-knee",
        {
            "pain.regions.left": ["knee-front", "knee-back"],
            "foot.history.left": ["sprains"],
            "try.safe": True,
            "try.heel-raises.left": 9,
        },
    )
    assert found["requires"][0] == {
        "id": "sore-knee",
        "label": None,
        "weight": 0,
        "answers": [
            {
                "linkId": "pain.regions.left",
                "question": "Tap where it hurts.",
                "side": "left",
                "answer": "Around or behind the kneecap, Back of knee",
            }
        ],
    }
    assert found["requires"][1]["answers"][0]["answer"] == "9"
    assert {"linkId", "question", "side"} == set(found["notAnswered"][0])


def test_evidence_is_plain_json_for_every_case() -> None:
    for case in cases():
        answers = prune(definition(), read_answers(case["answers"]))
        found = screen(rules(), answers)
        for raised in (*found.rules, *found.red_flags, *found.precautions):
            text = json.dumps(evidence_json(definition(), raised))
            assert "{side}" not in text
            assert "{other}" not in text


def test_rows_are_named_with_their_group() -> None:
    assert question_text(definition(), "pain.now") == "How bad is the pain? Right now"
    assert question_text(definition(), "gait.leg-use.right") == definition().item("gait.leg-use").text
    assert question_text(definition(), "about.age") == "How old are you?"
    assert question_text(definition(), "gone.question") == "gone.question"


def test_answers_are_read_as_the_patient_saw_them() -> None:
    assert answer_text(definition(), "safety.injury.left", [True]) == "Yes"
    assert answer_text(definition(), "safety.injury.left", [False]) == "No"
    assert answer_text(definition(), "about.age", [41]) == "41"
    assert answer_text(definition(), "gone.question", ["x"]) == "x"
