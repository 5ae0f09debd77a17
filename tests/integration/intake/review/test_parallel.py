"""Two physios at one intake at the same moment: nothing is lost."""

import threading

from django.db import connections

from intake import audit, journey
from intake.review.models import Review, Verdict
from intake.screening.models import Finding
from tests import factories

AT_ONCE = 8
EACH = 5


def test_parallel_decisions_all_stay_and_each_is_in_the_trail(committed_db):
    response = factories.make_response(factories.ROLLING_IN)
    physios = [factories.make_user("physio") for _ in range(AT_ONCE)]
    with audit.audited("tests.read", by=factories.SETUP):
        finding = Finding.objects.get(response=response, rule__rule_id="overpronation-kneecap")
    start = threading.Barrier(AT_ONCE)
    problems: list[BaseException] = []

    def decide(user) -> None:
        try:
            start.wait(20)
            for number in range(EACH):
                with audit.audited("tests.read", by=audit.staff(user)):
                    mine = Finding.objects.select_related("response", "rule").get(pk=finding.pk)
                    decision = "confirmed" if number % 2 else "provisional"
                    journey.decide_finding(
                        response=mine.response_id,
                        finding=mine.pk,
                        decision=decision,
                        note=str(number),
                        by=audit.staff(user),
                    )
        except BaseException as problem:  # a thread's failure has to reach the test
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=decide, args=(user,)) for user in physios]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    with audit.audited("tests.read", by=factories.SETUP):
        verdicts = list(Verdict.objects.filter(finding=finding).values_list("by_id", "note"))
        assert Review.objects.filter(response=response).count() == 1
    assert sorted(verdicts) == sorted((user.pk, str(number)) for user in physios for number in range(EACH))
    assert audit.AuditEvent.objects.filter(action="finding.decided").count() == AT_ONCE * EACH
