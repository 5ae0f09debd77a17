"""A kept queryset brings what the plain one brings, with other values, scopes and threads."""

from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F, TextField, UUIDField, Value
from django.test.utils import CaptureQueriesContext

from intake import audit
from intake.audit import UnauditedAccess
from intake.kept import Given, Kept, among
from intake.patients.models import Patient
from intake.screening.models import Rule
from tests import factories

pytestmark = pytest.mark.django_db


def test_rows_and_what_stands_beside_them():
    kept = Kept(
        lambda patients: patients.filter(pk=Given("key", UUIDField())).annotate(
            percent=Value("100 % of %s"), name=F("given_name")
        )
    )
    first, second = factories.make_patient(given_name="Ana"), factories.make_patient(given_name="Bo")
    with audit.audited("tests.read", by=factories.SETUP):
        for patient in (first, second, first):
            (found,) = kept.rows([Patient.objects.all()], key=patient.pk)
            assert found == patient
            assert (found.name, found.percent) == (patient.given_name, "100 % of %s")
            assert found.birth_date == patient.birth_date
        assert kept.rows([Patient.objects.all()], key=uuid4()) == []


def test_values_lists_and_json_are_read_as_the_queryset_reads_them():
    kept = Kept(
        lambda: Rule.objects.filter(among("rule_id", Given("ids", TextField(), many=True))).order_by("pk")
    )
    named = Kept(lambda: Rule.objects.order_by("pk").values_list("rule_id", "definition", named=True))
    rules = list(Rule.objects.order_by("pk"))
    ids = [rule.rule_id for rule in rules[:3]]
    assert kept.rows((), ids=ids) == list(Rule.objects.filter(rule_id__in=ids).order_by("pk"))
    assert kept.rows((), ids=[]) == []
    assert [(one.rule_id, one.definition) for one in named.rows(())] == [
        (rule.rule_id, rule.definition) for rule in rules
    ]


def test_the_sql_is_written_once_for_a_scope():
    written = []

    def build(patients):
        written.append(patients)
        return patients.filter(pk=Given("key", UUIDField()))

    kept, patient = Kept(build), factories.make_patient(given_name="Ana")
    everybody, nobody, some = (
        Patient.objects.all(),
        Patient.objects.none(),
        Patient.objects.exclude(pk=patient.pk),
    )
    with audit.audited("tests.read", by=factories.SETUP):
        for _ in range(3):
            assert kept.rows([everybody], key=patient.pk) == [patient]
            assert kept.rows([some], key=patient.pk) == []
            with CaptureQueriesContext(connection) as queries:
                assert kept.rows([nobody], key=patient.pk) == []
            assert not len(queries)
    assert len(written) == 2


def test_the_guard_refuses_it_outside_the_trail():
    kept = Kept(lambda patients: patients.filter(pk=Given("key", UUIDField())))
    with pytest.raises(UnauditedAccess):
        kept.rows([Patient.objects.all()], key=uuid4())


def test_every_thread_asks_on_its_own_connection():
    kept = Kept(lambda: Rule.objects.filter(among("rule_id", Given("ids", TextField(), many=True))))
    ids = list(Rule.objects.values_list("rule_id", flat=True)[:1])
    found = [len(kept.rows((), ids=ids))]

    def ask() -> None:
        found.append(len(kept.rows((), ids=ids)))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [1, 1]
