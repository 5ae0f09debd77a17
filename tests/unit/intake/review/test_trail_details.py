"""What a line of the trail says beside who, what and which, as the owner reads it."""

from typing import Any

import pytest

from intake.review.trail_details import in_words, page_words
from intake.review.who_acted import Staff

STAFF = Staff({"4": "Robin Hale", "7": "Kim Reyes"})


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("staff.role-changed", {"old": "front desk", "new": "owner"}, "front desk → owner"),
        ("staff.role-changed", {"old": "", "new": "owner"}, "– → owner"),
        (
            "work.handed-over",
            {"old": 4, "new": 7, "reviews": 3, "visits": 2},
            "Robin Hale → Kim Reyes; reviews: 3; visits: 2",
        ),
        ("work.handed-over", {"old": 99, "new": 7}, "An account that is gone → Kim Reyes"),
        (
            "staff.renamed",
            {"old": {"last_name": "Ortiz", "title": ""}, "new": {"last_name": "Bell", "title": ""}},
            "last name: Ortiz → Bell",
        ),
        (
            "access.refused",
            {"page": "intake_evaluation_briefs", "why": "role"},
            "page: the briefs of a day; why: not for their role",
        ),
        (
            "access.refused",
            {"page": "", "why": "not there"},
            "why: there is no such page or record",
        ),
        (
            "page.saved",
            {"page": "page.life", "ignored": 2},
            "part of the form: life; fields of another part: 2",
        ),
        ("rule.published", {"rule": "stiff-hip", "old": 1, "new": 2}, "version: 1 → 2; rule: stiff-hip"),
        ("rule.published", {"rule": "stiff-hip", "old": None, "new": 1}, "version: 1; rule: stiff-hip"),
        (
            "clinic.changed",
            {"changed": {"city": {"old": "Torrance", "new": "Lomita"}}},
            "city: Torrance → Lomita",
        ),
        ("patient.changed", {"changed": ["given_name", "phone"]}, "changed: given name, phone"),
        (
            "patient.erased",
            {"reason": "asked", "whole": False, "rows": 3},
            "reason: The patient asked for it; with the record: no; entries: 3",
        ),
        ("emergency.opened", {"reason": "asked"}, "reason: asked"),
        ("reminder.queued", {"kind": "week"}, "when: 7 days before"),
        ("retention.removed", {"kind": "access-code", "rows": 0}, "kind: access-code; entries: 0"),
        ("patient.exported", {"forms": ["json", "pdf"]}, "as: a file for another clinic, a PDF"),
        (
            "link.wrong-date",
            {"outcome": "Mismatch", "event": "wrong-date"},
            "what happened: Wrong date of birth",
        ),
        ("trail.reviewed", {"week": "2026-06-01"}, "week of: Jun 1, 2026"),
        ("evaluation.moved", {"changed": True}, ""),
        ("evaluation.moved", {"changed": False}, "changed: no"),
        ("review.read", {"break_glass": 5}, ""),
        ("finding.decided", {"decision": "refuted"}, ""),
        ("of.old", {"no_such-key": "x"}, "no such key: x"),
    ],
)
def test_a_detail_is_in_words(action: str, detail: dict[str, Any], words: str) -> None:
    assert in_words(action, detail, STAFF) == words


def test_a_page_is_called_by_the_longest_beginning_that_is_known() -> None:
    assert page_words("intake_questionnaireresponse_brief_pdf") == "a brief"
    assert page_words("intake_questionnaireresponse_news") == "an intake"
    assert page_words("nobody_knows") == "nobody_knows"
