"""What several connections do at once, each in a transaction of its own, against a database made for it."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients import codes
from intake.patients.models import AccessEvent, PatientSession, TabletTry
from intake.responses.models import QuestionnaireResponse
from intake.review import versions
from intake.review.models import Verdict
from intake.screening.models import Finding, RedFlag, ScreeningRun
from tests.conftest import ROOT, address
from tests.factories import ROLLING_IN, SETUP, SWOLLEN_CALF, make_evaluation, make_user
from tests.integration.intake.visitor import Visitor, filled_in, invited, sent_form, stored
from tests.patience import PATIENCE_SECONDS

RIGHT = date(1986, 4, 12)
WRONG = date(1986, 4, 13)


def at_once(count: int, work: Callable[[int], object], threads: int = 8) -> list[object]:
    """The results of work(0), work(1) ... begun together, each with its own connection to the database."""
    start = Barrier(min(count, threads))

    def run(number: int) -> object:
        if number < start.parties:
            start.wait(timeout=PATIENCE_SECONDS)
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(run, range(count)))


def same_browser(visitor: Visitor) -> Visitor:
    """Another tab: the same cookies, a client of its own."""
    tab = Visitor(visitor.token, raise_request_exception=False)
    for name in (settings.PATIENT_COOKIE_NAME, settings.DEVICE_COOKIE_NAME):
        tab.client.cookies[name] = visitor.client.cookies[name].value
    return tab


@pytest.mark.parametrize("guesses", [40, pytest.param(200, marks=pytest.mark.deep)])
def test_guesses_at_once_are_judged_one_by_one(guesses: int, committed_db: None):
    """At most five are judged, whatever other connections do meanwhile, and whatever starts after them."""
    invitation, token = invited()

    def guess(number: int) -> int:
        born = RIGHT if number == guesses - 1 else WRONG
        return Visitor(token, raise_request_exception=False).type_date(born).status_code

    statuses = at_once(guesses, guess, threads=10)
    with audit.audited("tests.read", by=SETUP):
        kinds = list(AccessEvent.objects.filter(invitation=invitation).values_list("kind", flat=True))
        sessions = PatientSession.objects.count()
    assert statuses == [200] * guesses
    assert kinds.count(AccessEvent.Kind.WRONG_DATE) == 5
    assert kinds.count(AccessEvent.Kind.REFUSED_AT_REST) == guesses - 5
    assert sessions == 0
    # Another process, which has never seen this link, refuses the right date too.
    assert in_another_process(token) == "200"


GUESS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "clinic.settings"
import django
django.setup()
from django.conf import settings
from tests.integration.intake.visitor import Visitor
settings.ALLOWED_HOSTS = ["testserver"]
print(Visitor(sys.argv[1]).type_date().status_code)
"""


