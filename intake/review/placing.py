"""How an evaluation finds its place on the worklist: triggers that keep `QueueEntry` true, whoever writes.

A million intakes can be listed, counted and filtered by index only if each evaluation's status stands in one
row. The database works that row out itself, after every statement that changes what it rests on, so a bulk
load, a job or a line of SQL cannot leave a red flag off the list. What a place is made of is the SQL function
`intake_place_on_worklist` (migration 0024); the triggers here say for which evaluations to call it.
"""

from typing import Final

import pgtrigger

_NAMES: Final = {pgtrigger.Insert: "insert", pgtrigger.Update: "update", pgtrigger.Delete: "delete"}

_OF_EVALUATION: Final = "SELECT id AS evaluation_id FROM {rows}"
_OF_RESPONSE: Final = "SELECT evaluation_id FROM {rows}"
# An autosave changes answers and nothing that the worklist shows.
MOVED: Final = "(OLD.status, OLD.replaced_at) IS DISTINCT FROM (NEW.status, NEW.replaced_at)"
# New findings `c` of intakes `r` that were sent. The fence holds whatever a table looked like when this was
# planned.
NEW_FINDINGS: Final = (
    "new_rows c CROSS JOIN LATERAL (SELECT x.evaluation_id, x.status FROM intake_questionnaireresponse x "
    "WHERE x.id = c.response_id OFFSET 0) r WHERE r.status <> 'in-progress'"
)
_OF_ROW_OF_RESPONSE: Final = (
    "SELECT r.evaluation_id FROM {rows} c JOIN intake_questionnaireresponse r ON r.id = c.response_id"
)
# Those of a form that is not sent yet are on no list: sending it places the evaluation once, with them.
_OF_NEW_FINDING: Final = f"SELECT r.evaluation_id FROM {NEW_FINDINGS}"  # noqa: S608  # a text of this module


def _trigger(operation: pgtrigger.Operation, changed: str) -> pgtrigger.Trigger:
    rows = "old_rows" if operation is pgtrigger.Delete else "new_rows"
    evaluations = f"SELECT DISTINCT evaluation_id FROM ({changed.format(rows=rows)}) changed"  # noqa: S608  # texts of this module
    return after_statement("place", operation, f"PERFORM intake_place_on_worklist(ARRAY({evaluations}));")


def after_statement(name: str, operation: pgtrigger.Operation, call: str) -> pgtrigger.Trigger:
    """A trigger that runs once a statement; `new_rows` and `old_rows` are what it wrote and what was."""
    return pgtrigger.Trigger(
        name=f"{name}_after_{_NAMES[operation]}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(  # type: ignore[no-untyped-call]  # the library left it untyped
            old=None if operation is pgtrigger.Insert else "old_rows",
            new=None if operation is pgtrigger.Delete else "new_rows",
        ),
        func=f"{call} RETURN NULL;",
    )


def after_move(name: str, call: str, when: str = MOVED) -> pgtrigger.Trigger:
    """A trigger for each response that moved, `NEW`. when: in SQL, what makes it one that did.

    Responses move one at a time, so there is nothing to gather, and a page that was saved calls nothing.
    """
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f"({when})"),
        func=f"{call} RETURN NULL;",
    )


def on_evaluations() -> list[pgtrigger.Trigger]:
    return [_trigger(operation, _OF_EVALUATION) for operation in (pgtrigger.Insert, pgtrigger.Update)]


def on_responses() -> list[pgtrigger.Trigger]:
    return [
        _trigger(pgtrigger.Insert, _OF_RESPONSE),
        after_move("place_after_update", "PERFORM intake_place_on_worklist(ARRAY[NEW.evaluation_id]);"),
        _trigger(pgtrigger.Delete, _OF_RESPONSE),
    ]


def on_rows_of_a_response() -> list[pgtrigger.Trigger]:
    """For red flags and reviews."""
    return [_trigger(operation, _OF_ROW_OF_RESPONSE) for operation in _NAMES]


def on_findings() -> list[pgtrigger.Trigger]:
    return [
        _trigger(pgtrigger.Insert, _OF_NEW_FINDING),
        _trigger(pgtrigger.Update, _OF_ROW_OF_RESPONSE),
        _trigger(pgtrigger.Delete, _OF_ROW_OF_RESPONSE),
    ]


def on_added_rows_of_a_response() -> list[pgtrigger.Trigger]:
    """For closings, which are never changed."""
    return [_trigger(pgtrigger.Insert, _OF_ROW_OF_RESPONSE)]
