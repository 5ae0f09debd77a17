"""The review of an intake that the patient changed: the differences, earlier decisions, and open pages."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intake import audit
from intake.responses.models import QuestionnaireResponse
from intake.review.models import RedFlagContact, Verdict
from tests import factories
from tests.integration.intake.admin.conftest import browser
from tests.integration.intake.admin.test_review import address, call, chain, decide, rows
from tests.integration.intake.test_change import change, review_all
from tests.integration.intake.visitor import Visitor, filled_in, sent_form

pytestmark = pytest.mark.django_db

FOOT = {"foot.ankle-lean.right": ["in"], "foot.shoe-wear.right": ["inner"]}
FLAG = {**factories.ROLLING_IN, **factories.SWOLLEN_CALF}


def text(answer) -> str:
    """What stands on the page, without tags, on one line."""
    page = re.sub(r"(?s)<(script|style|svg).*?</\1>", "", answer.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("&#x27;", "'")


def newest(response) -> QuestionnaireResponse:
    with audit.audited("tests.read", by=factories.SETUP):
        return QuestionnaireResponse.objects.standing().get(evaluation=response.evaluation_id)


@pytest.fixture
def sent(physio) -> tuple[Visitor, QuestionnaireResponse]:
    answers = {**factories.ROLLING_IN, "pain.regions.right": ["knee-front", "knee-outer"]}
    visitor, invitation = sent_form(answers, physio=physio)
    with audit.audited("tests.read", by=factories.SETUP):
        return visitor, QuestionnaireResponse.objects.get(evaluation=invitation.evaluation_id)


class TestThePage:
    def test_the_banner_names_the_changed_answers_and_no_other(self, desk, sent, physio):
        visitor, response = sent
        review_all(response, physio)
        change(visitor, foot=FOOT)
        page = text(desk.get(address(newest(response))))
        assert "1 answer changed today at" in page
        assert "Before: Whole outer edge → Now: " in page
        assert page.count("Before: Whole outer edge") > 1, "in the banner and at the findings it is behind"
        assert f"was finished by {physio}" in page
        assert "Pain now" not in page[: page.index("In Jordan")]

    def test_a_finding_with_other_answers_is_undecided_and_shows_the_earlier_decision(self, desk, sent):
        visitor, response = sent
        for finding in chain(response):
            decide(desk, response, finding, "confirm", note="Seen on video")
        change(visitor, foot=FOOT)
        current = newest(response)
        page = desk.get(address(current)).content.decode()
        kneecap = next(one for one in chain(current) if one.rule.rule_id == "overpronation-kneecap")
        card = page[page.index(f'id="finding-{kneecap.pk}"') :]
        card = card[: card.index("</article>")]
        assert "Answers changed" in card
        assert "Decide again. Before the change:" in card
        assert "Confirmed" in card
        assert "“Seen on video”" in card
        assert 'value="confirm"' in card
        decide(desk, current, kneecap, "assess", note="Again")
        page = text(desk.get(address(current)))
        assert "“Again”" in page
        assert "Both decisions" in page

    def test_a_decision_that_is_kept_says_so(self, desk, sent):
        visitor, response = sent
        for finding in chain(response):
            decide(desk, response, finding, "confirm")
        change(visitor)
        page = text(desk.get(address(newest(response))))
        number = len(chain(response))
        assert f"{number} decisions are kept" in page or number == 1
        assert "Kept: the answers behind it are the same." in page
        assert "Everything is decided" in page

    def test_new_and_vanished_findings_are_said(self, desk, sent):
        visitor, response = sent
        for finding in chain(response):
            decide(desk, response, finding, "confirm")
        change(visitor, where={"pain.regions.left": ["sole-heel"], "pain.regions.right": ["none"]})
        page = text(desk.get(address(newest(response))))
        assert "No longer raised: " in page
        assert "It was decided before: Confirmed." in page

    def test_an_earlier_version_is_read_only_and_leads_to_the_newest(self, desk, sent):
        visitor, response = sent
        change(visitor)
        page = desk.get(address(response)).content.decode()
        assert "An earlier version: the patient sent changed answers" in page
        assert str(newest(response).pk) in page
        for button in ("confirm", "assess", "dismiss", "undo", "finish", "reopen"):
            assert f'value="{button}"' not in page

    def test_a_change_that_is_not_sent_is_said_and_cannot_be_read(self, desk, sent):
        visitor, response = sent
        visitor.client.post("/intake/change/")
        visitor.save("pain", {"pain.now": [9], "pain.worst": [9], "pain.average": [9]})
        page = text(desk.get(address(response)))
        assert "Jordan began to change answers" in page
        assert "9 out of 10" not in page
        with audit.audited("tests.read", by=factories.SETUP):
            draft = QuestionnaireResponse.objects.get(replaces=response)
        assert desk.get(address(draft)).status_code == 404

    def test_three_versions_are_told_apart(self, desk, sent):
        visitor, response = sent
        for finding in chain(response):
            decide(desk, response, finding, "confirm")
        change(visitor, foot=FOOT)
        change(visitor)
        page = text(desk.get(address(newest(response))))
        assert "1 answer changed today at" in page
        assert "2 answers changed today at" in page
        assert "Decide again. Before the change: Confirmed" in page

    @pytest.mark.parametrize("changes", [0, 1, 3])
    def test_it_takes_no_more_queries_however_often_it_was_changed(self, desk, sent, changes):
        visitor, response = sent
        for number in range(changes):
            change(visitor, pain={"pain.now": [number + 4], "pain.worst": [9], "pain.average": [4]})
        desk.get(address(newest(response)))
        with CaptureQueriesContext(connection) as queries:
            desk.get(address(newest(response)))
        own = [one["sql"] for one in queries if "intake_" in one["sql"] and "auditevent" not in one["sql"]]
        # One of them is the test's own, one the banner of every staff page.
        assert len(own) <= 9, "\n".join(own)


class TestOpenPages:
    """A physio's page of the earlier version is still open when the change comes."""

    def test_a_decision_is_not_lost_and_leads_to_the_newest(self, desk, sent):
        visitor, response = sent
        finding = next(one for one in chain(response) if one.rule.rule_id == "overpronation-kneecap")
        change(visitor, foot=FOOT)
        current = newest(response)
        answer = decide(desk, response, finding, "dismiss", note="Video <b>", reason="old-injury")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "The patient sent changed answers on" in page
        assert rows(Verdict) == []
        same = next(one for one in chain(current) if one.rule.rule_id == "overpronation-kneecap")
        assert f'href="#finding-{same.pk}"' in page
        assert 'value="Video &lt;b&gt;"' in page
        assert '<option value="old-injury" selected>' in page
        assert address(current) in page
        decide(desk, current, same, "dismiss", note="Video", reason="old-injury")
        assert [one.finding_id for one in rows(Verdict)] == [same.pk]

    def test_of_another_patients_finding_it_says_nothing(self, desk, sent):
        visitor, response = sent
        (other, *_rest) = chain(factories.make_response(factories.ROLLING_IN))
        change(visitor, foot=FOOT)
        before = len(rows(Verdict))
        assert decide(desk, response, other, "confirm").status_code == 404
        assert decide(desk, newest(response), other, "confirm").status_code == 404
        assert len(rows(Verdict)) == before

    def test_one_on_a_finding_that_is_gone_says_so_with_the_note(self, desk, sent):
        visitor, response = sent
        finding = next(one for one in chain(response) if one.rule.rule_id == "overpronation-kneecap")
        change(visitor, where={"pain.regions.left": ["sole-heel"], "pain.regions.right": ["none"]})
        page = decide(desk, response, finding, "confirm", note="Seen on video").content.decode()
        assert 'href="#changes"' in page
        assert "Your note was: “Seen on video”" in page

    @pytest.mark.parametrize("do", ["finish", "reopen"])
    def test_finishing_and_opening_again_lead_to_the_newest(self, desk, sent, physio, do):
        visitor, response = sent
        if do == "reopen":
            review_all(response, physio)
        change(visitor)
        page = desk.post(address(response), {"do": do}).content.decode()
        assert "This is the newest version." in page
        assert address(newest(response)) in page

    def test_a_call_is_kept_with_what_was_typed_and_recorded_on_the_newest(self, desk, physio):
        visitor, invitation = sent_form(FLAG, physio=physio)
        with audit.audited("tests.read", by=factories.SETUP):
            response = QuestionnaireResponse.objects.get(evaluation=invitation.evaluation_id)
        visitor.client.post("/intake/advice/", {"answer": "understood"})
        change(visitor)
        page = call(desk, response, next_step="Sees her doctor").content.decode()
        assert "This is the newest version." in page
        assert rows(RedFlagContact) == []
        assert "Sees her doctor</textarea>" in page
        current = newest(response)
        flags = "".join(re.findall(r'name="flags" value="([^"]*)"', page))
        assert call(desk, current, flags=flags).status_code == 303
        (contact,) = rows(RedFlagContact)
        assert contact.response_id == current.pk

    def test_a_call_recorded_before_the_change_stays_visible(self, desk, physio):
        visitor, invitation = sent_form(FLAG, physio=physio)
        with audit.audited("tests.read", by=factories.SETUP):
            response = QuestionnaireResponse.objects.get(evaluation=invitation.evaluation_id)
        assert call(desk, response, next_step="Sees her doctor").status_code == 303
        visitor.client.post("/intake/advice/", {"answer": "understood"})
        change(visitor)
        page = text(desk.get(address(newest(response))))
        assert "“Sees her doctor”" in page
        assert "Red flags: the call is recorded" in page

    def test_a_flag_that_came_in_meanwhile_asks_once_and_keeps_what_was_typed(self, desk, sent):
        """Typed in a change that is not sent: it stands on the page that is open."""
        visitor, response = sent
        visitor.client.post("/intake/change/")
        with audit.covered():
            definition = response.questionnaire.tree()
        answers = filled_in(definition, factories.SWOLLEN_CALF)
        visitor.save("safety", {k: v for k, v in answers.items() if k.startswith("safety.")})
        page = call(desk, response, flags="").content.decode()
        assert "A red flag came in while this page was open." in page
        flags = "".join(re.findall(r'name="flags" value="([^"]*)"', page))
        assert call(desk, response, flags=flags).status_code == 303


