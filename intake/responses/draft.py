"""Save and resume a draft: one row for one evaluation, page by page."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import F, UUIDField
from django.utils import timezone

from intake.audit import prepared
from intake.conditions import Answers
from intake.kept import Given, Kept
from intake.patients.models import Invitation
from intake.questionnaires.definition import Definition
from intake.questionnaires.pages import Page, enabled, pages
from intake.responses import shown as showing
from intake.responses.answers import missing, read_answers, to_json
from intake.responses.models import QuestionnaireResponse, ResponseQuerySet


class Overtaken(Exception):
    """The draft is not what it was when it was read."""


class AlreadySent(Exception):
    """The intake was sent; nothing in it can be changed here any more."""


def worked_on() -> ResponseQuerySet:
    """What the patient may be at work on for the evaluation that is `Given`, what counts last of all."""
    responses: ResponseQuerySet = QuestionnaireResponse.objects.select_related("questionnaire", "evaluation")
    return (
        responses.defer("questionnaire__definition")
        .filter(
            evaluation=Given("evaluation", UUIDField()),
            replaced_at=None,
            status__in=[
                QuestionnaireResponse.Status.IN_PROGRESS,
                QuestionnaireResponse.Status.COMPLETED,
                QuestionnaireResponse.Status.AMENDED,
            ],
        )
        .order_by(F("authored").asc(nulls_last=True))
    )


_LOOKED_AT: Final = Kept(worked_on)
_LOCKED: Final = Kept(lambda: worked_on().select_for_update(of=("self",)))


def standing_response(invitation: Invitation, *, lock: bool = False) -> QuestionnaireResponse | None:
    """What the patient works on: a draft, also one of a change, else what she sent, if there is anything.

    lock: it and, of a change, what it replaces are locked, in one order for all who do.
    """
    return chosen((_LOCKED if lock else _LOOKED_AT).rows([], evaluation=invitation.evaluation_id))


def chosen(found: list[QuestionnaireResponse]) -> QuestionnaireResponse | None:
    """The one that counts among what `worked_on` brings, which knows what it replaces."""
    if not found:
        return None
    working = found[-1]
    if working.is_change and working.replaces_id == found[0].pk:
        working.replaces = found[0]
    return working


def locked(response_id: UUID) -> QuestionnaireResponse | None:
    """The draft with this key under its locks, for a job; None for one that is none any more."""
    invitation = Invitation.objects.filter(responses=response_id).only("evaluation").order_by().first()
    working = standing_response(invitation, lock=True) if invitation is not None else None
    if working is None or working.is_sent or working.pk != response_id:
        return None
    return working


def start_draft(invitation: Invitation) -> QuestionnaireResponse:
    """The evaluation's draft, made if it is not there. Two tabs at once get the same one."""
    standing = standing_response(invitation)
    if standing is not None:
        return standing
    QuestionnaireResponse.objects.bulk_create(
        [
            QuestionnaireResponse(
                evaluation_id=invitation.evaluation_id,
                invitation=invitation,
                questionnaire_id=invitation.questionnaire_id,
            )
        ],
        ignore_conflicts=True,
    )
    made = standing_response(invitation)
    if made is None:
        raise RuntimeError("a draft was neither found nor made")
    return made


# Locks the row: of two saves at once the second waits, and then finds no such revision.
_STORE: Final = """
UPDATE intake_questionnaireresponse
SET answers = %s::jsonb, written = %s::jsonb, saved_pages = %s::jsonb, updated_at = %s,
    privacy_version = %s, revision = revision + 1
WHERE id = %s AND revision = %s AND status = 'in-progress'
"""


