"""The brief as the desk offers it: who may read it, what the trail keeps, its pages and queries."""

import io
import re
from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from clinic import demo
from intake import audit, journey
from intake.questionnaires.load import active_questionnaire
from intake.review.outcomes import TypedLink
from intake.screening.models import Finding
from tests import factories
from tests.integration.intake.admin.conftest import browser

pytestmark = pytest.mark.django_db

PAPERS = {"letter": (612, 792), "a4": (595, 841)}
NINE = timezone.make_aware(datetime.combine(date(2026, 11, 30), time(9)))


def address(name: str, response) -> str:
    return reverse(f"admin:intake_questionnaireresponse_{name}", args=[response.pk])


DAY = "admin:intake_evaluation_briefs"


def pages(answer) -> list:
    found = PdfReader(io.BytesIO(answer.content)).pages
    return list(found)


def text_of(answer) -> str:
    return " ".join(" ".join(page.extract_text() for page in pages(answer)).split())


def decide(response, rule_id: str, decision: str, **words) -> None:
    with audit.audited("tests.read", by=factories.SETUP):
        finding = Finding.objects.select_related("response", "rule").get(
            response=response, rule__rule_id=rule_id
        )
    journey.decide_finding(
        response=finding.response_id,
        finding=finding.pk,
        decision=decision,
        by=audit.staff(response.evaluation.physio),
        **words,
    )


@pytest.fixture
def intake(physio):
    return factories.make_response(factories.SPARING, evaluation=factories.make_evaluation(physio=physio))


@pytest.fixture
def fullest(physio):
    """Everything at its limit, with calls recorded."""
    patient = factories.make_patient(
        given_name="Zoë Wilhelmina Maximiliane Anastasia",
        family_name="Nuñez-Wolkenstein von und zu Hohenwaldeck",
    )
    evaluation = factories.make_evaluation(patient=patient, physio=physio)
    response = factories.make_response(factories.FULLEST, evaluation=evaluation)
    for _number in range(3):
        journey.record_contact(
            response=response,
            called=f"{patient} and her husband, who answered for her"[:120],
            called_at=timezone.now(),
            outcome="reached",
            next_step="Goes to the emergency room now, and calls again from there. " * 8,
            by=audit.staff(physio),
        )
    for number, starts in enumerate(("hip-side", "calf", "ankle-inner", "sole-arch", "knee-back")):
        link = TypedLink(f"right.{starts}", "left.thigh-back", f"{number} " + "Widely 1234 " * 16)
        journey.add_link(response=response, link=link, by=audit.staff(physio))
    return response


