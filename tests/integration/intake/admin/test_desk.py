"""The worklist, people, visits and invitations, as the front desk and a physio use them."""

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from intake import audit, journey
from intake.patients import links
from intake.patients.models import AccessEvent, Evaluation, Invitation, Patient
from tests import factories
from tests.integration.intake.admin.conftest import browser

pytestmark = pytest.mark.django_db

WORKLIST = "/staff/intake/evaluation/"
PEOPLE = "/staff/intake/patient/"


def rows(model, **wanted) -> list:
    with audit.audited("tests.read", by=factories.SETUP):
        return list(model.objects.filter(**wanted))


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def trail() -> list[audit.AuditEvent]:
    return list(audit.AuditEvent.objects.filter(actor_kind="staff").order_by("pk"))


def in_days(days: int):
    return timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


PERSON = {
    "given_name": "Sam",
    "family_name": "Okafor",
    "birth_date": "01/31/1974",
    "email": "sam@example.org",
    "phone": "(310) 555-0188",
}


class TestWorklist:
    def test_the_staff_site_begins_with_it(self, desk, reception):
        for client in (desk, reception):
            assert client.get("/staff/").headers["Location"] == WORKLIST
        assert browser(factories.make_user("editor")).get("/staff/").status_code == 200

    def test_one_line_in_the_trail_names_everybody_shown(self, desk, physio):
        shown = [factories.make_evaluation(physio=physio, starts_at=in_days(0), minutes=5) for _ in range(20)]
        factories.make_evaluation(physio=physio, starts_at=in_days(9))
        desk.get(WORKLIST)
        (event,) = trail()
        assert event.action == "worklist.read"
        assert set(event.objects_seen["evaluation"]) == {str(one.pk) for one in shown}

    def test_what_the_front_desk_reads(self, reception, physio):
        evaluation = factories.make_evaluation(physio=physio, starts_at=in_days(0))
        factories.make_response({**factories.SWOLLEN_CALF, **factories.SPARING}, evaluation=evaluation)
        page = text(reception.get(WORKLIST))
        assert "Jordan Lee" in page
        assert "(310) 555-0188" in page
        assert "Urgent" in page
        for hidden in ("Swollen", "calf", "knee", "Review next", "Up the chain"):
            assert hidden not in page, hidden
        assert f"/staff/intake/evaluation/{evaluation.pk}/change/" in page
        assert "/review/" not in page

    @pytest.mark.parametrize("role", ["editor", "owner", None])
    def test_other_roles_find_no_page(self, physio, role):
        evaluation = factories.make_evaluation(physio=physio)
        client = browser(factories.make_user(role))
        for path in (
            WORKLIST,
            PEOPLE,
            f"{PEOPLE}add/",
            f"{PEOPLE}{evaluation.patient_id}/change/",
            f"{WORKLIST}{evaluation.pk}/change/",
            f"{WORKLIST}add/?patient={evaluation.patient_id}",
        ):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert b"Jordan" not in answer.content
        assert client.post(f"{WORKLIST}{evaluation.pk}/invite/").status_code == 404
        assert rows(Invitation) == []

    def test_the_rows_lead_to_the_review_and_back_with_the_filters(self, desk, physio):
        evaluation = factories.make_evaluation(physio=physio, starts_at=in_days(0))
        response = factories.make_response(factories.SPARING, evaluation=evaluation)
        page = text(desk.get(f"{WORKLIST}?mine=1&direction=down"))
        review = f"/staff/intake/questionnaireresponse/{response.pk}/review/?back=direction%3Ddown%26mine%3D1"
        assert page.count(f'href="{review}"') == 2
        assert 'href="/staff/intake/evaluation/?direction=down&amp;mine=1"' in text(desk.get(review))
        assert "Right knee to left foot" in page

    def test_an_empty_day_says_when_the_next_visits_are(self, desk, physio):
        evaluation = factories.make_evaluation(physio=physio, starts_at=in_days(4))
        page = text(desk.get(WORKLIST))
        assert "All read. Nobody is waiting for you" in page
        assert f"?day={in_days(4).date().isoformat()}" in page
        assert f'<a href="/staff/intake/evaluation/{evaluation.pk}/change/">Jordan' in page
        assert str(evaluation.pk) in trail()[-1].objects_seen["evaluation"]

    def test_the_next_visit_of_today_is_one_of_today(self, desk, physio):
        """An urgent visit of another day stands in the list, and is not what comes next today."""
        later = factories.make_evaluation(physio=physio, starts_at=in_days(4))
        factories.make_response(factories.SWOLLEN_CALF, evaluation=later)
        page = text(desk.get(WORKLIST))
        assert "Urgent" in page
        assert "The next visit is at" not in page

    def test_a_filter_that_fits_nothing_offers_to_show_all(self, desk, physio):
        factories.make_evaluation(physio=physio, starts_at=in_days(0))
        page = text(desk.get(f"{WORKLIST}?status=reviewed"))
        assert "Nothing fits this filter" in page
        assert "Nobody’s name begins like that" in text(desk.get(f"{WORKLIST}?q=zzz"))

    def test_what_is_searched_is_text(self, desk):
        page = text(desk.get(WORKLIST, {"q": '"><script>alert(1)</script>'}))
        assert "<script>alert" not in page

    @pytest.mark.parametrize("number", [1, 50, 200])
    def test_the_whole_page_takes_the_same_queries_whatever_the_number(self, desk, physio, number):
        response = factories.make_response(
            factories.SPARING,
            evaluation=factories.make_evaluation(
                physio=physio, starts_at=in_days(0) - timedelta(minutes=710), minutes=5
            ),
        )
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.bulk_create(
                Evaluation(
                    patient=response.evaluation.patient,
                    physio=physio,
                    starts_at=in_days(0) + timedelta(minutes=6 * slot - 700),
                    minutes=5,
                )
                for slot in range(number - 1)
            )
        desk.get(WORKLIST)
        with CaptureQueriesContext(connection) as queries:
            desk.get(WORKLIST)
        assert len(queries) <= 20
        own = [query for query in queries if re.search(r"intake_|education_", query["sql"])]
        kinds = sorted({re.sub(r"'[^']*'|\d+", "?", query["sql"])[:60] for query in own})
        assert len(own) == 4, kinds


