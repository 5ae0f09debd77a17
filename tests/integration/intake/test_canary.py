"""A patient whose words stand nowhere else walks the form, with trouble on the way; all else is searched.

Requirement R26: no log, job, mail, cookie, address or other table holds a word of hers.
"""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DataError, OperationalError, connection, transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from intake import audit, journey, tasks
from intake.audit import PatientData
from intake.patients.models import Invitation, Patient
from intake.screening.models import Finding
from tests.factories import SETUP, make_user
from tests.integration.intake.visitor import Visitor, filled_in, stored
from tests.log_lines import log_lines

BORN = date(1979, 1, 5)
GIVEN, FAMILY = "Zyxcanarygiven", "Zyxcanaryfamily"
MAIL, PHONE = "zyxcanary@example.org", "(310) 555-0163"
STORY = "Zyxcanarystory, sore on the stairs"
GOAL, NOTE = "Zyxcanarygoal", "Zyxcanarynote"
WORDS = (GIVEN, FAMILY, STORY, GOAL, NOTE, "Zyxcanary", PHONE)
ANSWERS = {
    "why.story": [STORY],
    "pain.regions.left": ["none"],
    "pain.regions.right": ["knee-front"],
    "gait.foot-roll.right": ["inward"],
    "foot.ankle-lean.right": ["in"],
    "goal.one.activity": [GOAL],
    "goal.one.score": [4],
    "safety.leg-signs.left": ["calf-swollen"],
    "safety.clot-risks": ["long-trip"],
}


class Fails:
    """Every statement on one table fails the way Postgres does: with the row in the message."""

    def __init__(self, error: type[Exception], table: str, verb: str = "UPDATE") -> None:
        self.error, self.start, self.table = error, verb, table

    def __call__(self, execute, sql, params, many, context):
        if isinstance(sql, str) and self.start in sql and self.table in sql:
            raise self.error(f"Failing row contains ({params})")
        return execute(sql, params, many, context)


@dataclass(frozen=True)
class Walked:
    """What is left once she has been through: her browser, what was logged, the mails that went out."""

    visitor: Visitor
    printed: str
    mails: list[str]


@pytest.fixture(scope="module")
def walked(django_db_setup: None, django_db_blocker, tmp_path_factory) -> Iterator[Walked]:
    """The whole way, with each kind of trouble once; taken back after the tests of this file."""
    folder = tmp_path_factory.mktemp("mail")
    backend = "django.core.mail.backends.filebased.EmailBackend"
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(EMAIL_BACKEND=backend, EMAIL_FILE_PATH=folder), log_lines() as written:
            visitor = walk()
            logging.getLogger("django.request").error("A line that shows that logs are looked at here")
        yield Walked(visitor, written.getvalue(), [path.read_text() for path in folder.glob("*")])
        transaction.set_rollback(True)


def walk() -> Visitor:
    desk, physio = Client(), Client(raise_request_exception=False)
    desk.force_login(make_user("front desk"))
    doctor = make_user("physio")
    physio.force_login(doctor)
    invitation = add_and_invite(desk, doctor.pk)
    look_around(desk)
    look_around(physio)
    journey.deliver_invitation(invitation_id=invitation.pk)
    token = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    visitor = Visitor(token, BORN, raise_request_exception=False)
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.post(visitor.link, {"month": "1"})
    strict.post(visitor.link, {"month": "1"}, headers={"Host": "evil.example"})
    visitor.client.get(visitor.link + "more/")
    visitor.type_date(date(1980, 2, 6))
    visitor.open()
    definition = invitation.questionnaire.tree()
    everything = filled_in(definition, ANSWERS)
    visitor.save("about", {**everything, "why.story": [STORY * 60]})
    visitor.save("about", {"why.story": [STORY + "\x00"]})
    visitor.client.generic("POST", "/intake/about/", STORY, content_type="multipart/form-data; boundary=")
    for error in (OperationalError, DataError, RuntimeError):
        with connection.execute_wrapper(Fails(error, "intake_questionnaireresponse")):
            assert visitor.save("about", {"why.story": [STORY]}).status_code >= 500
            assert visitor.autosave("about", {"why.story": [STORY]}).status_code >= 500
    visitor.fill(definition, ANSWERS)
    with connection.execute_wrapper(Fails(DataError, "intake_finding", "INSERT")):
        assert visitor.send().status_code >= 500
    visitor.send()
    visitor.look(reverse("intake:sent"))
    for job in ProcrastinateJob.objects.filter(task_name="mail_on_call"):
        tasks.mail_on_call(**job.args)
    review(physio, stored(invitation).pk)
    look_around(desk)
    look_around(physio)
    visitor.staff_cookies = {
        name: one.value for client in (desk, physio) for name, one in client.cookies.items()
    }
    return visitor


def add_and_invite(desk: Client, physio: int) -> Invitation:
    """As the front desk does it, mistyped at first."""
    person = {"given_name": GIVEN, "family_name": FAMILY, "email": MAIL, "phone": PHONE}
    assert (
        desk.post(reverse("admin:intake_patient_add"), {**person, "birth_date": "13/45/1979"}).status_code
        == 200
    )
    assert (
        desk.post(reverse("admin:intake_patient_add"), {**person, "birth_date": "01/05/1979"}).status_code
        == 303
    )
    with audit.audited("tests.read", by=SETUP):
        patient = Patient.objects.get(family_name=FAMILY)
    assert (
        desk.post(
            f"{reverse('admin:intake_evaluation_add')}?patient={patient.pk}",
            {
                "physio": physio,
                "starts_at": timezone.localtime().strftime("%Y-%m-%dT23:59"),
                "minutes": "60",
                "send": "on",
            },
        ).status_code
        == 303
    )
    with audit.audited("tests.read", by=SETUP):
        evaluation = patient.evaluations.get()
    with audit.audited("tests.read", by=SETUP):
        return evaluation.invitations.get()


