"""A clinic with two patients and one of each role, for tests that walk every URL as everybody."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone

from clinic.door.stepup import PROVED_AT
from clinic.models import EMERGENCY_HOUR, LINK_OF_STAFF, EmergencyAccess, StaffInvitation, User
from education.lessons.models import Lesson
from education.newsletter.models import Issue, Subscriber
from intake import audit
from intake.patients import asking, links
from intake.patients.models import Evaluation, EvaluationRequest, Invitation, Patient
from intake.responses.models import QuestionnaireResponse
from intake.review import sharing
from intake.screening.models import Finding, RedFlag
from tests.conftest import ROOT, address, copy_database, drop_database
from tests.factories import (
    ROLLING_IN,
    SETUP,
    SWOLLEN_CALF,
    make_evaluation,
    make_patient,
    make_response,
    make_user,
)
from tests.patience import PATIENCE_SECONDS

# Words that stand nowhere else: whoever may not see them must not find them in a page.
NAME = "Zyxgiven"
FAMILY = "Zyxfamily"
MAIL = "zyxmail@example.org"
PHONE = "(310) 555-0171"
STORY = "Zyxstory on the stairs"
CONTACT_MARKS = (NAME, FAMILY, MAIL, PHONE, "1979-01-05", "01/05/1979")
HEALTH_MARKS = (STORY, "calf-swollen", "calf-warm-sore")

ROLES = ("front desk", "physio", "editor", "owner")
# Who has the role of another actor, and so its rows: the visits of one physio are open to every other.
LIKE = {"second physio": "physio"}
STAFF = (*ROLES, *LIKE, "no role")
ACTORS = ("nobody", "patient", "other patient", *STAFF)
# An owner during an emergency access, for the matrix of URLs.
BREAK_GLASS = "break-glass"


@dataclass
class World:
    """patient: form begun, with an urgent answer. The same person's earlier visit was sent.

    `token` opens the link of the begun form. other patient: sent, calm. titles: what the rules that were
    raised are called. rule: the key of one of them. issue: a draft of the newsletter, with a subscriber who
    has not confirmed. request: the first patient asks for another evaluation. `shared` opens lessons
    shared with that patient. invited: somebody is asked to work here; `join` opens the link.
    """

    clients: dict[str, Client]
    token: str
    patient: Patient
    evaluation: Evaluation
    draft: QuestionnaireResponse
    sent: QuestionnaireResponse
    titles: list[str]
    rule: int
    issue: int
    subscriber: Subscriber
    request: EvaluationRequest
    stop: str
    shared: str
    invited: StaffInvitation
    join: str


def patient_client(invitation: Invitation) -> Client:
    """A browser in which the invitation was opened."""
    with audit.audited("tests.opened", by=SETUP):
        opened = links.open_session(invitation=invitation, address=None, device_token="")
    client = Client()
    client.cookies[settings.PATIENT_COOKIE_NAME] = opened.session_token
    client.cookies[settings.DEVICE_COOKIE_NAME] = opened.device_token
    return client


def prove(client: Client) -> None:
    """As if a second factor had just been given."""
    session = client.session
    session[PROVED_AT] = time.time()
    session.save()


def build_world() -> World:
    clients = {"nobody": Client()}
    for role in STAFF:
        clients[role] = Client()
        clients[role].force_login(make_user(None if role == "no role" else LIKE.get(role, role)))
    clients[BREAK_GLASS] = Client()
    clients[BREAK_GLASS].force_login(broke := make_user("owner"))
    EmergencyAccess.objects.create(
        by=broke, reason="No physio is here", opened_at=(now := timezone.now()), ends_at=now + EMERGENCY_HOUR
    )
    for role in ("owner", BREAK_GLASS):
        prove(clients[role])
    person = make_patient(
        given_name=NAME, family_name=FAMILY, email=MAIL, phone=PHONE, birth_date="1979-01-05"
    )
    # On today's worklist at any time of the day; each with another physio, who can be at one of them only.
    visit = {"patient": person}
    visit["starts_at"] = timezone.localtime().replace(hour=23, minute=59, second=59)
    sent = make_response({**ROLLING_IN, "why.story": [STORY]}, evaluation=make_evaluation(**visit))
    evaluation = make_evaluation(**visit)
    draft = make_response({**SWOLLEN_CALF, "why.story": [STORY]}, evaluation=evaluation, sent=False)
    calm = make_response(ROLLING_IN)
    token, stop, shared = links.new_token(), links.new_token(), links.new_token()
    with audit.audited("tests.made", by=SETUP):
        sent.evaluation.lesson_shares.create(
            lessons=["rolling-in"],
            by=sent.evaluation.physio,
            expires_at=timezone.now() + sharing.LINK_OF_LESSONS,
            token_hash=links.hash_token(shared),
        )
        evaluation.reminders.create(
            kind="day", starts_at=evaluation.starts_at, stop_hash=links.hash_token(stop)
        )
        draft.invitation.token_hash = links.hash_token(token)
        draft.invitation.save()
        # The advice was answered, so that the form goes on.
        draft.red_flags.update(patient_saw_at=draft.updated_at)
        calm.invitation.token_hash = links.hash_token(links.new_token())
        calm.invitation.save()
    clients["patient"] = patient_client(draft.invitation)
    clients["other patient"] = patient_client(calm.invitation)
    with audit.audited("tests.read", by=SETUP):
        raised = list(Finding.objects.filter(response=sent).values_list("rule__title", "rule"))
        raised += RedFlag.objects.filter(response=draft).values_list("rule__title", "rule")
    titles = [title for title, _ in raised]
    issue = Issue.objects.create(subject="Two lessons")
    issue.lessons.set(Lesson.objects.live()[:2])
    subscriber = Subscriber.objects.create(email="reader@example.org")
    with audit.audited("tests.made", by=SETUP):
        request = EvaluationRequest(
            given_name=NAME, family_name=FAMILY, email=MAIL, phone=PHONE, birth_date=date(1979, 1, 5)
        )
        asking.keep(request)
    join = links.new_token()
    invited = StaffInvitation.objects.create(
        email="asked@clinic.example",
        role="editor",
        token_hash=links.hash_token(join),
        created_by=User.objects.filter(groups__name="owner").first(),
        expires_at=timezone.now() + LINK_OF_STAFF,
    )
    return World(
        clients,
        token,
        person,
        evaluation,
        draft,
        sent,
        titles,
        raised[0][1],
        issue.pk,
        subscriber,
        request,
        stop,
        shared,
        invited,
        join,
    )


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker) -> Iterator[World]:
    """Made once a module and rolled back after it; a test that changes something rolls back itself."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_world()
        transaction.set_rollback(True)


Process = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def process(django_db_setup: None, database_urls: tuple[str, str], ready_database: str) -> Iterator[Process]:
    """Runs Python with these arguments as a process of its own, on a database of its own: it commits."""
    owner, app = database_urls
    name = f"footing_test_{os.getpid()}_processes"
    copy_database(owner, ready_database, name)
    own = {"DATABASE_OWNER_URL": address(owner, name), "DATABASE_URL": address(app, name)}

    def run(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    yield run
    drop_database(owner, name)
