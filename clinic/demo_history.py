"""The weeks before the demo began: invented intakes that are over, so that the figures show something.

Made in bulk, a statement for each table, because filling in forty forms page by page would hold up the start.
What the rules raise is what they raise for the same answers on the demo's own day.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import models
from django.utils import timezone

from clinic.models import User
from intake import audit, journey
from intake.conditions import Value
from intake.patients.models import Evaluation, Invitation, Patient
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.models import Questionnaire
from intake.responses.answers import prune
from intake.responses.models import QuestionnaireResponse
from intake.review.models import (
    Closing,
    LessonOpening,
    NotTestedReason,
    Outcome,
    RedFlagContact,
    Result,
    Review,
    Verdict,
)
from intake.review.opened import monday
from intake.screening import record
from intake.screening.explain import evidence_json
from intake.screening.models import Finding, RedFlag, RedFlagEvent, ScreeningRun, Tier
from intake.screening.screen import Screening, screen

# How many were invited in each week, the oldest first.
INVITED: Final = (4, 6, 5, 7, 5, 6, 8, 6)
GIVEN: Final = (
    "Ada",
    "Ben",
    "Cleo",
    "Dev",
    "Esme",
    "Finn",
    "Gia",
    "Hugo",
    "Ines",
    "Jude",
    "Kira",
    "Liam",
    "Mae",
)
FAMILY: Final = (
    "Abbott",
    "Boone",
    "Carver",
    "Dalton",
    "Ellery",
    "Foss",
    "Garner",
    "Hollis",
    "Irwin",
    "Joyner",
)
# Whose answers of the demo's day each one has, how long the form took, how soon a flag was answered: minutes.
LIKE: Final = (0, 1, 0, 4, 3, 1, 2, 0, 3, 0)
TOOK: Final = (11, 14, 9, 17, 12, 26, 8, 380, 15, 13, 42, 1700)
CALLED_AFTER: Final = (22, 9, 48, 15, 95)
DISMISSED_EACH: Final = 4
LESSONS: Final = {"rolling-in": 3, "shoes-and-insoles": 2, "shifting-weight": 1, "check-yourself-safely": 1}

Answers = Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Kind:
    """The answers of one of the day's people, and what they raise."""

    answers: Answers
    screening: Screening


@dataclass(slots=True)
class Rows:
    """What is to be stored, in the order in which tables name each other."""

    found: dict[type[models.Model], list[Any]] = field(default_factory=dict)
    settled: list[tuple[RedFlagContact, list[RedFlag]]] = field(default_factory=list)

    def add(self, row: Any) -> Any:
        self.found.setdefault(type(row), []).append(row)
        return row

    def store(self) -> None:
        for model in (
            Patient,
            Evaluation,
            Invitation,
            QuestionnaireResponse,
            ScreeningRun,
            Finding,
            Review,
            Verdict,
            Outcome,
            Closing,
            RedFlag,
            RedFlagEvent,
        ):
            model._base_manager.bulk_create(self.found.get(model, []))
        for contact, flags in self.settled:
            contact.flags = [flag.pk for flag in flags]
        RedFlagContact.objects.bulk_create(contact for contact, _flags in self.settled)