class TestReading:
    def test_the_page_holds_what_the_evaluation_needs(self, desk, intake):
        decide(intake, "weight-shift-heel", "confirmed", note="Clear on video")
        page = desk.get(address("brief", intake)).content.decode()
        for words in (
            "Left heel, from right knee",
            "Confirmed",
            "Clear on video",
            "Red flags: none reported",
            "Assess the whole chain",
            "Right hip",
            "Left ankle",
            "Footwear and orthotics",
            "Precautions",
            "do not ask again",
            "A doctor said arthritis",
            "(draft rules, not yet approved by a physio)",
        ):
            assert words in page, words

    def test_a_dismissed_finding_says_so_and_its_checks_are_gone(self, desk, intake):
        with audit.audited("tests.read", by=factories.SETUP):
            rules = list(
                Finding.objects.filter(response=intake, rule__kind="chain").values_list(
                    "rule__rule_id", flat=True
                )
            )
        for rule in rules:
            decide(intake, rule, "refuted", reason="old-injury")
        page = desk.get(address("brief_text", intake)).content.decode()
        assert page.count("[Dismissed (An old injury explains it)]") == len(rules)
        assert "Two bathroom scales" not in page

    def test_a_link_that_a_physio_added_stands_in_every_form(self, desk, intake, physio):
        link = TypedLink("right.hip-side", "right.knee-inner", "Hip drops in the squat")
        journey.add_link(response=intake, link=link, by=audit.staff(physio))
        forms = [desk.get(address(name, intake)).content.decode() for name in ("brief", "brief_text")]
        for page in (*forms, text_of(desk.get(address("brief_pdf", intake)))):
            for words in ("Right knee, inner side, from right hip, side", "Hip drops in the squat"):
                assert words in page, words
            assert f"Added by {physio.formal_name}" in page

    def test_dates_and_numbers_read_as_everywhere(self, desk, physio):
        intake = factories.make_response(
            {**factories.SPARING, "pain.regions.right": ["knee-front", "knee-back", "calf"]},
            evaluation=factories.make_evaluation(physio=physio),
        )
        born = intake.evaluation.patient.birth_date
        forms = [desk.get(address(name, intake)).content.decode() for name in ("brief", "brief_text")]
        for page in (*forms, text_of(desk.get(address("brief_pdf", intake)))):
            assert f"Born {born:%m/%d/%Y}" in page
        assert "Back: right knee, back; right calf" in forms[0]
        assert "(finding 1)" in forms[1]
        assert "(findings 1)" not in forms[1]

    def test_the_patients_words_are_text(self, desk, physio):
        intake = factories.make_response(
            factories.ROLLING_IN, evaluation=factories.make_evaluation(physio=physio)
        )
        for name in ("brief", "brief_text"):
            page = desk.get(address(name, intake)).content.decode()
            assert "&lt;b&gt;when tired&lt;/b&gt;" in page
            assert "<b>when tired" not in page
        assert "<b>when tired</b>" in text_of(desk.get(address("brief_pdf", intake)))

    def test_the_title_names_nobody(self, desk, intake):
        for name in ("brief", "brief_text"):
            page = desk.get(address(name, intake)).content.decode()
            title = re.search(r"<title>(.*?)</title>", page, re.S).group(1)
            assert intake.evaluation.patient.family_name not in title

    def test_each_form_is_one_read_in_the_trail(self, desk, intake, physio):
        for name, form in (("brief", "page"), ("brief_pdf", "pdf"), ("brief_text", "text")):
            before = audit.AuditEvent.objects.count()
            assert desk.get(address(name, intake)).status_code == 200
            (event,) = list(audit.AuditEvent.objects.order_by("pk"))[before:]
            assert (event.action, event.actor_id, event.detail) == (
                "brief.read",
                str(physio.pk),
                {"form": form},
            )
            assert event.objects_seen["response"] == [str(intake.pk)]
            assert event.objects_seen["patient"] == [str(intake.evaluation.patient_id)]
            assert event.objects_seen["finding"]

    @pytest.mark.parametrize("name", ["brief", "brief_pdf", "brief_text"])
    def test_nobody_but_a_physio_and_nothing_that_was_not_sent(self, desk, intake, name):
        for role in ("front desk", "editor", "owner", None):
            client = browser(factories.make_user(role))
            answer = client.get(address(name, intake))
            assert answer.status_code == 404
            unknown = client.get(reverse(f"admin:intake_questionnaireresponse_{name}", args=[uuid4()]))
            assert (
                answer.content == unknown.content or intake.evaluation.patient.family_name not in answer.text
            )
        draft = factories.make_response(factories.SWOLLEN_CALF, sent=False)
        assert desk.get(address(name, draft)).status_code == 404
        assert (
            desk.get(reverse(f"admin:intake_questionnaireresponse_{name}", args=["no-key"])).status_code
            == 404
        )
        assert desk.post(address(name, intake)).status_code == 405


class TestThePdf:
    def test_its_name_and_title_tell_nothing(self, desk, intake):
        answer = desk.get(address("brief_pdf", intake))
        assert answer.headers["Content-Type"] == "application/pdf"
        name = intake.reference.replace(" ", "-")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.pdf"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert PdfReader(io.BytesIO(answer.content)).metadata.title == intake.reference

    @pytest.mark.parametrize("paper", PAPERS)
    def test_the_fullest_intake_is_one_page_with_all_its_letters(self, desk, fullest, paper):
        answer = desk.get(address("brief_pdf", fullest), {"paper": paper})
        (page,) = pages(answer)
        assert (int(page.mediabox.width), int(page.mediabox.height)) == PAPERS[paper]
        words = text_of(answer)
        for wanted in (
            "Zoë",
            "Nuñez-Wolkenstein",
            "↑",
            "(see full answers)",
            "Page 1 of 1",
            "1 earlier call",
            "☐",
            "Added by",
            "2 more links were added",
        ):
            assert wanted in words, wanted

    @pytest.mark.parametrize("paper", PAPERS)
    def test_every_demo_intake_is_one_page(self, desk, physio, paper):
        with audit.audited("tests.read", by=factories.SETUP):
            definition = active_questionnaire().tree()
        for person in demo.TODAY:
            if person.stage == "sent":
                response = factories.make_response(
                    demo.fill(definition, person), evaluation=factories.make_evaluation(physio=physio)
                )
                assert len(pages(desk.get(address("brief_pdf", response), {"paper": paper}))) == 1

    def test_a_paper_that_is_none_is_letter(self, desk, intake):
        (page,) = pages(desk.get(address("brief_pdf", intake), {"paper": "papyrus\x00"}))
        assert int(page.mediabox.width) == 612


