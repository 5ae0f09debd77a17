"""A patient whose words stand nowhere else walks the form, with trouble on the way; all else is searched.

Requirement R26: no log, job, mail, cookie, address or other table holds a word of hers.
"""

import json
import logging
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DataError, OperationalError, connection
from django.test import Client
from django.urls import reverse

from intake import audit, journey, tasks
from intake.audit import PatientData
from tests.factories import SETUP, make_evaluation, make_patient
from tests.integration.intake.visitor import Visitor, filled_in
from tests.log_lines import log_lines

pytestmark = pytest.mark.django_db

BORN = date(1979, 1, 5)
GIVEN, FAMILY = "Zyxcanarygiven", "Zyxcanaryfamily"
MAIL, PHONE = "zyxcanary@example.org", "(310) 555-0163"
STORY = "Zyxcanarystory, sore on the stairs"
GOAL = "Zyxcanarygoal"
WORDS = (GIVEN, FAMILY, STORY, GOAL, "Zyxcanary", PHONE)
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
        if isinstance(sql, str) and sql.startswith(self.start) and self.table in sql:
            raise self.error(f"Failing row contains ({params})")
        return execute(sql, params, many, context)


@pytest.fixture
def walked(mail_dir: Path) -> tuple[Visitor, str]:
    """The whole way, and each kind of trouble once. Returns the browser and all that was logged."""
    with log_lines() as written:
        visitor = walk()
        logging.getLogger("django.request").error("A line that shows that logs are looked at here")
    return visitor, written.getvalue()


def walk() -> Visitor:
    person = make_patient(given_name=GIVEN, family_name=FAMILY, email=MAIL, phone=PHONE, birth_date=BORN)
    invitation = journey.invite(evaluation=make_evaluation(patient=person), by=SETUP)
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
    from procrastinate.contrib.django.models import ProcrastinateJob

    for job in ProcrastinateJob.objects.filter(task_name="mail_on_call"):
        tasks.mail_on_call(**job.args)
    return visitor


def hits(text: str, *more: str) -> list[str]:
    return [word for word in (*WORDS, *more) if word.lower() in text.lower()]


def test_no_log_line_holds_a_word_of_hers_nor_the_token_of_her_link(walked):
    visitor, printed = walked
    assert "A line that shows that logs are looked at here" in printed
    assert "DataError" in printed
    assert "Forbidden (CSRF" in printed
    assert "/intake/open/.../" in printed
    assert hits(printed, visitor.token, MAIL, "1979-01-05", "calf", "knee-front") == []


def test_mails_hold_nothing_but_the_visit_and_the_link(walked, mail_dir: Path):
    texts = [path.read_text() for path in mail_dir.glob("*")]
    assert len(texts) == 2
    for text in texts:
        assert hits(text.replace(f"To: {MAIL}", ""), "calf", "knee", "1979") == []


def test_jobs_hold_keys_only(walked):
    from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

    jobs = list(ProcrastinateJob.objects.values())
    assert {job["task_name"] for job in jobs} == {"send_invitation", "mail_on_call"}
    assert (
        hits(json.dumps([jobs, list(ProcrastinateEvent.objects.values())], default=str), "calf", MAIL) == []
    )
    for job in jobs:
        assert set(job["args"]) <= {"invitation_id", "flag_ids"}


def test_only_tables_behind_the_guard_hold_her_words(walked):
    from django.apps import apps

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


def test_cookies_and_addresses_hold_random_text_only(walked):
    visitor, _ = walked
    cookies = {name: morsel.value for name, morsel in visitor.client.cookies.items()}
    assert cookies.keys() == {
        settings.PATIENT_COOKIE_NAME,
        settings.DEVICE_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
    }
    assert hits(json.dumps(cookies), "1979", MAIL) == []
    with audit.audited("tests.read", by=SETUP):
        from intake.patients.models import Patient

        keys = [str(Patient.objects.get(family_name=FAMILY).pk)]
    assert [key for key in keys if key in json.dumps(cookies)] == []


def test_the_trail_says_who_and_which_but_never_what(walked):
    lines = list(audit.AuditEvent.objects.values())
    text = json.dumps(lines, default=str)
    assert {"session.opened", "page.saved", "intake.sent"} <= {line["action"] for line in lines}
    assert hits(text, MAIL, "1979-01-05", "calf-swollen", "knee-front", "inward", "dvt") == []
