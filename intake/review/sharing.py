"""Lessons that a physio shares with a patient after the evaluation: which may be, and which were.

The patient reads titles and texts that are public. Why a lesson was picked is told to nobody.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from education.lessons.models import Lesson
from intake.patients.models import Evaluation, LessonShare
from intake.responses.models import QuestionnaireResponse
from intake.review import versions
from intake.review.decide import NotAllowed, titled_finding
from intake.review.models import Decision, Outcome, Result, Verdict
from intake.screening.models import Finding, Rule

# How long a link to shared lessons lives.
LINK_OF_LESSONS: Final = timedelta(days=90)


class AlreadyShared(NotAllowed):
    """All of these were shared before, and a link to them lives."""


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One time that lessons were shared, for staff. titles: empty for who may not review.

    state: how its link stands. live: the link opens, or will once its mail has left.
    """

    key: UUID
    titles: tuple[str, ...]
    by: str
    at: datetime
    state: str
    sent_at: datetime | None
    opened_at: datetime | None
    ends_at: datetime
    live: bool

    @property
    def words(self) -> str:
        return str(_STATES[self.state])


_STATES: Final[dict[str, Promise]] = {
    "taken-back": gettext_lazy("Taken back"),
    "ended": gettext_lazy("Ended after too many wrong dates of birth"),
    "over": gettext_lazy("The link has ended, 90 days after it was sent"),
    "opened": gettext_lazy("Opened"),
    "sent": gettext_lazy("Sent, not opened yet"),
    "queued": gettext_lazy("Waiting to be sent"),
}


@dataclass(frozen=True, slots=True)
class Behind:
    """A finding that stands, for staff. found: at the visit; else it was confirmed and not looked for."""

    name: str
    found: bool


@dataclass(frozen=True, slots=True)
class Suggested:
    """A lesson with the findings that lead to it. shared: a link to it lives, or will."""

    lesson: Lesson
    behind: tuple[Behind, ...]
    shared: bool

    @property
    def found(self) -> bool:
        return any(one.found for one in self.behind)


@dataclass(frozen=True, slots=True)
class SharePage:
    """What the page shows on which lessons are picked. suggested: behind findings that stand. unset: how many
    findings nobody has said anything about yet.
    """

    response: QuestionnaireResponse
    evaluation: Evaluation
    suggested: tuple[Suggested, ...]
    others: tuple[Lesson, ...]
    unset: int
    shares: tuple[ShareLine, ...]
    refused: str

    @property
    def picked(self) -> tuple[str, ...]:
        """Slugs of the lessons that are ticked at first: behind what was found, and not shared yet."""
        return tuple(one.lesson.slug for one in self.suggested if one.found and not one.shared)


def share_page(*, user: AbstractBaseUser, response_id: UUID) -> SharePage:
    """The page of one intake as this user may see it.

    Raises `QuestionnaireResponse.DoesNotExist` for an unknown one, one this user may not see, and a draft.
    """
    response = (
        QuestionnaireResponse.objects.visible_to(user)
        .select_related("evaluation__patient", "evaluation__physio")
        .defer("answers", "document")
        .get(pk=response_id)
    )
    if not response.is_sent:
        raise QuestionnaireResponse.DoesNotExist
    findings = _findings(response)
    behind = _behind(findings)
    lessons = list(Lesson.objects.live())
    shared = _known(response.evaluation.lesson_shares.all(), timezone.now())
    try:
        check_share(response, timezone.now())
        refused = ""
    except NotAllowed as problem:
        refused = problem.message
    return SharePage(
        response=response,
        evaluation=response.evaluation,
        suggested=tuple(
            sorted(
                (
                    Suggested(lesson, behind[lesson.slug], lesson.slug in shared)
                    for lesson in lessons
                    if lesson.slug in behind
                ),
                key=lambda one: not one.found,
            )
        ),
        others=tuple(lesson for lesson in lessons if lesson.slug not in behind),
        unset=sum(one.result is None and one.decision != Decision.REFUTED for one in findings),
        shares=shares_of(response.evaluation),
        refused=refused,
    )


def lessons_behind(response: QuestionnaireResponse) -> set[str]:
    """Slugs of the lessons of the chain findings that were found, or confirmed and not yet looked for.

    The slugs they have now, whatever a rule knows them by.
    """
    return set(_behind(_findings(response)))


def _findings(response: QuestionnaireResponse) -> list[Any]:
    verdicts = Verdict.objects.filter(finding=OuterRef("pk")).order_by("-pk")
    outcomes = Outcome.objects.filter(finding=OuterRef("pk")).order_by("-pk")
    return list(
        Finding.objects.filter(response=response.pk, rule__kind=Rule.Kind.CHAIN)
        .annotate(
            title=F("rule__title"),
            lesson=KeyTextTransform("lesson", "rule__definition"),
            decision=Subquery(verdicts.values("decision")[:1]),
            result=Subquery(outcomes.values("result")[:1]),
        )
        .defer("evidence")
        .order_by("-score", "pk")
    )


