"""The review page stays small: one finding open, the others by name until they are asked for."""

import re

import pytest
from django.urls import reverse

from intake import audit
from intake.screening.models import Finding
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def intake(physio):
    response = factories.make_response(
        factories.ROLLING_IN, evaluation=factories.make_evaluation(physio=physio)
    )
    factories.give_findings(response, 5)
    return response


@pytest.fixture
def keys(intake) -> list[int]:
    with audit.audited("tests.read", by=factories.SETUP):
        found = Finding.objects.filter(response=intake, rule__kind="chain").order_by("-score", "pk")
        return list(found.values_list("pk", flat=True))


def drawn(page: str) -> list[tuple[int, str]]:
    """Every finding of the page in its order, and how it is drawn."""
    found = []
    for tag, key in re.findall(r'<(article|h3)[^>]* id="finding-(\d+)"[^>]*>', page):
        card = page.split(f'id="finding-{key}"', 1)[1].split("</article>")[0]
        whole = "Because " in card
        found.append((int(key), "name" if tag == "h3" else "whole" if whole else "decided"))
    return found


def look(desk, intake, query: str = "") -> str:
    answer = desk.get(reverse("admin:intake_questionnaireresponse_review", args=[intake.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def decide(desk, intake, key: int, do: str) -> str:
    """Where the decision leads."""
    where = reverse("admin:intake_questionnaireresponse_review", args=[intake.pk])
    answer = desk.post(where, {"do": do, "finding": key, "seen": "0"})
    assert answer.status_code == 303
    return answer.headers["Location"].split("/review/")[1]


def test_the_first_is_open_and_the_others_are_named(desk, intake, keys):
    page = look(desk, intake)
    assert drawn(page) == [(keys[0], "whole"), *((key, "name") for key in keys[1:])]
    for key in keys[1:]:
        assert f'href="?show={key}#finding-{key}"' in page


def test_one_is_opened_by_its_name(desk, intake, keys):
    assert (keys[3], "whole") in drawn(look(desk, intake, f"?show={keys[3]}"))


@pytest.mark.parametrize("show", ["", "0", "999999999", "9" * 5000, "no-such", "²", "-1", "1e3"])
def test_whatever_else_is_asked_for_shows_the_first(desk, intake, keys, show):
    assert drawn(look(desk, intake, f"?show={show}"))[0] == (keys[0], "whole")


def test_all_are_opened_at_once_with_the_answers(desk, intake, keys):
    page = look(desk, intake, "?show=all")
    assert drawn(page) == [(key, "whole") for key in keys]
    assert "k-answers" in page
    assert "Open all findings" not in page


def test_a_decision_leads_to_the_next_and_can_be_taken_back_there(desk, intake, keys):
    onward = decide(desk, intake, keys[0], "confirm")
    assert onward == f"?show={keys[1]}#finding-{keys[1]}"
    page = look(desk, intake, onward)
    assert drawn(page)[:3] == [(keys[0], "decided"), (keys[1], "whole"), (keys[2], "name")]
    assert "Undo" in page
    assert decide(desk, intake, keys[0], "undo") == f"?show={keys[0]}#finding-{keys[0]}"


def test_who_decided_what_stands_beside_each_name(desk, physio, intake, keys):
    for key in keys[:2]:
        decide(desk, intake, key, "assess")
    page = look(desk, intake)
    assert drawn(page)[:3] == [(keys[0], "name"), (keys[1], "decided"), (keys[2], "whole")]
    name = page.split(f'id="finding-{keys[0]}"')[1].split("</h3>")[0]
    assert "To assess" in name
    assert physio.get_full_name() in name


def test_a_decision_that_is_refused_stands_open_with_what_was_typed(desk, intake, keys):
    where = reverse("admin:intake_questionnaireresponse_review", args=[intake.pk])
    page = desk.post(where, {"do": "dismiss", "finding": keys[2], "note": "Seen twice"}).content.decode()
    assert (keys[2], "whole") in drawn(page)
    assert 'value="Seen twice"' in page


def test_all_answers_come_when_they_are_asked_for(desk, intake):
    assert "Whole outer edge</dd>" not in look(desk, intake)
    assert "Whole outer edge</dd>" in look(desk, intake, "?show=answers")


def test_the_page_is_as_small_with_forty_findings_as_its_bar_says(desk, physio):
    evaluation = factories.make_evaluation(physio=physio)
    intake = factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
    factories.give_findings(intake, 40)
    page = look(desk, intake)
    assert "40 chain findings" in page
    assert "Open all findings, and 33 more" in page
    assert len(page.encode()) <= 25_000


def test_the_worklist_behind_it_is_kept(desk, intake, keys):
    page = look(desk, intake, "?back=status%3Dto-review")
    assert f'href="?back=status%3Dto-review&amp;show={keys[1]}#finding-{keys[1]}"' in page


class TestTheRuleBehindIt:
    """J5.4: who stands behind it, since when, and how often it was right."""

    def rule(self, page: str, key: int) -> str:
        told = page.split(f'id="finding-{key}-rule"', 1)[1].split("</details>")[0]
        return " ".join(re.sub(r"<[^>]+>", " ", told).split())

    def test_it_comes_when_it_is_asked_for_and_is_told_in_the_trail(self, desk, intake, keys):
        link = f'href="?show=rule-{keys[1]}#finding-{keys[1]}-rule"'
        assert link in look(desk, intake, f"?show={keys[1]}")
        page = look(desk, intake, f"?show=rule-{keys[1]}")
        assert (keys[1], "whole") in drawn(page)
        assert link not in page
        with audit.audited("tests.read", by=factories.SETUP):
            rule = Finding.objects.get(pk=keys[1]).rule
        said = self.rule(page, keys[1])
        assert f"Rule {rule.rule_id}, version 1. Shipped with Footing, last changed today." in said
        assert "Draft: not yet approved by a physio." in said
        assert f'href="{reverse("admin:intake_rule_change", args=[rule.pk])}"' in page
        seen = audit.AuditEvent.objects.filter(action="review.read").last().objects_seen
        assert seen["rule"] == [str(rule.pk)]

    def test_its_counts_stand_there_as_on_its_own_page(self, desk, physio, keys, intake):
        with audit.audited("tests.read", by=factories.SETUP):
            rule = Finding.objects.get(pk=keys[0]).rule
        before = self.rule(look(desk, intake, f"?show=rule-{keys[0]}"), keys[0])
        assert "Raised 1 time." in before
        assert "Confirmed 0 of 0 decided. Too few to say." in before
        for number in range(10):
            evaluation = factories.make_evaluation(physio=physio)
            other = factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
            with audit.audited("tests.read", by=factories.SETUP):
                same = Finding.objects.get(response=other, rule=rule)
            decide(desk, other, same.pk, "confirm" if number < 7 else "assess")
        after = self.rule(look(desk, intake, f"?show=rule-{keys[0]}"), keys[0])
        assert "Raised 11 times." in after
        assert "Confirmed 7 of 10 decided. Found 0 of 0 tested. Too few to say." in after