def in_another_process(token: str) -> str:
    """What a process that was just started answers to the right date."""
    where = connections["default"].settings_dict["NAME"]
    urls = {
        "DATABASE_URL": address(settings.DATABASE_URLS.app, where),
        "DATABASE_OWNER_URL": address(settings.DATABASE_URLS.owner, where),
    }
    done = subprocess.run(
        [sys.executable, "-c", GUESS, token],
        cwd=ROOT,
        env={**os.environ, **urls},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_wrong_codes_at_once_are_judged_one_by_one_and_the_right_one_opens_once(committed_db: None):
    invitation, token = invited()
    Visitor(token).open().save("about", {"why.main-problem": ["knee"]})
    asker = Visitor(token)
    asker.type_date()
    with audit.audited("tests.made", by=SETUP):
        (code,) = invitation.codes.all()
        _, digits = codes.make_digits(code.pk) or (None, "")

    def type_digits(text: str) -> int:
        tab = Visitor(token, raise_request_exception=False)
        tab.client.cookies[settings.DEVICE_COOKIE_NAME] = asker.client.cookies[
            settings.DEVICE_COOKIE_NAME
        ].value
        return tab.client.post(reverse("intake:code"), {"code": text}).status_code

    statuses = at_once(8, lambda _: type_digits(digits))
    assert statuses.count(303) == 1

    asker = Visitor(token)
    asker.type_date()
    with audit.audited("tests.made", by=SETUP):
        _, digits = codes.make_digits(invitation.codes.latest("pk").pk) or (None, "")
    wrong = f"{(int(digits) + 1) % 10**6:06}"
    assert at_once(30, lambda _: type_digits(wrong)) == [200] * 30
    with audit.audited("tests.read", by=SETUP):
        kinds = list(invitation.events.values_list("kind", flat=True))
        assert invitation.codes.latest("pk").tries == 5
    assert kinds.count(AccessEvent.Kind.WRONG_CODE) == 5


def test_what_several_tabs_send_at_once_is_one_intake(committed_db: None):
    """Eight taps on one button, then eight tabs with a key each, on forms with a finding and a red flag."""
    for keys in ([str(uuid.uuid4())] * 8, [str(uuid.uuid4()) for _ in range(8)]):
        invitation, token = invited()
        definition = invitation.questionnaire.tree()
        visitor = Visitor(token).open().fill(definition, ROLLING_IN)
        visitor.autosave("safety", filled_in(definition, SWOLLEN_CALF))
        jobs = ProcrastinateJob.objects.count()

        responses = at_once(8, lambda number, v=visitor, k=keys: same_browser(v).send(k[number]))

        intake = stored(invitation)
        statuses = sorted(response.status_code for response in responses)
        # A tap that comes while the first is being stored may meet the advice of its red flag.
        places = {response.headers.get("Location") for response in responses if response.status_code != 409}
        assert set(statuses) <= ({302, 303} if len(set(keys)) == 1 else {302, 303, 409})
        assert places <= {reverse("intake:sent"), reverse("intake:advice")}
        assert str(intake.submit_key) in keys
        with audit.audited("tests.read", by=SETUP):
            evaluation = invitation.evaluation_id
            assert QuestionnaireResponse.objects.filter(evaluation=evaluation).count() == 1
            assert ScreeningRun.objects.filter(response=intake).count() == 1
            found = list(Finding.objects.filter(response=intake).values_list("rule", "side"))
            assert found
            assert len(found) == len(set(found))
            assert RedFlag.objects.filter(response=intake).count() == 1
        lines = AuditEvent.objects.filter(objects_seen__response__contains=str(intake.pk))
        assert lines.filter(action="intake.sent").count() == 1
        assert ProcrastinateJob.objects.count() == jobs + 1


def test_first_pages_saved_at_once_make_one_draft_with_all_of_them(committed_db: None):
    invitation, token = invited()
    visitor = Visitor(token).open()
    saves = [
        ("pain", {"pain.now": [3]}),
        ("about", {"why.story": ["both"]}),
        ("where", {"pain.regions.left": ["none"]}),
        ("life", {"goal.aim": ["less-pain"]}),
    ]
    at_once(4, lambda number: same_browser(visitor).autosave(*saves[number]), threads=4)
    with audit.audited("tests.read", by=SETUP):
        (draft,) = QuestionnaireResponse.objects.filter(evaluation=invitation.evaluation_id)
    together = {}
    for _, answers in saves:
        together |= answers
    assert draft.answers == together
    assert draft.revision == 4


def test_pages_saved_at_once_into_a_draft_are_all_kept(committed_db: None):
    """Each was read before the other was stored: the later ones go on from what the earlier ones wrote."""
    invitation, token = invited()
    visitor = Visitor(token).open()
    visitor.save("about", {"why.story": ["first"]})
    saves = [("pain", {"pain.now": [3]}), ("where", {"pain.regions.left": ["none"]})] * 10
    at_once(20, lambda number: same_browser(visitor).autosave(*saves[number]), threads=6)
    draft = stored(invitation)
    assert draft.answers == {"why.story": ["first"], "pain.now": [3], "pain.regions.left": ["none"]}
    assert draft.revision == 21


def test_a_change_that_several_tabs_begin_and_send_at_once_is_one(committed_db: None):
    visitor, invitation = sent_form(ROLLING_IN)
    begun = at_once(8, lambda number: same_browser(visitor).client.post(reverse("intake:change")))
    assert {answer.status_code for answer in begun} == {303}
    visitor.save("pain", {"pain.now": [7], "pain.worst": [8], "pain.average": [4]})
    keys = [str(uuid.uuid4()) for _ in range(4)] * 2
    answers = at_once(8, lambda number: same_browser(visitor).send(keys[number]))
    assert {answer.status_code for answer in answers} <= {303, 409}
    with audit.audited("tests.read", by=SETUP):
        of_visit = QuestionnaireResponse.objects.filter(evaluation=invitation.evaluation_id)
        assert sorted(of_visit.values_list("status", flat=True)) == ["amended", "completed"]
        amended = of_visit.get(status="amended")
        found = list(Finding.objects.filter(response=amended).values_list("rule", "side"))
        assert ScreeningRun.objects.filter(response=amended).count() == 1
    assert found
    assert len(found) == len(set(found))
    assert AuditEvent.objects.filter(action="intake.changed").count() == 1


def test_of_decisions_beside_a_change_none_is_lost(committed_db: None):
    """Seven physios decide while the patient sends: each decision is kept, or refused with the newest."""
    visitor, invitation = sent_form(ROLLING_IN)
    physios = [make_user("physio") for _ in range(7)]
    with audit.audited("tests.read", by=SETUP):
        sent = QuestionnaireResponse.objects.get(evaluation=invitation.evaluation_id)
        finding = Finding.objects.get(response=sent, rule__rule_id="overpronation-kneecap")
    visitor.client.post(reverse("intake:change"))
    visitor.save("life", {"goal.one.activity": ["Run 10 km"], "goal.one.score": [4]})

    def work(number: int) -> str:
        if number == 3:
            return str(same_browser(visitor).send().status_code)
        by = audit.staff(physios[number - (number > 3)])
        outcomes = []
        for turn in range(5):
            try:
                with audit.audited("tests.read", by=by):
                    mine = Finding.objects.select_related("response", "rule").get(pk=finding.pk)
                    journey.decide_finding(
                        response=mine.response_id,
                        finding=mine.pk,
                        decision="confirmed",
                        note=f"{number}.{turn}",
                        by=by,
                    )
                outcomes.append("kept")
            except versions.Replaced:
                outcomes.append("replaced")
        return ",".join(outcomes)

    outcomes = at_once(8, work)
    assert outcomes.pop(3) == "303"
    kept = sum(outcome.split(",").count("kept") for outcome in outcomes)
    with audit.audited("tests.read", by=SETUP):
        amended = QuestionnaireResponse.objects.standing().get(evaluation=invitation.evaluation_id)
        on_sent = list(Verdict.objects.filter(finding=finding).order_by("pk"))
        on_amended = list(Verdict.objects.filter(finding__response=amended))
    assert len(on_sent) == kept
    # Whatever was decided before the change is what stands after it.
    assert [one.carried_from_id for one in on_amended] == ([on_sent[-1].pk] if on_sent else [])


def test_guesses_at_the_tablets_code_at_once_are_judged_one_by_one(committed_db: None):
    """Three are judged and no more, whatever the other connections do meanwhile."""
    evaluation = make_evaluation()
    started = journey.start_tablet(evaluation=evaluation, by=audit.staff(make_user("front desk")))

    def guess(number: int) -> int:
        digits = started.digits if number == 39 else f"{(int(started.digits) + number + 1) % 10**6:06}"
        answer = Client().post("/intake/tablet/", {"code": digits, "month": "4", "day": "12", "year": "1986"})
        return answer.status_code

    statuses = at_once(40, guess, threads=10)
    with audit.audited("tests.read", by=SETUP):
        tries, sessions = TabletTry.objects.count(), PatientSession.objects.count()
    assert statuses == [200] * 40
    assert (tries, sessions) == (3, 0)


def test_one_code_of_the_tablet_opens_one_session(committed_db: None):
    evaluation = make_evaluation()
    started = journey.start_tablet(evaluation=evaluation, by=audit.staff(make_user("front desk")))
    statuses = at_once(
        8,
        lambda _number: (
            Client()
            .post("/intake/tablet/", {"code": started.digits, "month": "4", "day": "12", "year": "1986"})
            .status_code
        ),
    )
    assert sorted(map(int, map(str, statuses))) == [200] * 7 + [303]
