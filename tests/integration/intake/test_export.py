"""All of one patient's data, as FHIR and on paper: whole, and without secrets (R44, J6.11)."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pypdf import PdfReader

from intake import audit, journey
from intake.audit import AuditEvent
from intake.export.bundle import bundle_of, document_of
from intake.export.record import read
from intake.patients.models import Patient
from intake.patients.wording import dated
from intake.questionnaires.fhir import inspect
from intake.responses import amend
from intake.responses.fhir import check_response
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_patient, make_response, make_user
from tests.integration.intake.whole_patient import WORD, make_whole, said

pytestmark = pytest.mark.django_db

WORDS = (
    *("given", "family", "guardian", "times", "story", "draft", "reason", "note", "seen", "called", "step"),
    *("missed", "reopened"),
)
# What opens something, in any form.
SECRETS = ("token_hash", "code_hash", "device_hash", "stop_hash", "submit_key")


def bundle(patient: Patient) -> dict[str, Any]:
    with audit.audited("tests.read", by=SETUP):
        return json.loads(json.dumps(bundle_of(read(patient.pk))))


def of_type(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in found["entry"] if entry["resource"]["resourceType"] == name]


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return own | {one for part in value.values() for one in references(part)}
    if isinstance(value, list):
        return {one for part in value for one in references(part)}
    return set()


def empties(value: Any, path: str = "$") -> list[str]:
    """FHIR knows no empty text, list or object."""
    if value in ("", [], {}, None):
        return [path]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for name, part in parts for one in empties(part, f"{path}.{name}")]


def test_the_bundle_holds_all_there_is_and_leads_nowhere_else():
    patient = make_whole()
    found = bundle(patient)
    urls = [entry["fullUrl"] for entry in found["entry"]]
    assert len(urls) == len(set(urls))
    assert references(found) <= set(urls)
    assert empties(found) == []
    assert found["type"] == "collection"
    number = {
        name: len(of_type(found, name)) for name in {e["resource"]["resourceType"] for e in found["entry"]}
    }
    assert number.keys() == {
        *("Patient", "Practitioner", "Device", "Appointment", "ServiceRequest", "Questionnaire"),
        *("QuestionnaireResponse", "Condition", "Observation", "ClinicalImpression", "Provenance"),
        *("Flag", "Communication", "AuditEvent"),
    }
    assert (number["Patient"], number["QuestionnaireResponse"], number["Appointment"]) == (2, 2, 3)


def test_every_word_of_hers_is_in_it_and_no_secret_is():
    patient = make_whole()
    with audit.audited("tests.read", by=SETUP):
        record = read(patient.pk)
        hashes = [
            bytes(value).hex()
            for rows in (
                record.invitations,
                record.shares,
                record.sessions,
                record.codes,
                record.tablet_codes,
            )
            for row in rows
            for name in SECRETS
            if (value := getattr(row, name, None)) is not None
        ]
    text = json.dumps(bundle(patient))
    for word in WORDS:
        assert said(word) in text, word
    assert f"{WORD}@example.org" in text
    assert "1961-07-23" in text
    assert len(hashes) > 5
    assert [one for one in (*hashes, *SECRETS, "password") if one in text] == []


def test_every_response_validates_against_the_version_that_was_asked():
    patient = make_whole()
    found = bundle(patient)
    (questionnaire,) = of_type(found, "Questionnaire")
    assert inspect(questionnaire).accepted
    name = f"{questionnaire['url']}|{questionnaire['version']}"
    responses = of_type(found, "QuestionnaireResponse")
    assert {response["status"] for response in responses} == {"completed", "in-progress"}
    for response in responses:
        assert response["questionnaire"] == name
        # The intakes of tests answer few questions of many; all else has to be right.
        wrong = [problem for problem in check_response(questionnaire, response) if problem.level == "error"]
        assert {problem.code for problem in wrong} <= {"required"}


def test_a_finding_carries_the_verdict_and_is_never_on_a_problem_list():
    patient = make_whole()
    conditions = of_type(bundle(patient), "Condition")
    assert conditions
    for condition in conditions:
        (category,) = condition["category"]
        assert category["coding"][0]["code"] == "health-concern"
        assert condition["verificationStatus"]["coding"][0]["code"] == "refuted"
        assert condition["clinicalStatus"]["coding"][0]["code"] == "inactive"


def test_who_looked_is_in_it_by_name():
    physio = make_user("physio", first_name="Maya", last_name="Zyxlooker")
    response = make_response(ROLLING_IN)
    with audit.audited("review.read", by=audit.staff(physio), objects={"response": [response.pk]}):
        pass
    with audit.audited("review.read", by=audit.staff(physio), objects={"response": ["somebody-else"]}):
        pass
    events = of_type(bundle(response.evaluation.patient), "AuditEvent")
    hers = [event for event in events if event["agent"][0]["name"] == "Maya Zyxlooker"]
    assert [event["subtype"][0]["code"] for event in hers] == ["review.read"]


def test_a_changed_intake_is_there_in_both_versions():
    response = make_response(ROLLING_IN)
    with audit.audited("tests.made", by=SETUP):
        change = amend.begin(response.invitation)
        amend.replace(change, timezone.now())
        change.status, change.document = "amended", response.document
        change.authored, change.submit_key = timezone.now(), change.pk
        change.save()
    found = bundle(response.evaluation.patient)
    assert [one["status"] for one in of_type(found, "QuestionnaireResponse")] == ["completed", "amended"]
    assert "Stands in for an earlier one" in json.dumps(of_type(found, "Provenance"))


def test_the_version_of_the_privacy_notice_is_a_consent():
    response = make_response(ROLLING_IN, sent=False)
    with audit.audited("tests.made", by=SETUP):
        type(response).objects.filter(pk=response.pk).update(privacy_version=3)
    (consent,) = of_type(bundle(response.evaluation.patient), "Consent")
    assert consent["policyRule"]["text"] == "Privacy notice, version 3"


def test_one_intake_by_itself_is_what_was_stored():
    response = make_response(ROLLING_IN)
    with audit.audited("tests.read", by=SETUP):
        document = document_of(response)
    assert document["item"] == response.document["item"]
    assert document["questionnaire"] == f"{response.questionnaire.url}|{response.questionnaire.version}"
    wrong = check_response(response.questionnaire.definition, document)
    assert {one.code for one in wrong if one.level == "error"} <= {"required"}


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def paper_of(patient: Patient) -> str:
    return text_of(journey.export_patient(patient_id=patient.pk, by=SETUP, forms=["pdf"]).files["pdf"])


def past_line(days_ago: int, user: Any, action: str, patient: Patient) -> None:
    AuditEvent.objects.create(
        at=timezone.now() - timedelta(days=days_ago),
        actor_kind="staff",
        actor_id=str(user.pk),
        action=action,
        objects_seen={"patient": [str(patient.pk)]},
    )


def test_the_paper_tells_who_looked_in_her_words_and_a_day_at_a_time():
    physio = make_user("physio", first_name="Maya", last_name="Ortiz", title="Dr.")
    desk = make_user("front desk", first_name="Robin", last_name="Hale")
    response = make_response(ROLLING_IN)
    patient = response.evaluation.patient
    past_line(9, desk, "patient.added", patient)
    for action in ("review.read", "brief.read", "review.read", "finding.decided"):
        past_line(4, physio, action, patient)
    past_line(2, desk, "signin.done", patient)
    with audit.audited(
        "page.saved", by=audit.patient(response.invitation_id), objects={"response": [response.pk]}
    ):
        pass
    with audit.audited("invitation.read", by=SETUP, objects={"invitation": [response.invitation_id]}):
        pass
    words = paper_of(patient).partition("Who looked at it, and when")[2]
    added, read, worked = (
        "Robin Hale, front desk: added you as a patient",
        "Dr. Ortiz, physio: read your answers. 3 times that day",
        "Dr. Ortiz, physio: worked on your answers",
    )
    assert words.index(added) < words.index(read)
    assert worked in words
    assert words.count("Hale") == 1
    for raw in ("patient.added", "review.read", "page.saved", "invitation.read", "the portal itself"):
        assert raw not in words, raw


def test_the_paper_says_so_where_nobody_looked():
    assert "Nobody of the clinic has looked yet." in paper_of(make_patient())


def test_the_paper_says_which_links_end_and_which_have_ended():
    now = timezone.now()
    coming = make_response(ROLLING_IN, evaluation=make_evaluation(starts_at=now + timedelta(days=9)))
    ends = dated(coming.invitation.expires_at)
    assert f"ends {ends}" in paper_of(coming.evaluation.patient)
    past = make_evaluation(starts_at=now - timedelta(days=9))
    make_response(ROLLING_IN, evaluation=past, at=now - timedelta(days=10))
    text = paper_of(past.patient)
    assert "ended " in text
    assert "ends " not in text


def test_the_paper_names_sides_lessons_and_precautions_as_people_do():
    patient = make_whole(begun=timezone.now() - timedelta(days=30))
    text = paper_of(patient)
    assert "(right, right)" not in text
    assert "(right)" in text
    assert "rolling-in" not in text
    assert "The form was open until" in text
    assert "Shared lessons were open until" in text


@pytest.mark.parametrize("paper", ["letter", "a4"])
def test_the_paper_holds_her_words_as_they_are(paper: str):
    patient = make_whole(begun=timezone.now() - timedelta(days=30))
    pdf = journey.export_patient(patient_id=patient.pk, by=SETUP, forms=["pdf"], paper=paper).files["pdf"]
    text = text_of(pdf)
    for word in WORDS:
        assert said(word) in text, word
    assert "Who looked at it, and when" in text
    assert patient.reference in text
    assert str(PdfReader(io.BytesIO(pdf)).metadata.title) == patient.reference


def test_the_command_writes_both_files_where_only_its_owner_reads(tmp_path):
    patient = make_whole()
    call_command("export_patient", str(patient.pk), out=tmp_path, json=True)
    names = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    stem = patient.reference.replace(" ", "-")
    assert names == {f"{stem}.json": 0o600, f"{stem}.pdf": 0o600}
    assert json.loads((tmp_path / f"{stem}.json").read_text())["resourceType"] == "Bundle"
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.actor_id) == ("patient.exported", "export_patient")
    assert str(patient.pk) in line.objects_seen["patient"]
    with pytest.raises(CommandError, match="no such patient"):
        call_command("export_patient", "00000000-0000-0000-0000-000000000000", out=tmp_path)


def test_somebody_with_nothing_but_a_name_has_an_export_too():
    patient = make_patient()
    found = json.loads(journey.export_patient(patient_id=patient.pk, by=SETUP).files["json"])
    assert found["entry"][0]["resource"]["resourceType"] == "Patient"
