"""Any R4 Questionnaire is read with a named report."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.questionnaires.definition import HL7
from intake.questionnaires.fhir import SDC, Problem, Unsupported, inspect
from tests.unit.intake.shipped import questionnaire_json


def form(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "status": "draft", "url": "urn:x", "item": list(items), **more}


def item(link_id: str = "q", kind: str = "boolean", **more: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": kind, **more}


def when(question: str, operator: str = "=", **answer: Any) -> dict[str, Any]:
    return {"question": question, "operator": operator, **(answer or {"answerBoolean": True})}


def extension(url: str, **value: Any) -> dict[str, Any]:
    return {"extension": [{"url": url, **value}]}


CODED = [{"valueCoding": {"system": "s", "code": "a", "display": "A"}}]


def codes(*items: dict[str, Any], level: str = "error", **more: Any) -> list[str]:
    return [problem.code for problem in inspect(form(*items, **more)).problems if problem.level == level]


def test_the_shipped_questionnaire_is_clean() -> None:
    report = inspect(questionnaire_json())
    assert (report.accepted, report.problems, report.unsupported) == (True, (), ())
    assert report.not_shown is None


@pytest.mark.parametrize(
    ("code", "items"),
    [
        ("que-1", [item("g", "group")]),
        ("que-1", [item("d", "display", item=[item()])]),
        ("que-2", [item(), item("g", "group", item=[item()])]),
        ("que-3", [item("d", "display", code=[{"code": "x"}])]),
        ("que-4", [item(kind="choice", answerOption=CODED, answerValueSet="#v")]),
        ("que-5", [item(answerOption=CODED)]),
        ("que-5", [item(kind="text", answerOption=CODED)]),
        ("que-6", [item("d", "display", required=False)]),
        ("que-6", [item("d", "display", repeats=True)]),
        ("que-7", [item("a"), item(enableWhen=[when("a", "exists", answerInteger=1)])]),
        ("que-8", [item("g", "group", item=[item()], initial=[{"valueBoolean": True}])]),
        ("que-9", [item("d", "display", readOnly=True)]),
        ("que-10", [item(kind="date", maxLength=3)]),
        ("que-11", [item(kind="choice", answerOption=CODED, initial=CODED)]),
        ("que-12", [item("a"), item(enableWhen=[when("a"), when("a")])]),
        ("que-13", [item(kind="string", initial=[{"valueString": "a"}, {"valueString": "b"}])]),
    ],
)
def test_each_invariant_is_named(code: str, items: list[dict[str, Any]]) -> None:
    contained = [{"resourceType": "ValueSet", "id": "v"}]
    assert codes(*items, contained=contained) == [code]


def test_a_name_that_is_no_identifier_is_a_warning() -> None:
    report = inspect(form(item(), name="my form"))
    assert report.accepted
    assert [problem.code for problem in report.problems] == ["que-0"]


@pytest.mark.parametrize(
    ("code", "items"),
    [
        ("ew-dangling", [item(enableWhen=[when("nowhere")])]),
        ("ew-dangling", [item(enableWhen=[{"operator": "=", "answerBoolean": True}])]),
        ("ew-self", [item(enableWhen=[when("q")])]),
        ("ew-self", [item("g", "group", enableWhen=[when("q")], item=[item()])]),
        ("ew-type", [item("g", "group", item=[item("a")]), item(enableWhen=[when("g")])]),
        ("ew-type", [item("a"), item(enableWhen=[when("a", answerInteger=1)])]),
        ("ew-operator", [item("a"), item(enableWhen=[when("a", "~")])]),
        ("ew-operator", [item("a"), item(enableWhen=[when("a", ">")])]),
        (
            "ew-operator",
            [
                item("a", "choice", answerOption=CODED),
                item(enableWhen=[when("a", "<", answerCoding={"code": "a"})]),
            ],
        ),
        ("unsupported-type", [item(kind="reference")]),
        ("unsupported-type", [item(kind="question")]),
        ("unknown-type", [item(kind="coding")]),
        ("type-missing", [{"linkId": "q"}]),
        ("linkId-missing", [{"type": "boolean"}]),
        ("structure", [item(required="true")]),
        ("structure", [item(kind="string", maxLength="5")]),
        ("structure", [item(kind="choice", answerOption=[{}])]),
        ("structure", [item(kind="choice", answerOption=[{"valueBoolean": True}])]),
        ("structure", [item(kind="choice", answerOption=[{"valueCoding": {"code": 7}}])]),
        ("structure", [item("a", "date"), item(enableWhen=[when("a", answerDate="05/2024")])]),
        ("structure", [item(**extension(HL7 + "maxValue", valueInteger="2"))]),
        ("structure", [item(extension=[{"valueInteger": 2}])]),
        ("unknown-element", [item(disabledDisplay="hidden")]),
        ("option-type", [item(kind="integer", answerOption=[{"valueString": "one"}])]),
        ("value-set-unknown", [item(kind="choice", answerValueSet="#gone")]),
    ],
)
def test_other_faults_are_named(code: str, items: list[dict[str, Any]]) -> None:
    assert codes(*items) == [code]


def test_a_circle_is_named_with_its_way() -> None:
    report = inspect(form(item("a", enableWhen=[when("b")]), item("b", enableWhen=[when("a")])))
    assert Problem("ew-cycle", "a", "enableWhen goes in a circle: a -> b -> a") in report.problems


def test_a_circle_through_a_parent_is_found() -> None:
    group = item("g", "group", enableWhen=[when("b")], item=[item("a")])
    assert codes(group, item("b", enableWhen=[when("a")])) == ["ew-cycle"]


def test_a_condition_on_a_later_question_is_a_warning() -> None:
    assert codes(item("a", enableWhen=[when("b")]), item("b"), level="warning") == ["ew-later"]


def test_a_place_without_linkid_is_named_by_path() -> None:
    report = inspect(form(item(), item("g", "group", item=[{"type": "boolean"}])))
    assert report.problems[0] == Problem("linkId-missing", "$.item[1].item[0]", "an item has no linkId")


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("type quantity", item(kind="quantity")),
        ("a group that repeats", item("q", "group", repeats=True, item=[item("a")])),
        ("initial", item(initial=[{"valueBoolean": True}])),
        (
            "answerOption.initialSelected",
            item(kind="choice", answerOption=[{**CODED[0], "initialSelected": True}]),
        ),
        ("answerValueSet http://x (needs terminology)", item(kind="choice", answerValueSet="http://x")),
        (
            f"extension {SDC}calculatedExpression",
            item(**extension(SDC + "calculatedExpression", valueExpression={"language": "text/fhirpath"})),
        ),
        ("modifierExtension urn:m", item(modifierExtension=[{"url": "urn:m", "valueBoolean": True}])),
    ],
)
def test_what_is_not_understood_is_listed(what: str, found: dict[str, Any]) -> None:
    report = inspect(form(found))
    assert report.accepted
    assert Unsupported(what, "q") in report.unsupported


def test_an_item_shown_by_an_expression_is_never_shown_always() -> None:
    hidden = item(**extension(SDC + "enableWhenExpression", valueExpression={"expression": "false"}))
    report = inspect(form(hidden))
    assert report.accepted
    assert report.not_shown == "q: the extension enableWhenExpression is not supported"


@pytest.mark.parametrize("data", [None, [], 7, "x", {}, {"resourceType": "Patient"}])
def test_other_json_is_no_questionnaire(data: Any) -> None:
    assert not inspect(data).accepted
    assert inspect(data).problems[0].code == "not-a-questionnaire"


def test_deep_nesting_is_reported() -> None:
    deep = item()
    for number in range(3000):
        deep = item(f"g{number}", "group", item=[deep])
    assert Problem("structure", "$", "the items are nested too deeply") in inspect(form(deep)).problems


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def paths(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places in a JSON value."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [here, *(path for key, value in inner for path in paths(value, (*here, key)))]


SAMPLE = form(
    item("a", "choice", answerOption=CODED, code=[{"code": "x"}]),
    item("g", "group", item=[item(enableWhen=[when("a", answerCoding={"code": "a"})], maxLength=4)]),
    item("s", "string", initial=[{"valueString": "x"}], **extension(HL7 + "minLength", valueInteger=1)),
    contained=[{"resourceType": "ValueSet", "id": "v"}],
    name="Sample",
)


@given(st.lists(st.tuples(st.sampled_from(paths(SAMPLE)[1:]), JSON), min_size=1, max_size=3))
def test_no_json_makes_it_crash(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = copy.deepcopy(SAMPLE)
    for path, value in changes:
        part: Any = data
        for key in path[:-1]:
            part = part[key] if isinstance(part, dict) and key in part else {}
        if isinstance(part, dict):
            part[path[-1]] = value
    report = inspect(data)
    assert report.accepted or report.problems