class TestPatients:
    def test_adding_one_leads_to_the_evaluation(self, reception):
        answer = reception.post(f"{PEOPLE}add/", PERSON)
        (patient,) = rows(Patient)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"{PEOPLE}{patient.pk}/change/"
        assert (str(patient), patient.birth_date.isoformat(), patient.email) == (
            "Sam Okafor",
            "1974-01-31",
            "sam@example.org",
        )
        page = text(reception.get(answer.headers["Location"]))
        assert f"/staff/intake/evaluation/add/?patient={patient.pk}" in page
        assert "Added. Now add the evaluation." in page

    @pytest.mark.parametrize(
        ("field", "typed", "message"),
        [
            ("birth_date", "31/01/1974", "Enter a real date as month/day/year"),
            ("birth_date", "01/31/2974", "Enter a date in the past."),
            ("birth_date", "01/31/1804", "Enter a year after 1900."),
            ("given_name", "", "Enter the given name."),
            ("email", "sam@", "Enter a valid email address."),
            ("family_name", "x" * 81, "at most 80 characters"),
            ("family_name", "Oka\x00for", "Null characters are not allowed."),
        ],
    )
    def test_what_is_wrong_stands_beside_the_field_and_nothing_is_lost(
        self, reception, field, typed, message
    ):
        answer = reception.post(f"{PEOPLE}add/", {**PERSON, field: typed})
        page = text(answer)
        assert answer.status_code == 200
        assert message in page
        assert 'value="(310) 555-0188"' in page
        assert rows(Patient) == []

    def test_correcting_the_date_of_birth(self, reception):
        patient = factories.make_patient()
        page = text(reception.get(f"{PEOPLE}{patient.pk}/change/"))
        assert 'value="04/12/1986"' in page
        answer = reception.post(f"{PEOPLE}{patient.pk}/change/", {**PERSON, "birth_date": "4/21/1986"})
        assert answer.status_code == 303
        assert rows(Patient)[0].birth_date.isoformat() == "1986-04-21"
        assert [event.action for event in trail()] == ["patient.read", "patient.changed"]

    def test_no_name_in_titles_messages_or_djangos_log(self, reception):
        patient = factories.make_patient(given_name="Zyxcanary", family_name="Zyxfamily")
        answer = reception.post(f"{PEOPLE}{patient.pk}/change/", {**PERSON, "given_name": "Zyxcanary"})
        assert "Zyx" not in str(answer.cookies)
        page = text(reception.get(f"{PEOPLE}{patient.pk}/change/"))
        assert "Zyx" not in re.search(r"<title>.*?</title>", page).group(0)
        assert LogEntry.objects.count() == 0

    def test_the_list_is_searched_and_names_whom_it_showed(self, reception):
        lee = factories.make_patient(family_name="Lee")
        factories.make_patient(family_name="Okafor")
        page = text(reception.get(PEOPLE, {"q": "le"}))
        assert "Lee, Jordan" in page
        assert "Okafor" not in page
        assert trail()[-1].objects_seen == {"patient": [str(lee.pk)]}

    def test_the_list_goes_on_by_key(self, reception):
        with audit.audited("tests.made", by=factories.SETUP):
            Patient.objects.bulk_create(
                Patient(given_name="Ann", family_name=f"Name{number:03}", birth_date="1980-01-01")
                for number in range(61)
            )
        first = text(reception.get(PEOPLE))
        onward = re.search(r"after=([0-9a-f-]{36})", first).group(1)
        second = text(reception.get(PEOPLE, {"after": onward}))
        assert "Name049" in first
        assert "Name050" not in first
        assert "Name050" in second
        assert "Name060" in second
        assert "Next page" not in second
        assert "Name000" in text(reception.get(PEOPLE, {"after": "nobody"}))

    @pytest.mark.parametrize("path", ["{key}/delete/", "{key}/history/", "{key}/"])
    def test_nothing_is_deleted_and_there_is_no_history_page(self, desk, path):
        patient = factories.make_patient()
        for method in (desk.get, desk.post):
            assert method(PEOPLE + path.format(key=patient.pk)).status_code == 404
        assert len(rows(Patient)) == 1

    @pytest.mark.parametrize("key", [uuid4(), "x", "1"])
    def test_an_unknown_one(self, reception, key):
        assert reception.get(f"{PEOPLE}{key}/change/").status_code == 404
        assert reception.get(f"{WORKLIST}{key}/change/").status_code == 404
        assert reception.post(f"{WORKLIST}{key}/invite/").status_code == 404

    def test_the_way_to_find_any_object_is_closed(self, desk):
        path = "/staff/autocomplete/?app_label=intake&model_name=evaluation&field_name=patient&term=a"
        assert desk.get(path).status_code == 404