def store_page(
    response: QuestionnaireResponse,
    page: Page,
    fields: Collection[str],
    answers: Answers,
    *,
    complete: bool,
    shown: showing.Shown | None = None,
    privacy_version: int | None = None,
) -> showing.Met:
    """Put one page's answers into the draft, if it is as it was read: a lock is not needed.

    fields: the linkIds that stood on the page; what is among them and not in `answers` was emptied. Other
    answers stay, also those of items that are disabled now: only submit prunes. complete: the patient
    pressed "Save and continue" and nothing was wrong; an autosave is not complete. shown: what the page
    showed; only what was changed on it is taken then, and what came from elsewhere meanwhile is told.
    privacy_version: of the notice behind a tick on this page that it was seen; None where there is none.
    Raises `AlreadySent`, and `Overtaken` where another save came between: nothing is stored then.
    """
    if response.status != QuestionnaireResponse.Status.IN_PROGRESS:
        raise AlreadySent
    met = showing.Met(frozenset(fields))
    if shown is not None:
        met = showing.meet(page, shown, response.written, read_answers(response.answers), fields, answers)
        response.written = showing.remember(page, shown, response.written, met, answers)
    fields = met.written
    kept = {link_id: values for link_id, values in response.answers.items() if link_id not in fields}
    given = {link_id: to_json(values) for link_id, values in answers.items() if values and link_id in fields}
    response.answers = {**kept, **given}
    if complete and page.link_id not in response.saved_pages:
        response.saved_pages = [*response.saved_pages, page.link_id]
    response.updated_at = timezone.now()
    response.privacy_version = privacy_version or response.privacy_version
    said = [json.dumps(said) for said in (response.answers, response.written, response.saved_pages)]
    with prepared() as cursor:
        values = [*said, response.updated_at, response.privacy_version, response.pk, response.revision]
        cursor.execute(_STORE, values)
        if not cursor.rowcount:
            raise Overtaken
    response.revision += 1
    return met


_SEND: Final = """
UPDATE intake_questionnaireresponse
SET status = %s, answers = %s::jsonb, written = '{}', document = %s::jsonb, authored = %s, updated_at = %s,
    submit_key = %s, revision = revision + 1
WHERE id = %s
"""


def store_sent(response: QuestionnaireResponse) -> None:
    """The draft becomes what was sent, as it stands in `response`. The caller holds its lock."""
    said = [json.dumps(said) for said in (response.answers, response.document)]
    with prepared() as cursor:
        values = [
            response.status,
            *said,
            response.authored,
            response.updated_at,
            response.submit_key,
            response.pk,
        ]
        cursor.execute(_SEND, values)
    response.written = {}
    response.revision += 1


# What a question takes: ours, from how long the shipped form took people; for the clinic to measure.
SECONDS_A_QUESTION: Final = 13


@dataclass(frozen=True, slots=True)
class PartState:
    """A line of the task list. state: `done`, `started` or `not-started`."""

    page: Page
    state: str
    answered: int
    asked: int


def path_of(
    definition: Definition, answers: Answers, hidden: Collection[str], on: Collection[str] | None = None
) -> tuple[Page, ...]:
    """The pages this patient walks: those with an enabled question, less those hidden for comfort.

    on: what is enabled by the answers, where the caller has it.
    """
    on = enabled(definition, answers) if on is None else on
    return tuple(
        page
        for page in pages(definition)
        if page.link_id in on
        and page.link_id not in hidden
        and any(item.is_question and item.link_id in on for item in page.item.walk())
    )


def parts(
    definition: Definition, answers: Answers, saved_pages: Collection[str], path: tuple[Page, ...]
) -> tuple[PartState, ...]:
    """The state of every page on the path. saved_pages: linkIds of pages saved without an error."""
    on = enabled(definition, answers)
    states = []
    for page in path:
        asked = [item.link_id for item in page.item.walk() if item.is_question and item.link_id in on]
        answered = sum(bool(answers.get(link_id)) for link_id in asked)
        if page.link_id in saved_pages and not missing(definition, answers, page, on):
            state = "done"
        elif answered or page.link_id in saved_pages:
            state = "started"
        else:
            state = "not-started"
        states.append(PartState(page, state, answered, len(asked)))
    return tuple(states)


def minutes_left(states: Collection[PartState]) -> int:
    """About how long the questions still take that nobody answered; 0 when every part is done."""
    left = sum(part.asked - part.answered for part in states if part.state != "done")
    return -(-left * SECONDS_A_QUESTION // 60) if left else int(any(part.state != "done" for part in states))
