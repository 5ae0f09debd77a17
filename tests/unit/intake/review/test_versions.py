"""Which decisions survive changed answers."""

from intake.review.models import Verdict
from intake.review.versions import Decided, Known, carried

SAME = {"requires": [{"id": "a", "answers": []}]}
OTHER = {"requires": [{"id": "a", "answers": [{"linkId": "pain.now"}]}]}


def found(key: int, rule: int = 1, side: str | None = "left", evidence=SAME) -> Known:
    return Known(key, rule, side, evidence)


def decided(finding: Known, decision: str = "confirmed") -> Decided:
    return Decided(finding, Verdict(decision=decision))


def kept(now: list[Known], earlier: list[Decided]) -> list[tuple[int, str]]:
    return [(finding.key, verdict.decision) for finding, verdict in carried(now, earlier)]


def test_the_same_answers_keep_the_decision():
    assert kept([found(9)], [decided(found(1))]) == [(9, "confirmed")]


def test_other_answers_another_rule_or_another_side_do_not():
    for now in (found(9, evidence=OTHER), found(9, rule=2), found(9, side="right"), found(9, side=None)):
        assert kept([now], [decided(found(1))]) == []


def test_the_newest_decision_counts():
    earlier = [decided(found(1)), decided(found(2), "refuted")]
    assert kept([found(9)], earlier) == [(9, "refuted")]


def test_a_newer_decision_on_other_answers_is_not_passed_over():
    earlier = [decided(found(1)), decided(found(2, evidence=OTHER), "refuted")]
    assert kept([found(9)], earlier) == []


def test_a_finding_that_is_new_has_none_and_one_that_is_gone_is_dropped():
    assert kept([found(9, rule=5)], [decided(found(1))]) == []
    assert kept([], [decided(found(1))]) == []