class TestEvaluations:
    def form(self, user, **fields):
        return {
            "physio": user.pk,
            "starts_at": in_days(3).strftime("%Y-%m-%dT%H:%M"),
            "minutes": "45",
            **fields,
        }

    def test_adding_one_for_a_patient(self, reception, physio):
        patient = factories.make_patient()
        page = text(reception.get(f"{WORKLIST}add/?patient={patient.pk}"))
        assert "Maya Ortiz" in page
        assert 'value="60"' in page
        answer = reception.post(f"{WORKLIST}add/?patient={patient.pk}", self.form(physio))
        (evaluation,) = rows(Evaluation)
        assert answer.headers["Location"] == f"{WORKLIST}{evaluation.pk}/change/"
        assert (evaluation.patient_id, evaluation.physio_id, evaluation.minutes) == (
            patient.pk,
            physio.pk,
            45,
        )
        assert evaluation.starts_at == in_days(3)

    def booked_with(self, client, patient, physio, **fields):
        """The page after booking, and the jobs and links that came of it."""
        answer = client.post(f"{WORKLIST}add/?patient={patient.pk}", self.form(physio, **fields), follow=True)
        return text(answer), list(ProcrastinateJob.objects.all()), rows(Invitation)

    def test_the_invitation_goes_with_the_booking(self, reception, physio):
        patient = factories.make_patient()
        page = text(reception.get(f"{WORKLIST}add/?patient={patient.pk}"))
        assert re.search(r'<input type="checkbox" name="send"[^>]* checked', page)
        page, jobs, invitations = self.booked_with(reception, patient, physio, send="on")
        assert "The evaluation is booked. The invitation is on its way." in page
        assert "Send a new link" in page
        (invitation,) = invitations
        assert [job.args for job in jobs] == [{"invitation_id": str(invitation.pk)}]
        # A second tap finds the time taken.
        _page, jobs, invitations = self.booked_with(reception, patient, physio, send="on")
        assert (len(jobs), len(invitations)) == (1, 1)

    def test_unticked_nothing_is_sent_and_the_button_stays(self, reception, physio):
        page, jobs, invitations = self.booked_with(reception, factories.make_patient(), physio)
        assert "The evaluation is booked. The invitation was not sent." in page
        assert "Send invitation" in page
        assert jobs == invitations == []

    def test_what_is_not_booked_sends_nothing(self, reception, physio):
        patient = factories.make_patient()
        _page, jobs, invitations = self.booked_with(reception, patient, physio, send="on", minutes="4")
        assert jobs == invitations == rows(Evaluation) == []

    def test_without_an_address_the_link_is_handed_over(self, reception, physio):
        patient = factories.make_patient(email="")
        assert 'name="send"' not in text(reception.get(f"{WORKLIST}add/?patient={patient.pk}"))
        page, jobs, invitations = self.booked_with(reception, patient, physio, send="on")
        assert "There is no e-mail address: hand the link over." in page
        assert "Make a link to hand over" in page
        assert jobs == invitations == []
        (evaluation,) = rows(Evaluation)
        page = text(reception.post(f"{WORKLIST}{evaluation.pk}/invite/", {"do": "hand-over"}))
        (token,) = re.findall(r"/intake/open/([^/]+)/", page)
        with audit.audited("tests.read", by=factories.SETUP):
            invitation = links.find_live(token)
        assert invitation is not None
        assert invitation.evaluation_id == evaluation.pk
        again = text(reception.get(f"{WORKLIST}{evaluation.pk}/change/"))
        assert token not in again
        assert "Sent, not opened yet" in again

    def test_with_an_address_no_link_is_shown(self, reception, physio):
        evaluation = factories.make_evaluation(physio=physio, starts_at=in_days(3))
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/invite/", {"do": "hand-over"})
        assert answer.status_code == 303

    def test_without_a_patient_it_asks_for_one(self, reception):
        answer = reception.get(f"{WORKLIST}add/")
        assert answer.headers["Location"] == PEOPLE
        assert "Choose the patient first" in text(reception.get(PEOPLE))
        assert reception.get(f"{WORKLIST}add/?patient={uuid4()}").status_code == 404

    @pytest.mark.parametrize(
        ("field", "typed", "message"),
        [
            ("starts_at", "2001-01-01T09:00", "Choose a day that is still to come."),
            ("starts_at", "soon", "Enter a day and a time"),
            ("minutes", "4", "greater than or equal to 5"),
            ("minutes", "481", "less than or equal to 480"),
            ("physio", "", "Choose a physio."),
        ],
    )
    def test_what_is_wrong_stands_beside_the_field(self, reception, physio, field, typed, message):
        patient = factories.make_patient()
        answer = reception.post(f"{WORKLIST}add/?patient={patient.pk}", self.form(physio, **{field: typed}))
        assert answer.status_code == 200
        assert message in text(answer)
        assert rows(Evaluation) == []

    def test_only_physios_can_be_chosen(self, reception, physio):
        patient = factories.make_patient()
        editor = factories.make_user("editor")
        answer = reception.post(f"{WORKLIST}add/?patient={patient.pk}", self.form(editor))
        assert answer.status_code == 200
        assert rows(Evaluation) == []

    def test_moving_the_visit_moves_the_end_of_its_link(self, reception, physio):
        evaluation = factories.make_evaluation(physio=physio, starts_at=in_days(1))
        invitation = factories.make_invitation(evaluation)
        answer = reception.post(
            f"{WORKLIST}{evaluation.pk}/change/", {**self.form(physio), "status": "booked"}
        )
        assert answer.status_code == 303
        (moved,) = rows(Invitation, pk=invitation.pk)
        assert moved.expires_at == in_days(3) + timedelta(hours=24)

    def test_nobody_can_be_moved_to_another_patient(self, reception, physio):
        evaluation = factories.make_evaluation(physio=physio, starts_at=in_days(1))
        other = factories.make_patient()
        fields = {**self.form(physio), "status": "booked", "patient": other.pk, "created_by": physio.pk}
        reception.post(f"{WORKLIST}{evaluation.pk}/change/", fields)
        (kept,) = rows(Evaluation)
        assert kept.patient_id == evaluation.patient_id


