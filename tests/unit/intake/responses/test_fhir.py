"""Responses from elsewhere are checked on the tree, place by place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.questionnaires.definition import HL7
from intake.responses.answers import read_answers, to_fhir_items
from intake.responses.fhir import check_response
from tests.unit.intake.questionnaires.test_fhir import CODED, JSON, extension, form, item, when
from tests.unit.intake.shipped import cases, definition, questionnaire_json


def reply(*items: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"resourceType": "QuestionnaireResponse", "status": status, "item": list(items)}


def said(link_id: str, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    answered = {"answer": list(answers)} if answers else {}
    return {"linkId": link_id, **answered, **more}


def found(asked: Any, *given_items: dict[str, Any], status: str = "completed") -> list[tuple[str, str]]:
    problems = check_response(asked, reply(*given_items, status=status))
    places = [(p.code, p.where.removeprefix("QuestionnaireResponse")) for p in problems if p.level == "error"]
    return sorted(places)


YES, NO = {"valueBoolean": True}, {"valueBoolean": False}
CHOICE = item(kind="choice", repeats=True, answerOption=CODED)
A, B = {"valueCoding": {"system": "s", "code": "a"}}, {"valueCoding": {"system": "s", "code": "b"}}


@pytest.mark.parametrize(
    ("asked", "given_item", "expected"),
    [
        (item(), said("q", YES), []),
        (item(), said("q", YES, NO), [("repeats", ".item[0]")]),
        (item(), said("q", {"valueString": "yes"}), [("invalidAnswerType", ".item[0].answer[0]")]),
        (item(), said("q", {"valueBoolean": "true"}), [("structure", ".item[0].answer[0]")]),
        (item(), said("q", {}), [("structure", ".item[0].answer[0]")]),
        (item(), said("z", YES), [("invalidLinkId", ".item[0]")]),
        (item(required=True), said("q"), [("required", ".item[0]")]),
        (CHOICE, said("q", A), []),
        (CHOICE, said("q", A, B), [("invalidAnswerOption", ".item[0].answer[1]")]),
        (CHOICE, said("q", {"valueCoding": {"code": "a"}}), [("invalidAnswerOption", ".item[0].answer[0]")]),
        (item(kind="open-choice", answerOption=CODED), said("q", {"valueString": "my own"}), []),
        (
            item(kind="string", maxLength=2, **extension(HL7 + "minLength", valueInteger=2)),
            said("q", {"valueString": "abc"}),
            [("maxLength", ".item[0].answer[0]")],
        ),
        (
            item(kind="integer", **extension(HL7 + "maxValue", valueInteger=3)),
            said("q", {"valueInteger": 4}),
            [("maxValue", ".item[0].answer[0]")],
        ),
        (
            item(kind="date", **extension(HL7 + "minValue", valueDate="2024-01-01")),
            said("q", {"valueDate": "2023-12-31"}),
            [("minValue", ".item[0].answer[0]")],
        ),
        (
            item(repeats=True, **extension(HL7 + "questionnaire-minOccurs", valueInteger=2)),
            said("q", YES),
            [("minCount", ".item[0]")],
        ),
        (
            item("q", "group", item=[item("a")]),
            said("q", YES),
            [("groupShouldNotHaveAnswers", ".item[0].answer")],
        ),
        (item("q", "display"), said("q", YES), [("displayShouldNotHaveAnswers", ".item[0].answer")]),
        (
            item("q", item=[item("a")]),
            said("q", YES, item=[said("a", YES)]),
            [("qrs-1", ".item[0]")],
        ),
        (
            item(kind="attachment"),
            said("q", {"valueAttachment": {"data": "YWJj", "size": 4}}),
            [("attachmentSizeInconsistent", ".item[0].answer[0]")],
        ),
    ],
)
def test_each_fault_is_named_at_its_place(
    asked: dict[str, Any], given_item: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert found(form(asked), given_item) == expected


def test_children_of_a_question_stand_under_its_answer() -> None:
    asked = form(item("q", item=[item("a", required=True)]))
    assert found(asked, said("q", {**YES, "item": [said("a", YES)]})) == []
    assert found(asked, said("q", YES)) == [("required", ".item[0]")]


def test_an_exclusive_option_stands_alone() -> None:
    none = {
        "valueCoding": {"code": "none"},
        **extension(HL7 + "questionnaire-optionExclusive", valueBoolean=True),
    }
    asked = form(item(kind="choice", repeats=True, answerOption=[*CODED, none]))
    assert found(asked, said("q", {"valueCoding": {"code": "none"}})) == []
    assert found(asked, said("q", A, {"valueCoding": {"code": "none"}})) == [("exclusive", ".item[0]")]


def test_a_draft_may_lack_answers() -> None:
    asked = form(item(required=True))
    assert found(asked, status="in-progress") == []
    assert found(asked) == [("required", "")]
    assert [p.level for p in check_response(asked, reply(status="in-progress"))] == ["warning"]


def test_an_answer_to_a_disabled_question_is_an_error_and_its_absence_is_not() -> None:
    asked = form(item("a"), item("q", required=True, enableWhen=[when("a")]))
    assert found(asked, said("a", NO)) == []
    assert found(asked, said("a", NO), said("q", YES)) == [("notEnabled", ".item[1]")]
    assert found(asked, said("a", YES)) == [("required", "")]


def test_answers_of_a_disabled_question_enable_nothing() -> None:
    asked = form(item("a"), item("b", enableWhen=[when("a")]), item("c", enableWhen=[when("b")]))
    wrong = found(asked, said("a", NO), said("b", YES), said("c", YES))
    assert wrong == [("notEnabled", ".item[1]"), ("notEnabled", ".item[2]")]


def test_a_condition_looks_at_its_own_repetition_first() -> None:
    inside = [item("a"), item("b", enableWhen=[when("a")])]
    asked = form(item("g", "group", repeats=True, item=inside))
    yes = said("g", item=[said("a", YES), said("b", YES)])
    no = said("g", item=[said("a", NO)])
    assert found(asked, yes, no) == []
    assert found(asked, no, yes) == []
    wrong = said("g", item=[said("a", NO), said("b", YES)])
    assert found(asked, yes, wrong) == [("notEnabled", ".item[1].item[1]")]


def test_quantities_compare_in_units_of_one_kind() -> None:
    def metres(value: int, code: str) -> dict[str, Any]:
        return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code}

    url = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity"
    asked = form(item(kind="quantity", **extension(url, valueQuantity=metres(5, "km"))))
    assert found(asked, said("q", {"valueQuantity": metres(5000, "m")})) == []
    over = found(asked, said("q", {"valueQuantity": metres(5001, "m")}))
    assert over == [("maxValue", ".item[0].answer[0]")]
    assert found(asked, said("q", {"valueQuantity": metres(9, "kg")})) == []


def test_what_only_a_terminology_server_can_tell_is_said() -> None:
    asked = form(item(kind="choice", answerValueSet="http://x"))
    (problem,) = check_response(asked, reply(said("q", A)))
    assert (problem.code, problem.level) == ("needsTerminology", "warning")


def test_without_a_sound_questionnaire_nothing_is_judged() -> None:
    assert check_response(None, reply())[0].code == "questionnaireNotFound"
    assert check_response(form(item(kind="question")), reply(said("q", YES)))[0].code == "invalidType"
    assert check_response(form(item()), {"resourceType": "Bundle"})[0].code == "not-a-response"


def test_our_own_export_is_sound() -> None:
    for case in cases():
        items = to_fhir_items(definition(), read_answers(case["answers"]))
        problems = check_response(questionnaire_json(), reply(*items, status="in-progress"))
        assert [problem for problem in problems if problem.level == "error"] == []


ITEMS = st.lists(
    st.fixed_dictionaries(
        {"linkId": st.sampled_from(["a", "g", "q"]) | JSON},
        optional={"answer": st.lists(st.sampled_from([YES, A]), max_size=2) | JSON, "item": JSON},
    ),
    max_size=3,
)


@given(ITEMS | JSON, JSON)
def test_no_json_makes_it_crash(items: Any, status: Any) -> None:
    asked = form(item("a"), item("g", "group", repeats=True, item=[item("q", enableWhen=[when("a")])]))
    response = {"resourceType": "QuestionnaireResponse", "status": status, "item": items}
    assert isinstance(check_response(asked, response), list)
