"""The owner's pages: a copy of everything, and erasure, after a fresh factor and a second word (J9.10)."""

import json
import re
import time
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.door.stepup import PROVE, PROVED_AT
from intake import audit
from intake.audit import AuditEvent
from intake.patients.models import Erasure, Patient
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_patient, make_response, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(make_user("owner"))
    session = client.session
    session[PROVED_AT] = time.time()
    session.save()
    return client


@pytest.fixture
def patient() -> Patient:
    return make_patient(given_name="Zyxprivate", family_name="Person")


def page(patient: Patient) -> str:
    return reverse("admin:privacy_person", args=[patient.pk])


def exists(patient: Patient) -> bool:
    with audit.audited("tests.read", by=SETUP):
        return bool(Patient.objects.filter(pk=patient.pk).exists())


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("seconds", [None, 301])
def test_without_a_fresh_factor_nothing_is_shown_and_nothing_goes(
    owner: Client, patient: Patient, seconds: int | None
):
    session = owner.session
    session[PROVED_AT] = time.time() - seconds if seconds else None
    session.save()
    for path in (reverse("admin:privacy"), page(patient)):
        for answer in (owner.get(path), owner.post(path, {"do": "json", "q": "Zyx"})):
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith(PROVE)
            assert "Zyxprivate" not in answer.text
    assert exists(patient)


def test_the_patient_is_found_without_her_name_in_an_address(owner: Client, patient: Patient):
    answer = owner.post(reverse("admin:privacy"), {"q": "zyxpri"})
    assert patient.reference in answer.text
    assert page(patient) in answer.text
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.objects_seen["patient"]) == ("privacy.searched", [str(patient.pk)])
    assert "Nobody’s name begins like that" in owner.post(reverse("admin:privacy"), {"q": "nobody"}).text
    assert "Type a name" in owner.post(reverse("admin:privacy"), {"q": "\x00  "}).text
    assert "Zyxprivate" not in owner.get(reverse("admin:privacy") + "?q=zyxpri").text


@pytest.mark.parametrize(("form", "kind"), [("json", "application/fhir+json"), ("pdf", "application/pdf")])
def test_a_copy_is_a_file_named_by_the_reference(owner: Client, patient: Patient, form: str, kind: str):
    before = len(actions())
    answer = owner.post(page(patient), {"do": form})
    assert answer.headers["Content-Type"] == kind
    name = patient.reference.replace(" ", "-")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{form}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert actions()[before:] == ["patient.exported"]
    if form == "json":
        assert json.loads(answer.content)["entry"][0]["resource"]["name"][0]["family"] == "Person"
    else:
        assert answer.content.startswith(b"%PDF")


@pytest.mark.parametrize("typed", ["", "0000 0000", "\x00", "x" * 300])
def test_another_reference_erases_nobody_and_keeps_what_was_chosen(
    owner: Client, patient: Patient, typed: str
):
    answer = owner.post(page(patient), {"do": "erase", "reason": "asked", "reference": typed})
    assert answer.status_code == 400
    assert "Nothing was erased" in answer.text
    assert 'value="asked"' in answer.text
    assert "checked" in answer.text
    assert exists(patient)


def test_a_reason_has_to_be_chosen(owner: Client, patient: Patient):
    for reason in ("", "time", "because"):
        data = {"do": "erase", "reason": reason, "reference": patient.reference}
        assert owner.post(page(patient), data).status_code == 400
    assert exists(patient)


def test_the_typed_reference_erases_and_a_tombstone_stays(owner: Client, patient: Patient):
    shown = owner.get(page(patient))
    assert "No clinical record has to be kept" in shown.text
    typed = patient.reference.lower().replace(" ", "")
    answer = owner.post(page(patient), {"do": "erase", "reason": "asked", "reference": typed}, follow=True)
    assert f"Everything about the patient {patient.reference} was erased." in answer.text
    assert "Zyxprivate" not in answer.text
    assert f'<td class="t">{patient.reference}</td>' in answer.text
    assert not exists(patient)
    assert owner.get(page(patient)).status_code == 404
    with audit.audited("tests.read", by=SETUP):
        stone = Erasure.objects.get()
    assert (stone.patient_id, stone.actor_id) == (patient.pk, owner.session["_auth_user_id"])