def look_around(client: Client) -> None:
    for path in (
        reverse("admin:intake_evaluation_changelist"),
        reverse("admin:intake_evaluation_changelist") + f"?q={FAMILY}",
        reverse("admin:intake_patient_changelist") + f"?q={FAMILY}",
    ):
        page = client.get(path)
        assert page.status_code == 200
        assert FAMILY in page.text


def review(physio: Client, key: object) -> None:
    """Read, call, decide, with notes in words of hers, and with trouble once."""
    page = reverse("admin:intake_questionnaireresponse_review", args=[key])
    shown = physio.get(page)
    assert STORY in shown.text
    flags = re.search(r'name="flags"[^>]*value="([^"]*)"', shown.text)
    call = {
        "do": "contact",
        "called": f"{GIVEN} {FAMILY}",
        "called_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
        "outcome": "reached",
        "next_step": NOTE,
        "flags": flags[1] if flags else "",
    }
    with connection.execute_wrapper(Fails(DataError, "intake_redflagcontact", "INSERT")):
        assert physio.post(page, call).status_code >= 500
    assert physio.post(page, call).status_code == 303
    with audit.audited("tests.read", by=SETUP):
        findings = list(Finding.objects.filter(response=key, rule__kind="chain").values_list("pk", flat=True))
    assert findings
    for finding in findings:
        data = {"do": "dismiss", "finding": str(finding), "reason": "old-injury", "note": NOTE}
        assert physio.post(page, {**data, "reason": ""}).status_code == 200
        assert physio.post(page, data).status_code == 303
    assert physio.post(page, {"do": "finish"}).status_code == 303


def hits(text: str, *more: str) -> list[str]:
    return [word for word in (*WORDS, *more) if word.lower() in text.lower()]


def test_no_log_line_holds_a_word_of_hers_nor_the_token_of_her_link(walked: Walked):
    visitor, printed = walked.visitor, walked.printed
    assert "A line that shows that logs are looked at here" in printed
    assert "DataError" in printed
    assert "Forbidden (CSRF" in printed
    assert "/intake/open/.../" in printed
    assert hits(printed, visitor.token, MAIL, "1979-01-05", "calf", "knee-front") == []


def test_mails_hold_nothing_but_the_visit_and_the_link(walked: Walked):
    assert len(walked.mails) == 2
    for text in walked.mails:
        # The long random number in a Message-ID can hold any four digits.
        written = re.sub(r"(?m)^Message-ID: .*$", "", text).replace(f"To: {MAIL}", "")
        assert hits(written, "calf", "knee", "1979") == []


def test_jobs_hold_keys_only(walked: Walked):
    jobs = list(ProcrastinateJob.objects.values())
    assert {job["task_name"] for job in jobs} == {"send_invitation", "mail_on_call"}
    assert (
        hits(json.dumps([jobs, list(ProcrastinateEvent.objects.values())], default=str), "calf", MAIL) == []
    )
    for job in jobs:
        assert set(job["args"]) <= {"invitation_id", "flag_ids"}


def test_only_tables_behind_the_guard_hold_her_words(walked: Walked):
    guarded = {model._meta.db_table for model in apps.get_models() if issubclass(model, PatientData)}
    found = {}
    with audit.audited("tests.read", by=SETUP), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            if what := hits("\n".join(text for (text,) in cursor.fetchall()), MAIL):
                found[table] = what
    assert found.keys() <= guarded
    # The search finds what is there: her name and her answers, each in its own place.
    assert {"intake_patient", "intake_questionnaireresponse"} <= found.keys()
    assert GIVEN not in found["intake_questionnaireresponse"]
    assert STORY not in found["intake_patient"]


def test_cookies_and_addresses_hold_random_text_only(walked: Walked):
    visitor = walked.visitor
    cookies = {name: morsel.value for name, morsel in visitor.client.cookies.items()}
    assert cookies.keys() == {
        settings.PATIENT_COOKIE_NAME,
        settings.DEVICE_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
    }
    assert hits(json.dumps([cookies, visitor.staff_cookies]), "1979", MAIL) == []
    with audit.audited("tests.read", by=SETUP):
        keys = [str(Patient.objects.get(family_name=FAMILY).pk)]
    assert [key for key in keys if key in json.dumps(cookies)] == []


def test_the_trail_says_who_and_which_but_never_what(walked: Walked):
    lines = list(audit.AuditEvent.objects.values())
    text = json.dumps(lines, default=str)
    assert {
        "patient.added",
        "worklist.read",
        "session.opened",
        "page.saved",
        "intake.sent",
        "review.read",
        "red-flag.contact",
        "finding.decided",
        "review.finished",
    } <= {line["action"] for line in lines}
    assert hits(text, MAIL, "1979-01-05", "calf-swollen", "knee-front", "inward", "dvt") == []
