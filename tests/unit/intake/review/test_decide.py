"""What may be done with an intake, and what a refusal says."""

import pytest

from intake.review.decide import (
    NotAllowed,
    Standing,
    allowed,
    check_decide,
    check_finish,
    check_open,
    check_reopen,
    titled,
    titled_finding,
)

OPEN = Standing(sent=True, finished=False)
WAITING = Standing(sent=True, finished=False, waiting=("Hot joint (left)",), undecided=("Heel (right)",))
UNDECIDED = Standing(sent=True, finished=False, undecided=("Heel (right)", "Kneecap (left)"))
FINISHED = Standing(sent=True, finished=True)
DRAFT = Standing(sent=False, finished=False)


@pytest.mark.parametrize(
    ("standing", "may_decide", "may_finish", "may_reopen"),
    [
        (OPEN, True, True, False),
        (UNDECIDED, True, False, False),
        (WAITING, False, False, False),
        (FINISHED, False, False, True),
        (DRAFT, False, False, False),
    ],
)
def test_what_is_possible(standing: Standing, may_decide: bool, may_finish: bool, may_reopen: bool) -> None:
    assert allowed(check_open, standing) is may_decide
    assert allowed(check_finish, standing) is may_finish
    assert allowed(check_reopen, standing) is may_reopen


def test_finishing_names_what_is_left_and_the_call_alone_while_findings_wait_for_it() -> None:
    with pytest.raises(NotAllowed) as refused:
        check_finish(WAITING)
    assert refused.value.message == "Record what was done about the urgent answer: Hot joint (left)."
    with pytest.raises(NotAllowed) as refused:
        check_finish(UNDECIDED)
    assert refused.value.message == "Decide on 2 findings: Heel (right); Kneecap (left)."


@pytest.mark.parametrize(
    ("decided", "decision", "reason", "note", "field"),
    [
        (False, "approve", "", "", "decision"),
        (False, "", "", "", "decision"),
        (False, "unconfirmed", "", "", "decision"),
        (False, "refuted", "", "", "reason"),
        (False, "refuted", "because", "", "reason"),
        (False, "confirmed", "", "x" * 501, "note"),
        (False, "confirmed", "", "a\x00b", "note"),
    ],
)
def test_a_refused_decision_names_its_field(
    decided: bool, decision: str, reason: str, note: str, field: str
) -> None:
    with pytest.raises(NotAllowed) as refused:
        check_decide(OPEN, decided=decided, decision=decision, reason=reason, note=note)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("decided", "decision", "reason"),
    [
        (False, "confirmed", ""),
        (True, "confirmed", ""),
        (False, "provisional", ""),
        (False, "refuted", "old-injury"),
        (True, "unconfirmed", ""),
    ],
)
def test_decisions_that_are_taken(decided: bool, decision: str, reason: str) -> None:
    check_decide(OPEN, decided=decided, decision=decision, reason=reason, note="x" * 500)


def test_names_carry_their_side() -> None:
    assert titled("Hot joint", "left") == "Hot joint (left)"
    assert titled("Both legs marked", None) == "Both legs marked"


def test_a_finding_on_the_other_side_names_both() -> None:
    assert titled_finding("Sparing a knee", "right", "left") == "Sparing a knee (left, from right)"
    assert titled_finding("Low arch", "left", "left") == "Low arch (left)"
    assert titled_finding("Shoes", None, None) == "Shoes"