def _behind(findings: Iterable[Any]) -> dict[str, tuple[Behind, ...]]:
    named: dict[str, list[Behind]] = {}
    for one in findings:
        found = one.result == Result.FOUND
        open_still = one.decision == Decision.CONFIRMED and one.result in (None, Result.NOT_TESTED)
        if one.lesson and (found or open_still):
            name = titled_finding(one.title, one.source_side, one.target_side)
            named.setdefault(one.lesson, []).append(Behind(name, found))
    behind: dict[str, tuple[Behind, ...]] = {}
    for slug, lesson in (_by_slug(named) if named else {}).items():
        behind[lesson.slug] = (*behind.get(lesson.slug, ()), *named[slug])
    return behind


def shares_of(evaluation: Evaluation, *, titles: bool = True) -> tuple[ShareLine, ...]:
    """Every share of this evaluation, the newest first. titles=False reads none of the lessons."""
    rows = evaluation.lesson_shares.select_related("by").order_by("-at", "pk")
    found = list(rows if titles else rows.defer("lessons"))
    names: dict[str, str] = {}
    if titles and found:
        slugs = {slug for row in found for slug in row.lessons}
        names = {slug: lesson.title for slug, lesson in _by_slug(slugs).items()}
    now = timezone.now()
    return tuple(
        ShareLine(
            key=row.pk,
            titles=tuple(names.get(slug, slug) for slug in row.lessons) if titles else (),
            by=str(row.by),
            at=row.at,
            state=_state(row, now),
            sent_at=row.sent_at,
            opened_at=row.opened_at,
            ends_at=row.expires_at,
            live=_may_live(row, now),
        )
        for row in found
    )


def shared_lessons(evaluation: Evaluation) -> list[Lesson]:
    """What this patient may read as shared: public lessons alone, none of what was taken back."""
    shares = LessonShare.objects.filter(evaluation=evaluation.pk, revoked_at=None)
    slugs = {slug for row in shares.values_list("lessons", flat=True) for slug in row}
    found = {lesson.pk: lesson for lesson in _by_slug(slugs, live=True).values()} if slugs else {}
    return sorted(found.values(), key=lambda lesson: (lesson.order, lesson.pk))


def _by_slug(slugs: Collection[str], *, live: bool = False) -> dict[str, Lesson]:
    """Lessons under these addresses, also those that moved since."""
    lessons = Lesson.objects.live() if live else Lesson.objects.all()
    rows = lessons.filter(Q(slug__in=slugs) | Q(redirects__slug__in=slugs))
    found: dict[str, Lesson] = {}
    for lesson in rows.annotate(old=F("redirects__slug")):
        for slug in (lesson.slug, lesson.old):
            if slug in slugs:
                found[slug] = lesson
    return found


def _state(share: LessonShare, now: datetime) -> str:
    if share.revoked_at is not None:
        return "taken-back"
    if share.ended_at is not None:
        return "ended"
    if share.expires_at <= now:
        return "over"
    if share.opened_at is not None:
        return "opened"
    return "queued" if share.sent_at is None else "sent"


def _may_live(share: LessonShare, now: datetime) -> bool:
    return share.revoked_at is None and share.ended_at is None and share.expires_at > now


# Checks


def check_share(response: QuestionnaireResponse, now: datetime) -> None:
    """May lessons be shared now? Raises `NotAllowed` saying what stands in the way."""
    evaluation = response.evaluation
    if evaluation.status == Evaluation.Status.CANCELLED:
        raise NotAllowed(_("This visit is cancelled."))
    if evaluation.starts_at is None or evaluation.starts_at > now:
        raise NotAllowed(_("The visit has not begun yet. Come back after it."))
    if not evaluation.patient.email:
        raise NotAllowed(_("There is no e-mail address. Add one to the patient first."))


# Writes


def share(*, response: QuestionnaireResponse, lessons: Iterable[str], by: AbstractBaseUser) -> LessonShare:
    """Keep which lessons are shared. No mail yet, so the link has no token.

    Raises `NotAllowed`, `AlreadyShared` where nothing new is among them, or `versions.Replaced`.
    """
    versions.hold(response.pk)
    now = timezone.now()
    check_share(response, now)
    wanted = set(lessons)
    slugs = [lesson.slug for lesson in Lesson.objects.live() if lesson.slug in wanted]
    if not slugs:
        raise NotAllowed(_("Choose at least one lesson."), "lessons")
    if set(slugs) <= _known(response.evaluation.lesson_shares.all(), now):
        raise AlreadyShared(_("These lessons were shared already. You can send the link again."))
    made: LessonShare = LessonShare.objects.create(
        evaluation=response.evaluation, lessons=slugs, at=now, by_id=by.pk, expires_at=now + LINK_OF_LESSONS
    )
    return made


def _known(shares: Iterable[Any], now: datetime) -> set[str]:
    return {slug for row in shares if _may_live(row, now) for slug in row.lessons}


def locked(key: UUID) -> LessonShare:
    """A share whose link lives or will, under a lock. Raises `LessonShare.DoesNotExist` for any other."""
    found: LessonShare = (
        LessonShare.objects.select_related("evaluation__patient", "evaluation__physio")
        .select_for_update(of=("self",))
        .exclude(evaluation__status=Evaluation.Status.CANCELLED)
        .get(pk=key, revoked_at=None, ended_at=None, expires_at__gt=timezone.now())
    )
    return found


def take_back(share: LessonShare) -> bool:
    """Its link opens nothing any more, and its lessons stand on no page of the patient. False if it was."""
    return bool(LessonShare.objects.filter(pk=share.pk, revoked_at=None).update(revoked_at=timezone.now()))