def test_a_record_stays_and_the_page_says_until_when(owner: Client, patient: Patient):
    begun = timezone.now() - timedelta(days=30)
    make_response(ROLLING_IN, evaluation=make_evaluation(patient=patient, starts_at=begun), at=begun)
    data = {"reason": "asked", "reference": patient.reference}
    assert "has to be kept until" in owner.get(page(patient)).text
    refused = owner.post(page(patient), {**data, "do": "erase"})
    assert refused.status_code == 400
    assert "The clinical record has to be kept; nothing was erased." in refused.text
    assert "patient.erasure-refused" in actions()
    assert owner.post(page(patient), {**data, "do": "minimum"}).status_code == 303
    assert exists(patient)
    with audit.audited("tests.read", by=SETUP):
        assert Patient.objects.get(pk=patient.pk).email == ""
    assert "stays at least until" in owner.get(reverse("admin:privacy")).text


def kept_patient(patient: Patient) -> None:
    """Of whom a record has to stay, and some things can go."""
    begun = timezone.now() - timedelta(days=30)
    make_response(ROLLING_IN, evaluation=make_evaluation(patient=patient, starts_at=begun), at=begun)


def test_a_visit_to_come_is_told_with_what_becomes_of_it(owner: Client, patient: Patient):
    coming = make_evaluation(patient=patient, starts_at=timezone.now() + timedelta(days=3))
    nothing_kept = told(owner.get(page(patient)))
    assert "1 visit is still to come. It is erased too, and nobody tells the patient." in nothing_kept
    kept_patient(patient)
    kept = told(owner.get(page(patient)))
    assert "1 visit is still to come. It stays booked, but the link to its form ends" in kept
    assert "It goes by itself, but not before" in kept
    make_evaluation(patient=patient, starts_at=timezone.now() + timedelta(days=9))
    assert "2 visits are still to come. They stay booked" in told(owner.get(page(patient)))
    data = {"reason": "asked", "reference": patient.reference, "do": "minimum"}
    assert owner.post(page(patient), data).status_code == 303
    with audit.audited("tests.read", by=SETUP):
        coming.refresh_from_db()
        assert coming.status == "booked"
        assert not coming.invitations.filter(revoked_at=None).exists()


def test_without_a_visit_to_come_none_is_spoken_of(owner: Client, patient: Patient):
    kept_patient(patient)
    shown = told(owner.get(page(patient)))
    assert "still to come" not in shown
    assert "has to be kept until" in shown


def test_where_nothing_is_left_there_is_no_button(owner: Client, patient: Patient):
    kept_patient(patient)
    data = {"reason": "asked", "reference": patient.reference, "do": "minimum"}
    assert "Erase all but the record" in told(owner.get(page(patient)))
    assert owner.post(page(patient), data).status_code == 303
    shown = told(owner.get(page(patient)))
    assert "Nothing is left that could go before that day." in shown
    assert "Erase all but the record" not in shown
    # A page that was open meanwhile has the button still.
    refused = owner.post(page(patient), data)
    assert refused.status_code == 400
    assert "Nothing is left that could go now; nothing was erased." in told(refused)
    with audit.audited("tests.made", by=SETUP):
        Patient.objects.filter(pk=patient.pk).update(email="again@example.org")
    assert "Erase all but the record" in told(owner.get(page(patient))), "an address is something to erase"
    assert owner.post(page(patient), data).status_code == 303


def told(answer: Any) -> str:
    """The page as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", answer.text)).split())


def test_what_is_no_action_is_refused(owner: Client, patient: Patient):
    for data in ({}, {"do": "everything"}, {"do": "json\x00"}):
        assert owner.post(page(patient), data).status_code == 400
    assert owner.put(page(patient)).status_code == 405
    assert owner.put(reverse("admin:privacy")).status_code == 405
    assert exists(patient)


def test_a_page_writes_one_line(owner: Client, patient: Patient):
    before = len(actions())
    owner.get(page(patient))
    assert actions()[before:] == ["privacy.read"]


def test_one_intake_leaves_as_the_file_that_was_stored():
    physio = Client()
    physio.force_login(make_user("physio"))
    response = make_response(ROLLING_IN)
    file = reverse("admin:intake_questionnaireresponse_fhir", args=[response.pk])
    assert physio.get(file).headers["Location"].startswith(PROVE)
    session = physio.session
    session[PROVED_AT] = time.time()
    session.save()
    answer = physio.get(file)
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert json.loads(answer.content)["item"] == response.document["item"]
    assert actions()[-1] == "intake.exported"
    draft = make_response(ROLLING_IN, sent=False)
    path = reverse("admin:intake_questionnaireresponse_fhir", args=[draft.pk])
    assert physio.get(path).status_code == 404
