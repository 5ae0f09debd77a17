"""The pages of the form: what they ask, what they take, and what they say when something is amiss."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from intake.conditions import Answers
from intake.questionnaires.definition import Definition, Item, read_definition
from intake.questionnaires.pages import enabled, pages
from intake.responses.answers import check, prune, read_answers
from intake.responses.forms import page_form
from tests.unit.intake.answer_makers import answer_sets
from tests.unit.intake.responses.browserless import asked, page_named, rendered
from tests.unit.intake.shipped import definition

SORE: Answers = {
    "pain.regions.left": ("knee-front", "sole-arch"),
    "pain.regions.right": ("knee-back", "toes"),
    "safety.injury.left": (True,),
    "safety.injury.right": (True,),
    "try.safe": (True,),
}
"""Answers under which every question of the shipped form is asked."""

PAGES = [page.slug for page in pages(definition())]


def text_of(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def offered(item: Item) -> list[tuple[str, str]]:
    """(value, label) of what a question offers; labels of the body map are its own."""
    if item.must_be_true:
        return [("true", item.text)]
    if item.type == "boolean":
        return [("true", "Yes"), ("false", "No")]
    if item.control == "radio-button":
        return [(str(n), str(n)) for n in range(0, 11)]
    return [(str(option.value), option.label) for option in item.options]


# What is asked


@pytest.mark.parametrize("slug", PAGES)
@pytest.mark.parametrize("as_list", [False, True])
def test_every_option_of_every_question_stands_in_its_page_once(slug: str, as_list: bool) -> None:
    page = rendered(asked(slug, SORE, as_list=as_list))
    for item in page_named(slug).item.walk():
        if not item.is_question:
            continue
        controls = page.named(item.link_id)
        if not offered(item):
            assert [control.kind for control in controls] == ["text"], item.link_id
            continue
        assert sorted(control.value for control in controls) == sorted(v for v, _ in offered(item))
        kind = "checkbox" if item.repeats or item.must_be_true else "radio"
        assert {control.kind for control in controls} == {kind}, item.link_id
        if not item.body_map:
            assert [(c.value, c.label) for c in controls] == offered(item)


@pytest.mark.parametrize("slug", PAGES)
@pytest.mark.parametrize("as_list", [False, True])
def test_ids_are_unique_and_everything_points_at_something(slug: str, as_list: bool) -> None:
    for form in (
        asked(slug, SORE, as_list=as_list),
        asked(slug, SORE, data=QueryDict(), as_list=as_list),
    ):
        page = rendered(form)
        assert len(page.ids) == len(set(page.ids))
        assert page.references() <= set(page.ids)
        assert {entry.target for entry in form.error_entries} <= {control.id for control in page.controls}


def test_a_sided_pair_is_one_question_whose_sides_name_it() -> None:
    page = rendered(asked("safety"))
    tag, _question = page.by_id("safety-leg-signs-t")
    assert tag == "legend"
    groups = [a for _, a in page.elements if "safety-leg-signs-t" in (a.get("aria-labelledby") or "")]
    assert [g["aria-labelledby"] for g in groups] == [
        "safety-leg-signs-left-s safety-leg-signs-t",
        "safety-leg-signs-right-s safety-leg-signs-t",
    ]
    assert page.texts.count("Do you have any of these now?") == 1


def test_only_the_side_that_hurts_is_asked() -> None:
    form = asked("knee", {"pain.regions.left": ("knee-front",), "pain.regions.right": ("none",)})
    assert "knee.aggravators.left" in form.link_ids
    assert "knee.aggravators.right" not in form.link_ids
    assert {"knee.history.left", "knee.history.right"} <= form.link_ids
    page = rendered(form)
    assert page.named("knee.aggravators.left")
    assert not page.named("knee.aggravators.right")


def test_a_question_whose_sides_are_both_off_leaves_no_heading() -> None:
    page = rendered(asked("knee", {"pain.regions.left": ("none",), "pain.regions.right": ("none",)}))
    assert "What makes this knee worse?" not in page.texts
    assert "Has this knee had any of these?" in page.texts


def test_what_depends_on_this_page_stands_in_it_with_the_condition_in_words_and_as_data() -> None:
    page = rendered(asked("safety"))
    assert page.named("safety.after-injury.left")
    assert "Only if you said Yes to “Did you hurt this leg in the last 2 weeks?” (left leg)" in page.texts
    data = [a["data-when"] for _, a in page.elements if "data-when" in a]
    assert data == [
        '{"match":"all","when":[["safety.injury.%s","=",[true]]]}' % side  # noqa: UP031
        for side in ("left", "right", "left", "right")
    ]


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("about", "Only if your answer to “How old are you?” is under 18"),
        ("try", "Only if you said Yes to “I have a wall or chair to hold, I am steady, and I want to try.”"),
        ("life", "Only if you chose “Something else” for “What do you do in a normal week?”"),
        ("life", "Only if you answered “Activity one”"),
    ],
)
def test_conditions_in_words(slug: str, words: str) -> None:
    assert words in rendered(asked(slug)).texts


def test_a_condition_about_another_page_is_settled_by_the_server() -> None:
    page = rendered(asked("knee", {"pain.regions.left": ("knee-front",)}))
    assert not any("data-when" in attributes for _, attributes in page.elements)


def test_what_is_hidden_for_comfort_is_not_asked_and_keeps_its_answers() -> None:
    stored: Answers = {"foot.footprint.left": ("full",), "foot.arch.left": ("high",)}
    form = asked("foot", stored, data=QueryDict("foot.arch.left=medium"), hide={"foot.footprint"})
    assert "foot.footprint.left" not in form.link_ids
    assert not rendered(form).named("foot.footprint.left")
    assert form.is_valid()
    assert form.merged() == {"foot.footprint.left": ("full",), "foot.arch.left": ("medium",)}


def test_no_script_no_style_and_no_handler_stands_in_a_page() -> None:
    for slug in PAGES:
        for tag, attributes in rendered(asked(slug, SORE)).elements:
            assert tag not in ("script", "style")
            assert not any(name == "style" or name.startswith("on") for name in attributes)


# What is taken


@given(answer_sets(definition()), st.booleans())
def test_a_page_sent_back_as_it_was_shown_changes_nothing(raw: dict[str, Any], as_list: bool) -> None:
    # An unticked consent is no answer, so no draft holds one.
    ticked = {k: v for k, v in read_answers(raw).items() if not definition().item(k).must_be_true or v[0]}
    answers = prune(definition(), ticked)
    for page in pages(definition()):
        shown = page_form(definition(), page, answers, as_list=as_list)
        data = rendered(shown).sent()
        sent = page_form(definition(), page, answers, data=data, as_list=as_list)
        here = {k: sorted(v, key=str) for k, v in answers.items() if k in shown.link_ids}
        assert {k: sorted(v, key=str) for k, v in sent.valid_answers.items()} == here
        assert not sent.problems
        again = {k: sorted(v, key=str) for k, v in sent.merged().items()}
        assert again == {k: sorted(v, key=str) for k, v in answers.items()}


@given(
    st.dictionaries(
        st.sampled_from([item.link_id for item in definition().questions()] + ["no.such", "view"]),
        st.lists(
            st.one_of(
                st.text(max_size=40),
                st.sampled_from(
                    ["none", "true", "11", "-1", "1e3", "٣", "\0", "<script>", "x" * 5000, "🏃" * 90]
                ),
            ),
            max_size=4,
        ),
        max_size=12,
    )
)
def test_whatever_is_sent_only_sound_answers_are_taken(data: dict[str, list[str]]) -> None:
    for page in pages(definition()):
        form = page_form(definition(), page, SORE, data=data)
        assert not check(definition(), form.valid_answers)
        assert form.valid_answers.keys() <= form.link_ids
        assert not form.valid_answers.keys() & form.problems.keys()
        rendered(form)


def test_answers_of_a_question_that_is_not_asked_any_more_are_kept_in_the_draft() -> None:
    data = QueryDict("safety.injury.left=false&safety.after-injury.left=no-tiptoe")
    form = asked("safety", data=data)
    assert form.valid_answers["safety.after-injury.left"] == ("no-tiptoe",)
    assert "safety.after-injury.left" not in form.errors
    assert "safety.after-injury.left" not in enabled(definition(), form.merged())


def test_a_required_question_is_required_only_where_it_is_asked() -> None:
    calm = asked("safety", data=QueryDict("safety.injury.left=false"))
    assert "safety.after-injury.left" not in calm.unanswered
    hurt = asked("safety", data=QueryDict("safety.injury.left=true"))
    assert hurt.unanswered["safety.after-injury.left"] == "Tick all that fit, or None of these"


def test_what_is_amiss_in_a_question_that_is_not_asked_stops_nobody() -> None:
    form = asked("try", data=QueryDict("try.safe=false&try.balance.left=ages"))
    assert form.is_valid()
    assert form.cleaned_answers == {"try.safe": (False,)}


def test_line_breaks_count_once() -> None:
    data = QueryDict(mutable=True)
    data["why.story"] = "a\r\n" * 250
    assert asked("about", data=data).valid_answers["why.story"] == (("a\n" * 250).strip(),)


def test_half_a_page_saved_while_typing_takes_nothing_away() -> None:
    stored: Answers = {"about.age": (34,), "why.main-problem": ("knee",), "pain.now": (3,)}
    form = asked("about", stored, data=QueryDict("about.age=3x&why.story=Stairs"))
    assert form.valid_answers == {"why.story": ("Stairs",)}
    assert form.merged() == {"about.age": (34,), "pain.now": (3,), "why.story": ("Stairs",)}


def test_a_form_that_was_not_sent_changes_nothing() -> None:
    stored: Answers = {"about.age": (34,)}
    form = asked("about", stored)
    assert form.merged() == stored
    assert not form.problems
    assert not form.unanswered
    assert not form.error_entries


def test_a_form_that_is_not_valid_gives_no_cleaned_answers() -> None:
    with pytest.raises(ValueError, match="problems"):
        _ = asked("about", data=QueryDict()).cleaned_answers


# What is said


BAD = [
    ("pain", "pain.now", ["11"], "Choose a number from 0 to 10"),
    ("pain", "pain.now", [], "Choose a number from 0 to 10"),
    ("pain", "pain.now", ["5.5"], "Choose a number from 0 to 10"),
    ("pain", "pain.now", ["1", "2"], "Choose only one answer"),
    ("about", "about.age", ["fifteen"], "Enter a whole number from 0 to 120"),
    ("about", "about.age", ["121"], "Enter a whole number from 0 to 120"),
    ("about", "about.age", ["-1"], "Enter a whole number from 0 to 120"),
    ("about", "about.age", ["9" * 400], "Enter a whole number from 0 to 120"),
    ("about", "about.age", [""], "Enter a whole number from 0 to 120"),
    ("about", "consent.privacy", [], "Tick this box to go on"),
    ("about", "consent.privacy", ["false"], "Tick this box to go on"),
    ("about", "consent.privacy", ["on"], "Choose Yes or No"),
    ("about", "why.main-problem", ["elbow"], "Choose from the answers below"),
    ("about", "why.main-problem", [], "Choose one answer"),
    ("about", "why.story", ["x" * 5000], "Use 500 characters or fewer. You have 5,000"),
    ("about", "why.story", ["a\0b"], "This has a character we cannot keep. Please write it without"),
    (
        "safety",
        "safety.leg-signs.left",
        ["none", "calf-swollen"],
        "“None of these” stands alone. Untick it, or untick the others",
    ),
    ("safety", "safety.leg-signs.left", [], "Tick all that fit, or None of these"),
    ("safety", "safety.injury.right", [], "Choose Yes or No"),
    ("safety", "safety.injury.right", ["maybe"], "Choose Yes or No"),
    ("where", "pain.regions.right", [], "Mark a place on your right side, or choose No pain on this side"),
    (
        "where",
        "pain.regions.left",
        ["elbow"],
        "Mark a place on your left side, or choose No pain on this side",
    ),
    (
        "where",
        "pain.regions.left",
        ["none", "cant-point"],
        "“No pain on this side” stands alone. Untick it, or untick the others",
    ),
    ("life", "activity.other", ["🏄" * 81], "Use 80 characters or fewer. You have 81"),
]


@pytest.mark.parametrize(("slug", "link_id", "sent", "message"), BAD)
@pytest.mark.parametrize("as_list", [False, True])
def test_what_is_amiss_is_said_at_the_question_and_in_the_summary(
    slug: str, link_id: str, sent: list[str], message: str, as_list: bool
) -> None:
    data = {link_id: sent, "activity.usual": ["other"]}
    form = asked(slug, data=data, as_list=as_list)
    assert not form.is_valid()
    page = rendered(form)
    described = {i for _, a in page.elements for i in (a.get("aria-describedby") or "").split()}
    _tag, attributes = page.by_id(f"{link_id.replace('.', '-')}-e")
    assert attributes["id"] in described
    assert page.texts.count(message) >= 2
    entry = next(e for e in form.error_entries if e.target in {c.id for c in page.named(link_id)})
    assert entry.message == message


@pytest.mark.parametrize(("slug", "link_id", "sent", "message"), [b for b in BAD if b[2] and "" not in b[2]])
def test_what_was_sent_is_shown_again(slug: str, link_id: str, sent: list[str], message: str) -> None:
    form = asked(slug, data={link_id: sent, "activity.usual": ["other"]})
    again = rendered(form).sent().get(link_id, [])
    controls = {control.value for control in rendered(form).named(link_id)}
    if controls > set(sent) and len(controls) > 1:
        assert sorted(again) == sorted(sent)
    elif definition().item(link_id).type in ("integer", "string", "text") and len(controls) == 1:
        assert again == [sent[0].replace("\0", "\N{REPLACEMENT CHARACTER}")]


def test_words_are_shown_as_words() -> None:
    story = '<script>alert("1")</script> & 🏃'
    form = asked("about", data={"why.story": story})
    page = rendered(form)
    assert page.named("why.story")[0].value == story
    assert not any(tag == "script" for tag, _ in page.elements)
    assert form.valid_answers["why.story"] == (story,)


def test_the_open_view_of_the_body_map_stays_open() -> None:
    views = rendered(asked("where", data={"view": "outer"})).named("view")
    assert [view.value for view in views if view.sends] == ["outer"]
    views = rendered(asked("where", data={"view": "elsewhere"})).named("view")
    assert [view.value for view in views if view.sends] == ["front"]


# Kinds of questions that the shipped form does not have


def made(*items: dict[str, Any]) -> Definition:
    page = {"linkId": "page.more", "type": "group", "text": "More", "item": list(items)}
    return read_definition({"resourceType": "Questionnaire", "url": "urn:more", "item": [page]})


CONTROL = "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"


def control(code: str) -> list[dict[str, Any]]:
    return [{"url": CONTROL, "valueCodeableConcept": {"coding": [{"code": code}]}}]


@pytest.mark.parametrize(
    ("item", "sent", "value"),
    [
        ({"type": "decimal"}, "12,5", Decimal("12.5")),
        ({"type": "decimal"}, "12", Decimal(12)),
        ({"type": "date"}, "2026-05-31", "2026-05-31"),
        ({"type": "time"}, "09:30", "09:30:00"),
        ({"type": "dateTime"}, "2026-06-03T09:30", "2026-06-03T09:30:00-07:00"),
        ({"type": "url"}, " https://clinic.example ", "https://clinic.example"),
        ({"type": "integer"}, " 07 ", 7),
        ({"type": "integer", "answerOption": [{"valueInteger": 3}]}, "3", 3),
        ({"type": "open-choice", "answerOption": [{"valueString": "Yoga"}]}, "Yoga", "Yoga"),
        ({"type": "open-choice", "answerOption": [{"valueString": "Yoga"}]}, "Surfing", "Surfing"),
        ({"type": "boolean", "extension": control("check-box")}, "true", True),
        ({"type": "boolean", "extension": control("check-box")}, "", False),
    ],
)
def test_other_kinds_of_answers(item: dict[str, Any], sent: str, value: object) -> None:
    form = made({"linkId": "one", "text": "One", **item})
    page = pages(form)[0]
    filled = page_form(form, page, {}, data={"one": sent})
    assert filled.cleaned_answers == {"one": (value,)}
    shown = rendered(page_form(form, page, filled.cleaned_answers))
    assert page_form(form, page, {}, data=shown.sent()).cleaned_answers == {"one": (value,)}


@pytest.mark.parametrize(
    ("item", "sent", "message"),
    [
        ({"type": "decimal"}, "much", "Enter a number, like 12.5"),
        ({"type": "date"}, "2026-02-30", "Enter a real date"),
        ({"type": "time"}, "25:00", "Enter a time, like 14:30"),
        ({"type": "dateTime"}, "2026-02-30T10:00", "Enter a real date"),
        ({"type": "string", "required": True}, " ", "Write an answer"),
        ({"type": "date", "required": True}, "", "Enter a date"),
        (
            {"type": "open-choice", "answerOption": [{"valueString": "Yoga"}]},
            ["Yoga", "Surfing"],
            "Choose one answer or write your own, not both",
        ),
        (
            {"type": "choice", "repeats": True, "required": True, "answerOption": [{"valueString": "Yoga"}]},
            [],
            "Tick at least one",
        ),
    ],
)
def test_other_kinds_of_problems(item: dict[str, Any], sent: str | list[str], message: str) -> None:
    form = made({"linkId": "one", "text": "One", **item})
    filled = page_form(form, pages(form)[0], {}, data={"one": sent})
    assert [entry.message for entry in filled.error_entries] == [message]


def test_a_question_under_a_question_and_one_to_read() -> None:
    form = made(
        {"linkId": "one", "type": "string", "text": "One", "item": [{"linkId": "1.a", "type": "string"}]},
        {"linkId": "seen", "type": "string", "text": "Booked for", "readOnly": True},
    )
    filled = page_form(form, pages(form)[0], {"seen": ("a knee check",)}, data={"1.a": "under", "seen": "x"})
    assert filled.cleaned_answers == {"1.a": ("under",)}
    assert filled.merged()["seen"] == ("a knee check",)
    page = rendered(filled)
    assert "a knee check" in page.texts
    assert not page.named("seen")


def test_html_ids_stay_apart_whatever_the_link_ids_are() -> None:
    form = made(*({"linkId": name, "type": "string", "text": name} for name in ("a.b", "a-b", "a b", "a_b")))
    controls = rendered(page_form(form, pages(form)[0], {})).controls
    ids = [control.id for control in controls if control.name != "whose"]
    assert len(ids) == len(set(ids)) == 4
    assert not any(" " in one for one in ids)


def test_conditions_of_both_kinds_are_read_together() -> None:
    """Under "any", a condition about another page that holds asks the question whatever is said here."""
    form = read_definition(
        {
            "resourceType": "Questionnaire",
            "url": "urn:two",
            "item": [
                {"linkId": "p1", "type": "group", "item": [{"linkId": "before", "type": "boolean"}]},
                {
                    "linkId": "p2",
                    "type": "group",
                    "item": [
                        {"linkId": "here", "type": "integer"},
                        *(
                            {
                                "linkId": match,
                                "type": "string",
                                "enableBehavior": match,
                                "enableWhen": [
                                    {"question": "before", "operator": "=", "answerBoolean": True},
                                    {"question": "here", "operator": ">=", "answerInteger": 3},
                                ],
                            }
                            for match in ("any", "all")
                        ),
                    ],
                },
            ],
        }
    )
    second = pages(form)[1]
    yes = page_form(form, second, {"before": (True,)}).asked
    assert yes["any"] is None
    assert yes["all"] is not None
    assert [c.question for c in yes["all"].conditions] == ["here"]
    no = page_form(form, second, {"before": (False,)}).asked
    assert no["any"] is not None
    assert [c.question for c in no["any"].conditions] == ["here"]
    assert "all" not in no
