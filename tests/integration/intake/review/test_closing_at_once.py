"""Several physios, or one impatient one, record and close the same evaluation at the same moment."""

from dataclasses import replace

from intake.review import outcomes
from intake.review.hit_rate import HitRate
from intake.review.models import Closing, Measurement, MissedLink, Outcome
from intake.review.outcomes import Seen
from tests.integration.intake.review.test_outcomes import (
    LINK,
    close,
    everything,
    findings,
    past_intake,
    rate,
    record,
    rows,
)
from tests.integration.intake.test_parallel import at_once


def test_recorded_and_closed_by_eight_at_once_it_is_so_once(committed_db):
    intake = past_intake()
    typed = replace(everything(intake), values={("balance", "left"): "22"}, link=LINK, seen=Seen())
    added = at_once(8, lambda _number: bool(record(intake, typed)))
    assert sorted(map(str, added)) == [*["False"] * 7, "True"]
    assert len(rows(Outcome)) == len(findings(intake))
    assert len(rows(Measurement)) == len(rows(MissedLink)) == 1

    def try_to_close(_number: int) -> str:
        try:
            close(intake)
        except outcomes.AlreadyClosed:
            return "closed already"
        return "closed"

    assert sorted(map(str, at_once(8, try_to_close))) == ["closed", *["closed already"] * 7]
    assert [one.number for one in rows(Closing)] == [1]
    assert rate(findings(intake)[0]) == HitRate(1, raised=1, found=1)
