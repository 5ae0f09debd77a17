"""Reading a Questionnaire: the shipped one whole, and every refusal by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from intake.conditions import Condition
from intake.questionnaires.definition import HL7, OURS, Definition, DefinitionError, Option, read_definition
from tests.unit.intake.shipped import definition


def form(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "url": "urn:form", "item": list(items), **more}


def yes_no(link_id: str = "q", **more: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": "boolean", **more}


def when(question: str, **more: Any) -> dict[str, Any]:
    return {"question": question, "operator": "=", "answerBoolean": True, **more}


def test_the_shipped_form_is_read_whole() -> None:
    here = definition()
    questions = list(here.questions())
    assert (here.version, here.title) == ("0.2.0", "Before your visit: feet and knees")
    assert len(questions) == 77
    assert sum(len(item.options) for item in questions) == 376


def test_a_sided_question_is_one_group_with_a_left_and_a_right() -> None:
    group = definition().item("pain.regions")
    assert group.sided
    assert group.left is definition().item("pain.regions.left")
    assert group.right is definition().item("pain.regions.right")
    assert group.right is not None
    assert group.right.side == "right"
    assert group.right.body_map
    assert group.right.repeats
    assert group.help


def test_options_say_what_is_stored_read_and_exclusive() -> None:
    regions = definition().item("pain.regions.left")
    none = regions.option("none")
    assert none is not None
    assert none.exclusive
    front = regions.option("knee-front")
    assert front == Option(
        "knee-front",
        "Around or behind the kneecap",
        system="https://clinic.example/fhir/CodeSystem/foot-knee-intake/pain.regions",
    )
    assert regions.option("elbow") is None


def test_bounds_consents_and_controls() -> None:
    here = definition()
    assert (here.item("pain.now").min_value, here.item("pain.now").max_value) == (0, 10)
    assert here.item("pain.now").control == "radio-button"
    assert here.item("consent.privacy").must_be_true
    assert here.item("why.story").max_length == 500
    assert here.item("about.guardian").enable_when == (Condition("about.age", "<", (18,)),)
    assert here.item("knee.events.left").enable_behavior == "any"


def test_parents_and_pages() -> None:
    here = definition()
    parent = here.parent("pain.regions.left")
    assert parent is here.item("pain.regions")
    assert here.page_of("pain.regions.left") is here.item("page.where")
    assert here.parent("page.where") is None
    assert here.get("nowhere") is None
    with pytest.raises(KeyError):
        here.item("nowhere")


def test_hiding_passes_to_all_descendants_and_read_only_only_through_groups() -> None:
    hidden = {"extension": [{"url": HL7 + "questionnaire-hidden", "valueBoolean": True}]}
    here = read_definition(
        form(
            {"linkId": "g", "type": "group", "readOnly": True, "item": [yes_no("g.q")], **hidden},
            yes_no("p", readOnly=True, item=[yes_no("p.q")], **hidden),
        )
    )
    assert here.item("g.q").read_only
    assert here.item("g.q").hidden
    assert not here.item("p.q").read_only
    assert here.item("p.q").hidden


def test_a_contained_value_set_is_offered_as_options() -> None:
    concept = {"code": "a", "display": "A"}
    value_set = {
        "resourceType": "ValueSet",
        "id": "v",
        "compose": {"include": [{"system": "s", "concept": [concept]}]},
    }
    here = read_definition(
        form({"linkId": "q", "type": "choice", "answerValueSet": "#v"}, contained=[value_set])
    )
    assert here.item("q").options == (Option("a", "A", system="s"),)


def test_decimal_bounds_are_exact() -> None:
    limits = [{"url": HL7 + "maxValue", "valueDecimal": 0.3}]
    here = read_definition(form({"linkId": "q", "type": "decimal", "extension": limits}))
    assert here.item("q").max_value == Decimal("0.3")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "not a FHIR Questionnaire"),
        ({"resourceType": "Patient"}, "not a FHIR Questionnaire"),
        ({"resourceType": "Questionnaire", "item": [yes_no()]}, "needs a url"),
        (form(), "at least one item"),
        (form(item={}), "item must be a list"),
        (form({"type": "boolean", "text": "Hm?"}), "no linkId .*Hm"),
        (form(yes_no(), yes_no()), r"q: this linkId is used twice \(que-2\)"),
        (form(yes_no(type="quantity")), "q: items of type 'quantity'"),
        (form(yes_no(type=["x"])), "q: items of type"),
        (form({"linkId": "g", "type": "group", "repeats": True}), "g: a group that repeats"),
        (form({"linkId": "d", "type": "display", "item": [yes_no()]}), "d: a display"),
        (form(yes_no(required="yes")), "q: required must be true or false"),
        (form(yes_no(modifierExtension=[{"url": "u"}])), "q: it has a modifierExtension"),
        (form(yes_no(answerOption=[{"valueString": "x"}])), r"q: a boolean has no options \(que-5\)"),
        (form({"linkId": "q", "type": "choice"}), "q: a choice needs options"),
        (
            form({"linkId": "q", "type": "choice", "answerValueSet": "http://x"}),
            "q: the value set 'http://x' is not in the file",
        ),
        (
            form({"linkId": "q", "type": "choice", "answerOption": [{"valueString": "x"}] * 2}),
            "q: the option 'x' is offered twice",
        ),
        (
            form({"linkId": "q", "type": "choice", "answerOption": [{"valueInteger": True}]}),
            "q: the option True does not fit valueInteger",
        ),
        (form(yes_no(enableWhen=[when("p")])), "q: enableWhen asks 'p', which does not exist"),
        (form(yes_no(enableWhen=[when("q")])), "q: enableWhen asks the item itself"),
        (
            form({"linkId": "g", "type": "group", "enableWhen": [when("q")], "item": [yes_no()]}),
            "g: enableWhen asks the item itself or its own child",
        ),
        (
            form(yes_no("a", enableWhen=[when("b")]), yes_no("b", enableWhen=[when("a")])),
            "enableWhen goes in a circle: a -> b -> a",
        ),
        (
            form(
                {"linkId": "g", "type": "group", "enableWhen": [when("b")], "item": [yes_no("a")]},
                yes_no("b", enableWhen=[when("a")]),
            ),
            "enableWhen goes in a circle",
        ),
        (form(yes_no("a"), yes_no(enableWhen=[when("a")] * 2)), "q: several enableWhen .*que-12"),
        (
            form({"linkId": "g", "type": "group", "item": [yes_no("a")]}, yes_no(enableWhen=[when("g")])),
            "q: enableWhen asks g: a group has no answer",
        ),
        (
            form(yes_no("a"), yes_no(enableWhen=[{"question": "a", "operator": "=", "answerInteger": 1}])),
            "q: enableWhen asks a: 1 is not an answer of type boolean",
        ),
        (
            form(
                {"linkId": "a", "type": "string"},
                yes_no(enableWhen=[{"question": "a", "operator": "<", "answerString": "x"}]),
            ),
            "q: enableWhen asks a: operator '<' cannot compare answers of type string",
        ),
        (
            form(
                yes_no(
                    extension=[
                        {
                            "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
                            "sdc-questionnaire-enableWhenExpression",
                            "valueExpression": {"language": "text/fhirpath", "expression": "true"},
                        }
                    ]
                )
            ),
            "q: the extension enableWhenExpression is not supported",
        ),
        (
            form(
                {
                    "linkId": "g",
                    "type": "group",
                    "item": [yes_no("g.right"), yes_no("g.left")],
                    "extension": [{"url": OURS + "sided-pair", "valueBoolean": True}],
                }
            ),
            "g: a sided pair needs two questions",
        ),
        (
            form(yes_no(extension=[{"url": HL7 + "maxValue", "valueInteger": 1}])),
            "q: minValue or maxValue does not fit the type boolean",
        ),
    ],
)
def test_what_cannot_be_shown_faithfully_is_refused_by_name(data: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        read_definition(data)


def test_deep_nesting_is_refused_and_does_not_crash() -> None:
    item = yes_no()
    for number in range(5000):
        item = {"linkId": f"g{number}", "type": "group", "item": [item]}
    with pytest.raises(DefinitionError, match="nested too deeply"):
        read_definition(form(item))


def test_a_definition_is_compared_by_identity() -> None:
    assert isinstance(definition(), Definition)
    assert definition() != read_definition(form(yes_no()))
