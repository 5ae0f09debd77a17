"""Whatever a questionnaire asks and whatever is sent to it, no invalid answer is ever stored, and no form
that lacks one is ever complete (R9). What is valid is said here again, from the questionnaire as it was made.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from intake.questionnaires.load import active_questionnaire, load_questionnaires
from tests.integration.intake.visitor import Visitor, invited, stored

EXCLUSIVE = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"
MIN, MAX = (f"http://hl7.org/fhir/StructureDefinition/{name}Value" for name in ("min", "max"))
CODES = ("red", "green", "blue", "none")
KINDS = ("boolean", "integer", "decimal", "string", "text", "date", "choice")


@dataclass(frozen=True)
class Question:
    """when: an earlier question and the answer to it that asks this one."""

    name: str
    kind: str
    required: bool
    repeats: bool = False
    low: int = 0
    high: int = 10
    longest: int = 12
    when: tuple["Question", object] | None = None

    def resource(self) -> dict[str, Any]:
        made: dict[str, Any] = {"linkId": self.name, "text": f"Question {self.name}?", "type": self.kind}
        made["required"] = self.required
        if self.kind in ("string", "text"):
            made["maxLength"] = self.longest
        if self.kind == "integer":
            made["extension"] = [
                {"url": MIN, "valueInteger": self.low},
                {"url": MAX, "valueInteger": self.high},
            ]
        if self.kind == "choice":
            made["repeats"] = self.repeats
            made["answerOption"] = [
                {
                    "valueCoding": {"system": "urn:colors", "code": code, "display": code.title()},
                    **({"extension": [{"url": EXCLUSIVE, "valueBoolean": True}]} if code == "none" else {}),
                }
                for code in CODES
            ]
        if self.when:
            asked, answer = self.when
            value = {"answerBoolean": answer} if asked.kind == "boolean" else {"answerCoding": coding(answer)}
            made["enableWhen"] = [{"question": asked.name, "operator": "=", **value}]
        return made

    def takes(self, values: list[Any]) -> bool:
        if len(values) > 1 and not self.repeats:
            return False
        if self.kind == "choice" and len(values) > 1 and ("none" in values or len(set(values)) < len(values)):
            return False
        return all(self.takes_one(value) for value in values)

    def takes_one(self, value: Any) -> bool:
        match self.kind:
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return type(value) is int and self.low <= value <= self.high
            case "decimal":
                return type(value) in (int, float)
            case "choice":
                return value in CODES
            case "date":
                return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", str(value))) and bool(date.fromisoformat(value))
            case _:
                words = isinstance(value, str) and 0 < len(value) <= self.longest and "\x00" not in value
                return words and (self.kind == "text" or "\n" not in value)


def coding(code: object) -> dict[str, object]:
    return {"system": "urn:colors", "code": code}


@st.composite
def forms(draw: st.DrawFn) -> list[list[Question]]:
    """Two pages of questions; some are asked only after an answer to an earlier one."""
    pages: list[list[Question]] = []
    before: list[Question] = []
    for page in range(2):
        questions = []
        for place in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(KINDS))
            low = draw(st.integers(-5, 5))
            when = None
            if before and draw(st.booleans()):
                asked = draw(st.sampled_from(before))
                when = asked, draw(st.booleans() if asked.kind == "boolean" else st.sampled_from(CODES))
            one = Question(
                f"q{page}.{place}",
                kind,
                draw(st.booleans()),
                repeats=kind == "choice" and draw(st.booleans()),
                low=low,
                high=low + draw(st.integers(0, 20)),
                longest=draw(st.integers(1, 40)),
                when=when,
            )
            questions.append(one)
            if kind in ("boolean", "choice"):
                before.append(one)
        pages.append(questions)
    return pages


TEXTS = st.one_of(
    st.sampled_from(
        ["true", "false", *CODES, "0", "3", "-7", "1.5", "2024-02-29", "2023-02-29", "", " ", "\x00"]
    ),
    st.integers(-30, 30).map(str),
    st.text(max_size=45).map(lambda text: text.encode(errors="replace").decode()),
)


def asked(question: Question, answers: Mapping[str, list[Any]]) -> bool:
    if question.when is None:
        return True
    before, answer = question.when
    return asked(before, answers) and answer in answers.get(before.name, [])


def resource(pages: list[list[Question]]) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "url": f"https://clinic.example/fhir/Questionnaire/{uuid.uuid4()}",
        "version": "1.0.0",
        "name": "Made",
        "title": "Made up",
        "status": "draft",
        "item": [
            {
                "linkId": f"page.part-{number}",
                "text": f"Part {number}",
                "type": "group",
                "item": [question.resource() for question in questions],
            }
            for number, questions in enumerate(pages)
        ],
    }


@pytest.mark.django_db
@settings(
    max_examples=settings().max_examples // 2,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(pages=forms(), data=st.data())
def test_no_form_stores_what_is_invalid_or_is_complete_without_what_it_needs(
    pages: list[list[Question]], data: st.DataObject
):
    with transaction.atomic():
        try:
            fill_in(pages, data)
        finally:
            transaction.set_rollback(True)


def fill_in(pages: list[list[Question]], data: st.DataObject) -> None:
    load_questionnaires([resource(pages)])
    assert active_questionnaire().title == "Made up"
    invitation, token = invited()
    visitor = Visitor(token).open()
    known = {question.name: question for questions in pages for question in questions}
    answers: dict[str, list[Any]] = {}
    for _ in range(2):
        for number, questions in enumerate(pages):
            names = st.sampled_from([*(question.name for question in questions), "q9.9", "page.part-0"])
            sent = data.draw(st.dictionaries(names, st.lists(TEXTS, max_size=3), max_size=len(questions)))
            path = reverse("intake:page", args=[f"part-{number}"])
            response = visitor.client.post(path, sent)
            # A part of which nothing is asked is no page to look at, and keeps what was typed.
            assert response.status_code in (200, 303), response.status_code
            answers = stored(invitation).answers
            for name, values in answers.items():
                assert known[name].takes(values), (known[name], values)
    lacking = [
        question.name
        for question in known.values()
        if question.required and asked(question, answers) and not answers.get(question.name)
    ]
    response = visitor.send()
    assert (response.status_code == 303) == (not lacking), (lacking, answers)
    kept = stored(invitation)
    assert kept.is_sent == (not lacking)
    if kept.is_sent:
        wanted = {name: values for name, values in answers.items() if asked(known[name], answers)}
        assert kept.answers == wanted