class TestInvitations:
    @pytest.fixture
    def evaluation(self, physio):
        return factories.make_evaluation(physio=physio, starts_at=in_days(3))

    def page(self, client, evaluation) -> str:
        return text(client.get(f"{WORKLIST}{evaluation.pk}/change/"))

    def test_sending_one(self, reception, evaluation, mail_dir: Path):
        assert "Send invitation" in self.page(reception, evaluation)
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/invite/")
        assert answer.status_code == 303
        (invitation,) = rows(Invitation)
        assert "Waiting to be sent" in self.page(reception, evaluation)
        journey.deliver_invitation(invitation_id=invitation.pk)
        page = self.page(reception, evaluation)
        assert "Sent, not opened yet" in page
        assert "Send a new link" in page
        assert len(list(mail_dir.iterdir())) == 1

    def test_a_new_one_ends_the_earlier_one(self, reception, evaluation):
        reception.post(f"{WORKLIST}{evaluation.pk}/invite/")
        reception.post(f"{WORKLIST}{evaluation.pk}/invite/")
        assert sorted(one.revoked_at is None for one in rows(Invitation)) == [False, True]

    def test_looking_sends_nothing(self, reception, evaluation):
        assert reception.get(f"{WORKLIST}{evaluation.pk}/invite/").status_code == 405
        assert rows(Invitation) == []

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"status": "cancelled"}, "This visit is cancelled."),
            ({"starts_at": in_days(-3)}, "This visit is over."),
        ],
    )
    def test_refused_for_a_visit_that_does_not_take_place(self, reception, evaluation, change, message):
        with audit.audited("tests.made", by=factories.SETUP):
            Evaluation.objects.filter(pk=evaluation.pk).update(**change)
        assert message in self.page(reception, evaluation)
        answer = reception.post(f"{WORKLIST}{evaluation.pk}/invite/", follow=True)
        assert message in text(answer)
        assert rows(Invitation) == []

    def test_refused_without_an_address(self, reception, physio):
        patient = factories.make_patient(email="")
        evaluation = factories.make_evaluation(physio=physio, patient=patient, starts_at=in_days(3))
        assert "There is no e-mail address." in self.page(reception, evaluation)
        reception.post(f"{WORKLIST}{evaluation.pk}/invite/")
        assert rows(Invitation) == []

    def test_refused_once_the_form_was_sent(self, reception, desk, evaluation):
        response = factories.make_response(factories.CALM, evaluation=evaluation)
        reception.post(f"{WORKLIST}{evaluation.pk}/invite/")
        assert len(rows(Invitation)) == 1
        assert "Form sent" in self.page(reception, evaluation)
        assert "/review/" not in self.page(reception, evaluation)
        assert f"/questionnaireresponse/{response.pk}/review/" in self.page(desk, evaluation)

    def test_wrong_dates_of_birth_are_said_with_what_to_do(self, reception, evaluation):
        invitation = factories.make_invitation(evaluation, sent_at=timezone.now())
        with audit.audited("tests.made", by=factories.SETUP):
            AccessEvent.objects.bulk_create(
                AccessEvent(invitation=invitation, kind=AccessEvent.Kind.WRONG_DATE) for _ in range(5)
            )
        page = self.page(reception, evaluation)
        assert "Resting after wrong dates of birth" in page
        assert "Correct the date of birth" in page
        with audit.audited("tests.made", by=factories.SETUP):
            Invitation.objects.filter(pk=invitation.pk).update(ended_at=timezone.now())
        page = self.page(reception, evaluation)
        assert "Ended after too many wrong dates of birth" in page
        assert "Send a new link" in page

    def test_opened_and_begun(self, reception, evaluation):
        response = factories.make_response(factories.ROLLING_IN, evaluation=evaluation, sent=False)
        with audit.audited("tests.made", by=factories.SETUP):
            Invitation.objects.filter(pk=response.invitation_id).update(opened_at=timezone.now())
        page = self.page(reception, evaluation)
        assert "Form begun" in page
        assert "last saved today at" in page