class History:
    """The weeks that are over. people: the answers to go by."""

    def __init__(self, physio: User, people: Iterable[Answers]) -> None:
        self.physio = physio
        self.questionnaire: Questionnaire = active_questionnaire()
        self.definition = self.questionnaire.tree()
        self.active = record.active_rules()
        self.kinds = [self.kind(answers) for answers in people]
        self.rows = Rows()

    def kind(self, answers: Answers) -> Kind:
        pruned = prune(self.definition, answers)
        return Kind(pruned, screen(self.active.rules, pruned))

    def make(self, today: date) -> None:
        number = 0
        for week, invited in enumerate(INVITED):
            first = monday(today) - timedelta(weeks=len(INVITED) - week)
            for place in range(invited):
                self.person(number, first + timedelta(days=place % 5), place)
                number += 1
        self.rows.store()

    def person(self, number: int, invited_on: date, place: int) -> None:
        """Invited on that day, seen five weekdays later; most sent the form, some never began."""
        given, family = GIVEN[number % len(GIVEN)], FAMILY[number * 3 % len(FAMILY)]
        patient = self.rows.add(
            Patient(
                given_name=given,
                family_name=family,
                birth_date=date(1955 + number % 45, 1 + number % 12, 1 + number % 28),
                email=f"{given}.{family}.{number}@patients.example".lower(),
            )
        )
        physio = self.physio
        # No two at the same time: a slot of the day for each place in the week.
        starts_at = moment(invited_on + timedelta(days=7), 8 + place)
        evaluation = self.rows.add(
            Evaluation(
                patient=patient, physio=physio, starts_at=starts_at, minutes=settings.EVALUATION_MINUTES
            )
        )
        invited_at = moment(invited_on, 9 + place % 7)
        began = number % 6 != 4
        opened_at = invited_at + timedelta(hours=3 + 5 * (number % 7)) if began else None
        invitation = self.rows.add(
            Invitation(
                evaluation=evaluation,
                questionnaire=self.questionnaire,
                created_at=invited_at,
                sent_at=invited_at,
                opened_at=opened_at,
                expires_at=evaluation.link_ends_at,
            )
        )
        if opened_at is None:
            return
        response = QuestionnaireResponse(
            evaluation=evaluation,
            invitation=invitation,
            questionnaire=self.questionnaire,
            started_at=opened_at,
            updated_at=opened_at,
        )
        self.rows.add(response)
        if number % 9 != 7:
            kind = self.kinds[LIKE[number % len(LIKE)]]
            sent_at = opened_at + timedelta(minutes=TOOK[number % len(TOOK)])
            self.send(response, kind, sent_at)
            self.review(response, kind, number, sent_at, starts_at + timedelta(hours=2))

    def send(self, response: QuestionnaireResponse, kind: Kind, sent_at: datetime) -> None:
        response.status = QuestionnaireResponse.Status.COMPLETED
        response.answers = {link_id: list(values) for link_id, values in kind.answers.items()}
        response.authored = response.updated_at = sent_at
        response.submit_key = uuid.uuid4()
        response.document = journey.fhir_document(response)

    def review(
        self,
        response: QuestionnaireResponse,
        kind: Kind,
        number: int,
        sent_at: datetime,
        seen_at: datetime,
    ) -> None:
        """What it raised, what the physio decided before and after the visit, and whom she called."""
        physio = self.physio
        read_at = sent_at + timedelta(hours=20)
        run = self.rows.add(
            ScreeningRun(
                response=response,
                at=sent_at,
                rule_versions={rule.id: rule.version for rule in self.active.rules},
                precautions=[raised.rule.id for raised in kind.screening.precautions],
            )
        )
        for place, raised in enumerate(kind.screening.rules):
            finding = self.rows.add(
                Finding(
                    response=response,
                    run=run,
                    rule_id=self.active.keys[raised.rule.id],
                    side=raised.side,
                    source_side=raised.source_side,
                    target_side=raised.target_side,
                    direction=raised.rule.direction,
                    score=raised.score,
                    evidence=evidence_json(self.definition, raised),
                )
            )
            if raised.rule.kind == "chain":
                refuted = (number + place) % DISMISSED_EACH == 0
                to_assess = (number + place) % 7 == 3
                self.rows.add(
                    Verdict(
                        finding=finding,
                        decision="refuted" if refuted else "provisional" if to_assess else "confirmed",
                        reason="explained" if refuted else "",
                        at=read_at,
                        by=physio,
                    )
                )
                # What was seen of each is left to the visits of `demo.BEFORE`, whose counts tell a story.
                self.rows.add(
                    Outcome(
                        finding=finding,
                        result=Result.NOT_TESTED,
                        reason=NotTestedReason.TIME,
                        at=seen_at,
                        by=physio,
                    )
                )
        self.rows.add(Closing(response=response, number=1, act=Closing.Act.CLOSED, at=seen_at, by=physio))
        self.rows.add(
            Review(
                response=response,
                started_at=read_at,
                started_by=physio,
                finished_at=read_at,
                finished_by=physio,
            )
        )
        if kind.screening.red_flags:
            wait = timedelta(minutes=CALLED_AFTER[number // 3 % len(CALLED_AFTER)])
            self.call(response, kind, physio, sent_at, sent_at + wait)

    def call(
        self,
        response: QuestionnaireResponse,
        kind: Kind,
        physio: User,
        sent_at: datetime,
        called_at: datetime,
    ) -> None:
        """The red flags, and the call that settled them."""
        flags = [
            self.rows.add(
                RedFlag(
                    response=response,
                    rule_id=self.active.keys[raised.rule.id],
                    side=raised.side,
                    tier=raised.rule.tier or Tier.TELL_PHYSIO,
                    state=RedFlag.State.ACKNOWLEDGED,
                    evidence=evidence_json(self.definition, raised),
                    raised_at=sent_at,
                    patient_saw_at=sent_at,
                )
            )
            for raised in kind.screening.red_flags
        ]
        for flag in flags:
            for what, at in (("raised", sent_at), ("seen", sent_at), ("acknowledged", called_at)):
                self.rows.add(RedFlagEvent(flag=flag, kind=what, at=at))
        contact = RedFlagContact(
            response=response,
            called="The patient",
            called_at=called_at,
            at=called_at,
            outcome=RedFlagContact.Outcome.REACHED,
            next_step="Goes to urgent care today, calls us after",
            by=physio,
        )
        self.rows.settled.append((contact, flags))


def moment(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


def former_physio() -> User:
    """Who saw the people of the weeks before, and has left since: nobody signs in as her."""
    names = {"first_name": "Karin", "last_name": "Lind", "title": "Dr."}
    user, _made = User.objects.get_or_create(
        username="lind", defaults={**names, "is_active": False, "password": make_password(None)}
    )
    return user


def is_there(by: audit.Actor) -> bool:
    """Whether the weeks before were made."""
    with audit.audited("demo.look", by=by):
        return Evaluation.objects.filter(physio=former_physio()).exists()


def make(people: Iterable[Answers], by: audit.Actor) -> None:
    """The weeks before this one."""
    today = timezone.localdate()
    with audit.audited("demo.history", by=by, weeks=len(INVITED)):
        History(former_physio(), people).make(today)
    LessonOpening.objects.bulk_create(
        [
            LessonOpening(week=monday(today) - timedelta(weeks=week), lesson=lesson, number=number)
            for week in range(len(INVITED))
            for lesson, most in LESSONS.items()
            if (number := (most + week * 2) % (most + 2))
        ],
        ignore_conflicts=True,
    )