def test_a_review_cannot_be_finished_while_a_change_that_is_typed_needs_help(desk, sent):
    visitor, response = sent
    for finding in chain(response):
        decide(desk, response, finding, "confirm")
    visitor.client.post("/intake/change/")
    with audit.covered():
        definition = response.questionnaire.tree()
    answers = filled_in(definition, factories.SWOLLEN_CALF)
    visitor.save("safety", {k: v for k, v in answers.items() if k.startswith("safety.")})
    page = desk.post(address(response), {"do": "finish"}).content.decode()
    assert "Record what was done about the urgent answer" in page


def test_the_newest_version_is_the_one_the_visits_page_opens(desk, sent):
    visitor, response = sent
    change(visitor)
    page = desk.get(f"/staff/intake/evaluation/{response.evaluation_id}/change/").content.decode()
    assert str(newest(response).pk) in page
    assert str(response.pk) not in page


class TestTheWorklist:
    def listed(self, client, response) -> str:
        """The intake's row, in words."""
        page = client.get("/staff/intake/evaluation/?day=coming").content.decode()
        (row,) = [one for one in re.findall(r"(?s)<tr.*?</tr>", page) if str(response.pk) in one]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row))

    def test_a_row_says_that_answers_changed_until_somebody_decides_on_them(self, desk, sent, physio):
        visitor, response = sent
        assert "Answers changed" not in self.listed(desk, response)
        review_all(response, physio)
        change(visitor, foot=FOOT)
        current = newest(response)
        row = self.listed(desk, current)
        assert "Answers changed" in row
        assert "To review" in row
        kneecap = next(one for one in chain(current) if one.rule.rule_id == "overpronation-kneecap")
        decide(desk, current, kneecap, "confirm")
        row = self.listed(desk, current)
        assert "Answers changed" not in row
        assert "In review" in row
        desk.post(address(current), {"do": "finish"})
        assert "Answers changed" not in self.listed(desk, current)

    def test_the_front_desk_is_not_told(self, sent):
        visitor, _response = sent
        change(visitor)
        reception = browser(factories.make_user("front desk"))
        page = reception.get("/staff/intake/evaluation/?day=coming").content.decode()
        assert "To review" in page
        assert "Answers changed" not in page