class TestContent:
    @pytest.mark.parametrize("role", ["physio", "editor", "owner"])
    def test_rules_in_words_with_their_approval(self, role):
        client = browser(factories.make_user(role))
        page = text(client.get("/staff/intake/rule/"))
        assert "Foot rolling in may be loading the kneecap" in page
        assert "Draft: not yet approved by a physio" in page
        path = re.search(
            r'href="(/staff/intake/rule/\d+/change/[^"]*)">Foot rolling in may be loading the kn', page
        )
        detail = text(client.get(path.group(1)))
        assert "Draft: not yet approved by a physio" in detail
        assert "<span>Tap where it hurts. (this side)</span><b>Around or behind the kneecap</b>" in detail
        assert (
            "<span>Thin wet footprint</span><b>1 point</b>" in detail.partition("What speaks against it")[2]
        )
        assert "{side}" not in detail

    def test_the_questionnaire_page_by_page(self):
        client = browser(factories.make_user("editor"))
        page = text(client.get("/staff/intake/questionnaire/"))
        path = re.search(r'href="(/staff/intake/questionnaire/\d+/change/[^"]*)"', page).group(1)
        detail = text(client.get(path))
        assert "A quick safety check" in detail
        assert "safety.leg-signs.left" in detail
        assert "Draft: not yet approved by a physio" in detail

    @pytest.mark.parametrize("model", ["rule", "questionnaire"])
    def test_nothing_can_be_written_here(self, model):
        client = browser(factories.make_user("physio"))
        page = text(client.get(f"/staff/intake/{model}/"))
        path = re.search(rf'href="(/staff/intake/{model}/\d+/change/)', page).group(1)
        for address in (f"/staff/intake/{model}/add/", path.replace("change", "delete")):
            assert client.post(address).status_code == 404
        client.post(path, {"title": "Zyxother"})
        assert "Zyxother" not in text(client.get(path))
        assert "<form" not in text(client.get(path)).split("<main")[1]

    def test_the_front_desk_sees_no_rules(self, reception):
        for path in ("rule/", "questionnaire/", "rule/1/change/"):
            assert reception.get(f"/staff/intake/{path}").status_code == 404


def test_every_page_of_the_desk_names_itself_once(desk, physio):
    evaluation = factories.make_evaluation(physio=physio)
    response = factories.make_response(factories.SPARING, evaluation=evaluation)
    for path in (
        WORKLIST,
        PEOPLE,
        f"{PEOPLE}{evaluation.patient_id}/change/",
        f"{WORKLIST}{evaluation.pk}/change/",
        reverse("admin:intake_questionnaireresponse_review", args=[response.pk]),
    ):
        page = text(desk.get(path))
        assert page.count("<h1") == 1, path
        assert "style=" not in page, path
        assert not re.search(r"\son\w+=", page), path
