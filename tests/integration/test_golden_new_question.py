"""New question, no code: a form, its rules and a lesson that exist only as data work from link to review.

Nothing here is known to the product: the questionnaire, its pages and options, the rules and the lesson are
written to a folder, loaded by the commands, and then a patient and a physio use them over HTTP.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from education.catalog.load import FOLDER
from education.lessons.models import Lesson
from intake import audit, journey
from intake.patients.models import Invitation
from intake.questionnaires.load import active_questionnaire
from intake.screening.models import Finding, RedFlag
from tests.factories import SETUP, make_evaluation, make_user
from tests.integration.intake.visitor import Visitor, stored

pytestmark = pytest.mark.django_db

SYSTEM = "https://clinic.example/fhir/CodeSystem/golden"
SIDED = "https://clinic.example/fhir/StructureDefinition/sided-pair"
EXCLUSIVE = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"


def choice(link_id: str, text: str, options: dict[str, str], **more: Any) -> dict[str, Any]:
    offered = []
    for code, label in options.items():
        option: dict[str, Any] = {"valueCoding": {"system": SYSTEM, "code": code, "display": label}}
        if code == "none":
            option["extension"] = [{"url": EXCLUSIVE, "valueBoolean": True}]
        offered.append(option)
    return {"linkId": link_id, "text": text, "type": "choice", "answerOption": offered, **more}


def sided(link_id: str, text: str, options: dict[str, str], **more: Any) -> dict[str, Any]:
    sides = (("left", "Left toe"), ("right", "Right toe"))
    return {
        "linkId": link_id,
        "text": text,
        "type": "group",
        "extension": [{"url": SIDED, "valueBoolean": True}],
        "item": [choice(f"{link_id}.{side}", label, options, **more) for side, label in sides],
    }


def coded(code: str) -> dict[str, Any]:
    return {"system": SYSTEM, "code": code}


QUESTIONNAIRE: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "url": "https://clinic.example/fhir/Questionnaire/golden-toes",
    "version": "1.0.0",
    "name": "GoldenToes",
    "title": "Before your visit: toes",
    "status": "draft",
    "subjectType": ["Patient"],
    "item": [
        {
            "linkId": "page.toes",
            "text": "Your toes",
            "type": "group",
            "item": [
                sided(
                    "toe.bend",
                    "How does the big toe bend?",
                    {"stiff": "It hardly bends", "free": "It bends freely"},
                    required=True,
                ),
                choice(
                    "toe.when",
                    "When is it stiff?",
                    {"mornings": "In the mornings", "always": "All day", "none": "Never"},
                    repeats=True,
                ),
                {
                    "linkId": "toe.minutes",
                    "text": "How many minutes does it last?",
                    "type": "integer",
                    "enableWhen": [
                        {"question": "toe.when", "operator": "=", "answerCoding": coded("mornings")}
                    ],
                    "required": True,
                },
            ],
        },
        {
            "linkId": "page.push",
            "text": "Pushing off",
            "type": "group",
            "enableWhen": [
                {"question": "toe.bend.left", "operator": "=", "answerCoding": coded("stiff")},
                {"question": "toe.bend.right", "operator": "=", "answerCoding": coded("stiff")},
            ],
            "enableBehavior": "any",
            "item": [
                sided(
                    "push.off",
                    "Where do you push off?",
                    {"outer": "Over the outer edge", "middle": "Over the big toe"},
                ),
                {"linkId": "push.words", "text": "Anything else?", "type": "string", "maxLength": 40},
            ],
        },
    ],
}

RULES: dict[str, Any] = {
    "rules": [
        {
            "id": "golden-toe-knee",
            "version": 1,
            "kind": "chain",
            "title": "Golden: a stiff big toe may load the other knee",
            "direction": "up",
            "scope": "side",
            "source": "{side}",
            "target": "{other}",
            "requires": [
                {
                    "id": "toe-stiff",
                    "label": "the big toe hardly bends",
                    "when": [{"question": "toe.bend.{side}", "operator": "=", "answer": "stiff"}],
                }
            ],
            "supports": [
                {
                    "id": "rolls-out",
                    "weight": 2,
                    "label": "pushes off over the outer edge",
                    "when": [{"question": "push.off.{side}", "operator": "=", "answer": "outer"}],
                },
                {
                    "id": "long",
                    "weight": 1,
                    "label": "stiff for half an hour or more",
                    "when": [{"question": "toe.minutes", "operator": ">=", "answer": 30}],
                },
            ],
            "against": [
                {
                    "id": "middle",
                    "weight": 1,
                    "label": "pushes off over the toe",
                    "when": [{"question": "push.off.{side}", "operator": "=", "answer": "middle"}],
                }
            ],
            "threshold": 0,
            "explanation": "Golden: the {side} big toe is stiff; look at the {other} knee.",
            "lesson": "golden-toes",
            "suggestedChecks": [],
            "links": [],
            "sources": [],
        }
    ],
    "redFlags": [],
    "precautions": [],
}

LESSON: dict[str, Any] = {
    "slug": "golden-toes",
    "title": "Golden: toes that will not bend",
    "lead": "Why a stiff toe matters.",
    "summary": "A stiff big toe changes how you push off.",
    "suggestWhen": {
        "scope": "side",
        "requires": [{"when": [{"question": "toe.bend.{side}", "operator": "=", "answer": "stiff"}]}],
    },
    "because": "You told us your {side} big toe hardly bends.",
    "default": False,
    "priority": 0,
}


def write(folder: Path, questionnaire: dict[str, Any], rules: dict[str, Any]) -> Path:
    (folder / "questionnaires").mkdir(parents=True)
    (folder / "rules").mkdir()
    (folder / "questionnaires" / "golden.json").write_text(json.dumps(questionnaire))
    (folder / "rules" / "golden.json").write_text(json.dumps(rules))
    return folder


def write_library(folder: Path) -> Path:
    """The shipped library and one lesson more."""
    folder.mkdir()
    for path in FOLDER.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    lessons = json.loads((folder / "lessons.json").read_text())
    like = next(entry for entry in lessons["lessons"] if not entry.get("default"))
    last = max(entry["order"] for entry in lessons["lessons"])
    lessons["lessons"].append({**like, **LESSON, "order": last + 1})
    (folder / "lessons.json").write_text(json.dumps(lessons))
    return folder


@pytest.fixture
def golden(tmp_path: Path) -> tuple[Visitor, Invitation]:
    call_command("load_catalog", catalog=write(tmp_path / "intake", QUESTIONNAIRE, RULES), verbosity=0)
    call_command("load_library", catalog=write_library(tmp_path / "library"), verbosity=0)
    invitation = journey.invite(evaluation=make_evaluation(), by=SETUP, mail=False)
    token = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    return Visitor(token).open(), invitation


def walk_through(visitor: Visitor) -> None:
    """Both toes stiff; the left foot pushes off outside, the right one over the toe."""
    first = visitor.page("toes")
    assert "How does the big toe bend?" in first.text
    assert "It hardly bends" in first.text
    assert visitor.page("push").status_code == 404
    incomplete = visitor.save("toes", {"toe.bend.left": ["stiff"], "toe.when": ["mornings"]})
    assert "There are 2 things to fix" in incomplete.text
    saved = visitor.save(
        "toes",
        {
            "toe.bend.left": ["stiff"],
            "toe.bend.right": ["stiff"],
            "toe.when": ["mornings"],
            "toe.minutes": [45],
        },
    )
    assert saved.headers["Location"] == reverse("intake:page", args=["push"])
    words = {"push.words": ["Sore <b>after</b> hills"]}
    saved = visitor.save("push", {"push.off.left": ["outer"], "push.off.right": ["middle"], **words})
    assert saved.headers["Location"] == reverse("intake:check")
    check = visitor.look(reverse("intake:check")).text
    assert "It hardly bends" in check
    assert "Sore &lt;b&gt;after&lt;/b&gt; hills" in check
    assert visitor.send().status_code == 303


def test_the_new_form_is_the_one_new_patients_get(golden):
    _, invitation = golden
    assert active_questionnaire().url == QUESTIONNAIRE["url"]
    assert invitation.questionnaire.version == "1.0.0"


def test_its_finding_stands_with_the_very_answers_on_each_side(golden):
    visitor, invitation = golden
    walk_through(visitor)
    with audit.audited("tests.read", by=SETUP):
        found = {
            finding.side: finding
            for finding in Finding.objects.select_related("rule").filter(response=stored(invitation))
        }
        assert RedFlag.objects.count() == 0
    assert found.keys() == {"left", "right"}
    assert {finding.rule.rule_id for finding in found.values()} == {"golden-toe-knee"}
    left, right = found["left"], found["right"]
    assert (left.source_side, left.target_side) == ("left", "right")
    assert (right.source_side, right.target_side) == ("right", "left")
    assert (left.score, right.score) == (3, 0)
    assert left.evidence["requires"] == [
        {
            "id": "toe-stiff",
            "label": "the big toe hardly bends",
            "weight": left.evidence["requires"][0]["weight"],
            "answers": [
                {
                    "linkId": "toe.bend.left",
                    "question": "How does the big toe bend?",
                    "side": "left",
                    "answer": "It hardly bends",
                }
            ],
        }
    ]
    assert [group["id"] for group in left.evidence["supports"]] == ["rolls-out", "long"]
    assert left.evidence["supports"][1]["answers"][0]["answer"] == "45"
    assert [group["id"] for group in right.evidence["against"]] == ["middle"]


def test_its_lesson_is_offered_with_its_reason(golden):
    visitor, _ = golden
    walk_through(visitor)
    page = visitor.look(reverse("intake:sent")).text
    assert LESSON["title"] in page
    assert "You told us your left and right big toe hardly bends." in page
    assert 'value="golden-toes"' in page
    assert visitor.look(reverse("education:lesson", args=["golden-toes"])).status_code == 200
    assert Lesson.objects.live().filter(slug="golden-toes").exists()


def test_the_physio_reviews_it(golden):
    visitor, invitation = golden
    walk_through(visitor)
    physio = Client()
    physio.force_login(make_user("physio"))
    where = reverse("admin:intake_questionnaireresponse_review", args=[stored(invitation).pk])
    page = physio.get(where, {"show": "all"})
    assert page.status_code == 200
    for words in (
        "Golden: a stiff big toe may load the other knee",
        "How does the big toe bend?",
        "It hardly bends",
        "Where do you push off?",
        "Over the outer edge",
        LESSON["title"],
        "Sore &lt;b&gt;after&lt;/b&gt; hills",
    ):
        assert words in page.text
    rules = [physio.get(where, {"show": key}).text for key in re.findall(r"show=(rule-\d+)", page.text)]
    limits = "Golden: the left big toe is stiff; look at the right knee."
    assert sum(limits in rule for rule in rules) == 1


def test_a_patient_who_has_begun_goes_on_with_the_version_she_began(golden, tmp_path: Path):
    visitor, invitation = golden
    visitor.save("toes", {"toe.bend.left": ["stiff"]})
    second = json.loads(json.dumps(QUESTIONNAIRE))
    second["version"] = "2.0.0"
    second["item"][0]["item"][0]["text"] = "Golden: asked in a new way"
    call_command("load_catalog", catalog=write(tmp_path / "second", second, RULES), verbosity=0)
    assert active_questionnaire().version == "2.0.0"
    assert "How does the big toe bend?" in visitor.page("toes").text
    with audit.audited("tests.read", by=SETUP):
        evaluation = Invitation.objects.select_related("evaluation").get(pk=invitation.pk).evaluation
    again = journey.invite(evaluation=evaluation, by=SETUP, mail=False)
    assert again.questionnaire.version == "1.0.0"
    fresh = journey.invite(evaluation=make_evaluation(), by=SETUP, mail=False)
    assert fresh.questionnaire.version == "2.0.0"


def test_a_rule_that_asks_what_nobody_is_asked_is_refused_and_changes_nothing(tmp_path: Path):
    wrong = json.loads(json.dumps(RULES))
    wrong["rules"][0]["requires"][0]["when"][0]["question"] = "toe.bends.{side}"
    before = active_questionnaire().pk
    with pytest.raises(CommandError, match=r"golden-toe-knee.*toe\.bends"):
        call_command("load_catalog", catalog=write(tmp_path / "intake", QUESTIONNAIRE, wrong), verbosity=0)
    assert active_questionnaire().pk == before


def test_a_version_in_use_cannot_be_changed_in_place(golden, tmp_path: Path):
    changed = json.loads(json.dumps(QUESTIONNAIRE))
    changed["item"][0]["text"] = "Another title"
    with pytest.raises(CommandError, match="in use and differs"):
        call_command("load_catalog", catalog=write(tmp_path / "again", changed, RULES), verbosity=0)