class TestNews:
    """What a page that stands open asks for by itself."""

    def news(self, client, response, page):
        """As the script of this page asks."""
        path = re.search('data-news="([^"]*)"', page).group(1)
        return client.get(path, {"seen": re.search('data-seen="([^"]*)"', page).group(1), "back": "mine=1"})

    def test_nothing_new_is_no_answer_and_no_line_in_the_trail(self, desk, sent):
        _visitor, response = sent
        page = desk.get(address(response)).content.decode()
        before = audit.AuditEvent.objects.count()
        answer = self.news(desk, response, page)
        assert (answer.status_code, answer.content) == (204, b"")
        assert audit.AuditEvent.objects.count() == before

    def test_changed_answers_lead_to_the_newest_version(self, desk, sent):
        visitor, response = sent
        page = desk.get(address(response)).content.decode()
        change(visitor, foot=FOOT)
        said = self.news(desk, response, page).json()
        assert re.fullmatch(r"The patient sent changed answers at [0-9:]+ [ap]m\.", said["words"])
        assert said["label"] == "Open the newest version"
        assert said["href"].startswith(address(newest(response)))
        assert "back=" in said["href"]
        assert "data-news" not in desk.get(address(response)).content.decode()

    def test_a_colleagues_decision_leads_to_its_finding_and_ones_own_is_no_news(self, desk, sent):
        _visitor, response = sent
        finding, *_others = chain(response)
        page = desk.get(address(response)).content.decode()
        decide(desk, response, finding, "confirm")
        assert self.news(desk, response, page).status_code == 204
        colleague = browser(factories.make_user("physio", first_name="Ada", last_name="Lind", title="Dr."))
        decide(colleague, response, finding, "dismiss", reason="old-injury", note="Surgery")
        said = self.news(desk, response, page).json()
        assert re.fullmatch(r"Dr\. Lind decided on a finding at [0-9:]+ [ap]m\.", said["words"])
        assert said["href"].endswith(f"#finding-{finding.pk}")
        assert "Surgery" not in str(said)
        assert finding.rule.title not in str(said)
        shown = desk.get(said["href"]).content.decode()
        assert self.news(desk, response, shown).status_code == 204

    def test_a_decision_that_was_kept_is_no_news(self, desk, sent):
        visitor, response = sent
        colleague = browser(factories.make_user("physio"))
        for finding in chain(response):
            decide(colleague, response, finding, "confirm")
        change(visitor)
        current = newest(response)
        page = desk.get(address(current)).content.decode()
        assert self.news(desk, current, page).status_code == 204
