"""What may be recorded after the evaluation, and what a refusal says."""

from decimal import Decimal

import pytest

from intake.review.decide import NotAllowed, allowed
from intake.review.measures import MEASURES, Impossible, read_value, written
from intake.review.outcomes import (
    AlreadyClosed,
    Seen,
    Standing,
    Typed,
    TypedLink,
    TypedOutcome,
    check_close,
    check_record,
    check_reopen,
    problems_of,
)

OPEN = Standing(sent=True, cancelled=False, begun=True, closed=False)
UNSET = Standing(
    sent=True, cancelled=False, begun=True, closed=False, unset=("Heel (left)", "Kneecap (right)")
)
CLOSED = Standing(sent=True, cancelled=False, begun=True, closed=True, number=1)
CANCELLED = Standing(sent=True, cancelled=True, begun=True, closed=False)
COMING = Standing(sent=True, cancelled=False, begun=False, closed=False)
DRAFT = Standing(sent=False, cancelled=False, begun=True, closed=False)


@pytest.mark.parametrize(
    ("standing", "record", "close", "reopen"),
    [
        (OPEN, True, True, False),
        (UNSET, True, False, False),
        (CLOSED, False, False, True),
        (CANCELLED, False, False, False),
        (COMING, False, False, False),
        (DRAFT, False, False, False),
    ],
)
def test_what_may_be_done(standing, record, close, reopen):
    assert allowed(check_record, standing) is record
    assert allowed(check_close, standing) is close
    assert allowed(check_reopen, standing) is reopen


def test_a_refused_closing_names_every_finding_that_is_left():
    with pytest.raises(NotAllowed) as refusal:
        check_close(UNSET)
    assert refusal.value.message == "Say what you found about 2 findings: Heel (left); Kneecap (right)."
    with pytest.raises(AlreadyClosed):
        check_close(CLOSED)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_opening_again_needs_a_reason_that_can_be_kept(reason):
    with pytest.raises(NotAllowed) as refusal:
        check_reopen(CLOSED, reason)
    assert refusal.value.field == "reason"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("navicular-drop", "", None),
        ("navicular-drop", " 11 ", Decimal("11.0")),
        ("navicular-drop", "4,5", Decimal("4.5")),
        ("fpi6", "+8", Decimal("8.0")),
        ("fpi6", "−12", Decimal("-12.0")),
        ("heel-raises", "0", Decimal("0.0")),
    ],
)
def test_a_possible_value_is_read(kind, text, value):
    assert read_value(MEASURES[kind], text) == value


@pytest.mark.parametrize("kind", MEASURES)
def test_the_ends_are_possible_and_what_is_past_them_is_not(kind):
    measure = MEASURES[kind]
    for end in (measure.low, measure.high):
        assert read_value(measure, str(end)) == end
    for text in (str(measure.low - 1), str(measure.high + 1), "1e9", "NaN", "inf", "ten", "1.25", "5 mm"):
        with pytest.raises(Impossible):
            read_value(measure, text)
    if measure.whole:
        with pytest.raises(Impossible, match="whole number"):
            read_value(measure, "1.5")


def test_a_value_is_written_as_it_is_typed():
    fpi, drop = MEASURES["fpi6"], MEASURES["navicular-drop"]
    assert [written(fpi, Decimal(number)) for number in ("8.0", "-3.0", "0.0")] == ["+8", "-3", "0"]
    assert [written(drop, Decimal(number)) for number in ("10.0", "4.5")] == ["10", "4.5"]
    assert written(drop, None) == ""


def test_what_cannot_be_kept_is_named_by_field():
    typed = Typed(
        outcomes={
            1: TypedOutcome("found", "", "Clear in the squat"),
            2: TypedOutcome("not-tested"),
            3: TypedOutcome("", "", "A note alone"),
            4: TypedOutcome("perhaps"),
            5: TypedOutcome("not-tested", "because"),
            6: TypedOutcome("not-found", "", "x" * 501),
            7: TypedOutcome(),
        },
        values={("fpi6", "left"): "13", ("balance", "left"): "22", ("quad-strength", "left"): "20"}
        | {("quad-strength", "right"): "10"},
        link=TypedLink("left.knee-front", "left.knee-front", ""),
    )
    assert problems_of(typed) == {
        "reason-2": "Choose why it was not tested.",
        "result-3": "Choose Found, Not found or Not tested, so that the note can be kept.",
        "result-4": "Choose Found, Not found or Not tested.",
        "reason-5": "Choose why it was not tested.",
        "note-6": "Use 500 characters or fewer. You have 501.",
        "fpi6-left": "Type a number from -12 to 12.",
        "quad-strength-right": "Only one side can be the weaker one. Empty the other.",
        "shows": "Choose another part than the one where it starts.",
        "words": "Say in a few words what you saw.",
    }


@pytest.mark.parametrize("text", ["", "x", "1", "1.2.3", "1.x", "-1.2", f"{'9' * 19}.1"])
def test_what_is_no_mark_of_a_page_is_nothing_seen(text):
    assert Seen.read(text) == Seen()


def test_a_mark_of_a_page_comes_back():
    assert Seen.read(str(Seen(12, 40))) == Seen(12, 40)