class TestTheDay:
    @pytest.fixture(autouse=True)
    def morning(self):
        with time_machine.travel(NINE, tick=False):
            yield

    def visit(self, physio, answers=factories.SPARING, *, sent=True, days=0, hours=2):
        starts_at = NINE + timedelta(days=days, hours=hours)
        evaluation = factories.make_evaluation(physio=physio, starts_at=starts_at)
        return factories.make_response(answers, evaluation=evaluation, sent=sent)

    def shown(self, client, query: str = "") -> list[str]:
        page = client.get(reverse(DAY) + query).content.decode()
        return re.findall(r'id="brief-([^"]+)"', page)

    def test_a_page_for_each_sent_form_of_the_day_by_time(self, desk, physio):
        later, sooner = self.visit(physio, hours=4), self.visit(physio, hours=1)
        self.visit(physio, factories.SWOLLEN_CALF, sent=False)
        tomorrow = self.visit(physio, days=1)
        assert self.shown(desk) == [str(sooner.pk), str(later.pk)]
        assert self.shown(desk, "?day=2026-12-01") == [str(tomorrow.pk)]
        answer = desk.get(reverse(DAY + "_pdf"))
        assert answer.headers["Content-Disposition"] == 'attachment; filename="2026-11-30.pdf"'
        assert len(pages(answer)) == 2

    def test_it_is_the_whole_day_or_ones_own_whatever_else_the_worklist_is_narrowed_to(self, desk, physio):
        mine, others = self.visit(physio), self.visit(factories.make_user("physio"), hours=3)
        urgent = self.visit(physio, factories.SWOLLEN_CALF, hours=5)
        tomorrow = self.visit(physio, factories.SWOLLEN_CALF, days=1)
        assert self.shown(desk, "?mine=1") == [str(mine.pk), str(urgent.pk)]
        assert self.shown(desk, "?status=reviewed&direction=up&mine=1") == [str(mine.pk), str(urgent.pk)]
        everyone = [str(mine.pk), str(others.pk), str(urgent.pk)]
        assert self.shown(desk) == self.shown(desk, "?status=urgent") == everyone
        page = desk.get(reverse(DAY) + "?status=reviewed&mine=1").content.decode()
        for words in (
            "Only your own visits",
            "other filters leave none of them out",
            "All visits of this day",
        ):
            assert words in page, words
        assert str(tomorrow.pk) not in self.shown(desk)

    @pytest.mark.parametrize(
        "query", ["?day=coming", "?q=Lee", "?status=needs-appointment", "?day=2026-12-24"]
    )
    def test_what_is_no_day_or_has_nothing_says_so(self, desk, physio, query):
        self.visit(physio)
        assert self.shown(desk, query) == []
        assert desk.get(reverse(DAY + "_pdf") + query).headers["Content-Type"].startswith("text/html")

    def test_all_of_it_is_one_read_in_the_trail(self, desk, physio):
        intakes = [self.visit(physio, hours=hours) for hours in (1, 2, 3)]
        before = audit.AuditEvent.objects.count()
        desk.get(reverse(DAY))
        (event,) = list(audit.AuditEvent.objects.order_by("pk"))[before:]
        assert event.action == "brief.read"
        assert event.objects_seen["response"] == [str(one.pk) for one in intakes]
        assert event.objects_seen["patient"] == [str(one.evaluation.patient_id) for one in intakes]

    def test_the_worklist_links_to_it_with_its_filters(self, desk, reception, physio):
        intake = self.visit(physio)
        worklist = reverse("admin:intake_evaluation_changelist")
        page = desk.get(worklist + "?mine=1").content.decode()
        assert f"{reverse(DAY)}?mine=1" in page
        assert f"{address('brief', intake)}?back=mine%3D1" in page
        assert reverse(DAY) not in desk.get(worklist + "?day=coming").content.decode()
        assert reverse(DAY) not in reception.get(worklist).content.decode()
        assert reception.get(reverse(DAY)).status_code == 404

    def test_three_queries_a_patient(self, desk, physio):
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                desk.get(reverse(DAY))
            return len(queries)

        self.visit(physio)
        cost()
        one = cost()
        self.visit(physio, factories.ROLLING_IN, hours=3)
        cost()
        assert cost() == one + 3


@pytest.mark.parametrize("name", ["brief", "brief_pdf", "brief_text"])
def test_queries_do_not_grow_with_findings(desk, physio, name):
    costs = []
    for number in (1, 10, 40):
        response = factories.make_response(
            factories.ROLLING_IN, evaluation=factories.make_evaluation(physio=physio)
        )
        factories.give_findings(response, number)
        desk.get(address(name, response))
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(address(name, response)).status_code == 200
        costs.append(len(queries))
    assert len(set(costs)) == 1, costs
