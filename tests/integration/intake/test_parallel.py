"""What several connections do at once, each in a transaction of its own, against a database made for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from django.db import connections

from intake import audit
from intake.patients.models import AccessEvent, PatientSession
from tests.factories import SETUP
from tests.integration.intake.visitor import Visitor, invited

RIGHT = date(1986, 4, 12)
WRONG = date(1986, 4, 13)


def test_fifty_guesses_at_once_are_judged_one_by_one(committed_db: None):
    """At most five are judged; whatever the other connections do meanwhile."""
    invitation, token = invited()
    start = Barrier(10)

    def guess(number: int) -> int:
        if number < 10:
            start.wait(timeout=30)
        try:
            born = RIGHT if number == 49 else WRONG
            return Visitor(token, raise_request_exception=False).type_date(born).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=10) as pool:
        statuses = list(pool.map(guess, range(50)))
    with audit.audited("tests.read", by=SETUP):
        kinds = list(AccessEvent.objects.filter(invitation=invitation).values_list("kind", flat=True))
        sessions = PatientSession.objects.count()
    assert statuses == [200] * 50
    assert kinds.count(AccessEvent.Kind.WRONG_DATE) == 5
    assert kinds.count(AccessEvent.Kind.REFUSED_AT_REST) == 45
    assert sessions == 0
