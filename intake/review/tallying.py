"""What each finding counts for in the record of its rule: triggers that keep `FindingTally` true.

A row a finding is worked out again from what stands (its last verdict, its last outcome, whether its
evaluation is closed or cancelled, whether changed answers stand in for it) after every statement that changes
one of these. Nothing is added up, so nothing can be added twice: a reload, a double submit or a reopened
evaluation ends in the same row (ADR 0020). What a row is made of is the SQL function `intake_tally_findings`.
Two that people wait for have a shorter one: a verdict moves one column of a row that is there
(`intake_tally_decisions`, both in migration 0024), and a form that is sent makes the rows of all its
findings, which have no outcome yet (`intake_tally_sent`, migration 0028).
"""

from typing import Final

import pgtrigger

from intake.review.placing import MOVED, NEW_FINDINGS, after_move, after_statement

# What a form raised that is not sent yet counts once it is.
_ITSELF: Final = f"SELECT c.id FROM {NEW_FINDINGS}"  # noqa: S608  # texts of these modules
_OF_ROW_OF_FINDING: Final = "SELECT finding_id FROM new_rows"
_OF_RESPONSE: Final = "SELECT f.id FROM new_rows c JOIN intake_finding f ON f.response_id = c.response_id"
_OF_MOVED_RESPONSE: Final = "SELECT f.id FROM intake_finding f WHERE f.response_id = NEW.id"
# It was a draft and stands now.
_SENT: Final = (
    "OLD.status = 'in-progress' AND NEW.status IN ('completed', 'amended') AND NEW.replaced_at IS NULL"
)
_OF_MOVED_EVALUATION: Final = (
    "SELECT f.id FROM new_rows n JOIN old_rows o ON o.id = n.id "
    "JOIN intake_questionnaireresponse r ON r.evaluation_id = n.id "
    "JOIN intake_finding f ON f.response_id = r.id WHERE n.status IS DISTINCT FROM o.status"
)


def _trigger(operation: pgtrigger.Operation, findings: str) -> pgtrigger.Trigger:
    return after_statement("tally", operation, f"PERFORM intake_tally_findings(ARRAY({findings}));")


def on_findings() -> list[pgtrigger.Trigger]:
    return [_trigger(pgtrigger.Insert, _ITSELF)]


def on_verdicts() -> list[pgtrigger.Trigger]:
    decided = f"PERFORM intake_tally_decisions(ARRAY({_OF_ROW_OF_FINDING}));"
    return [after_statement("tally", pgtrigger.Insert, decided)]


def on_outcomes() -> list[pgtrigger.Trigger]:
    return [_trigger(pgtrigger.Insert, _OF_ROW_OF_FINDING)]


def on_closings() -> list[pgtrigger.Trigger]:
    return [_trigger(pgtrigger.Insert, _OF_RESPONSE)]


def on_responses() -> list[pgtrigger.Trigger]:
    moved = f"PERFORM intake_tally_findings(ARRAY({_OF_MOVED_RESPONSE}));"
    return [
        after_move("tally_when_sent", "PERFORM intake_tally_sent(NEW.id, NEW.evaluation_id);", _SENT),
        after_move("tally_after_update", moved, f"{MOVED} AND NOT ({_SENT})"),
    ]


def on_evaluations() -> list[pgtrigger.Trigger]:
    return [_trigger(pgtrigger.Update, _OF_MOVED_EVALUATION)]
