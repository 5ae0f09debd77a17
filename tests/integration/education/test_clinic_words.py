"""The words an editor changes once for all pages, and the versions of the privacy notice."""

import hashlib
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from education.clinic_info.models import (
    SHIPPED_PRIVACY_DATE,
    SHIPPED_PRIVACY_VERSION,
    ClinicInfo,
    PrivacyNotice,
    SocialLink,
)
from tests.integration.education.test_pages import see
from tests.integration.intake.visitor import Visitor, invited

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("library")]

# The shipped privacy notice, by its version. Words that change take the next version and a new date.
SHIPPED_WORDS = {
    1: "a962d853b60cc630",
}


def set_clinic(**fields: Any) -> ClinicInfo:
    clinic = ClinicInfo.current()
    for name, value in fields.items():
        setattr(clinic, name, value)
    clinic.full_clean()
    clinic.save()
    return clinic


# ---- what every page shows


def test_an_edit_shows_on_the_next_page_and_one_taken_back_never_does() -> None:
    """Also on patients' pages, which keep parts that show these facts."""
    _, token = invited()
    patient = Visitor(token).open()

    def shown(phone: str) -> list[bool]:
        pages = [patient.client.get("/intake/about/").text, Client().get("/learn/").text]
        return [phone in page for page in pages]

    assert shown("(310) 555-0142") == [True, True]
    with transaction.atomic():
        set_clinic(phone="+13105550199", phone_display="(310) 555-0199")
        assert shown("(310) 555-0199") == [True, True]
        transaction.set_rollback(True)
    assert shown("(310) 555-0199") == [False, False]
    assert shown("(310) 555-0142") == [True, True]


# ---- social links


def test_social_links_are_read_line_by_line() -> None:
    clinic = set_clinic(
        social_links="Instagram https://www.instagram.com/clinic\r\n\r\n  Our films https://video.example/c  "
    )
    assert clinic.social == [
        SocialLink("Instagram", "https://www.instagram.com/clinic"),
        SocialLink("Our films", "https://video.example/c"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("https://www.instagram.com/clinic", 1),
        ("Instagram", 1),
        ("Instagram http://www.instagram.com/clinic", 1),
        ("Instagram javascript:alert(1)", 1),
        ("Instagram https://www.instagram.com/clinic\nYouTube www.youtube.com/clinic", 2),
    ],
)
def test_a_line_that_is_no_link_is_named(text: str, line: int) -> None:
    with pytest.raises(ValidationError, match=f"Line {line}: write a name, a space, and an address"):
        set_clinic(social_links=text)


def test_a_social_link_has_its_name_and_gives_nothing_away(client: Client) -> None:
    set_clinic(social_links="Insta & friends https://www.instagram.com/clinic?a=1&b=2")
    html = client.get("/").content.decode()
    assert (
        '<a class="c-tap" href="https://www.instagram.com/clinic?a=1&amp;b=2" '
        'rel="external me noopener noreferrer">Insta &amp; friends</a>'
    ) in html
    set_clinic(social_links="")
    assert "find us on" not in client.get("/").content.decode()


def test_nothing_leads_away_from_the_form() -> None:
    set_clinic(social_links="Instagram https://www.instagram.com/clinic")
    _, token = invited()
    page = Visitor(token).open().page("about").text
    assert "Privacy notice" in page
    assert "instagram" not in page


# ---- words

WITH_A_CALL = ("/", "/learn/", "/learn/flat-feet/", "/learn/course/", "/chain/", "/chain/knee/")


def test_the_call_is_ours_until_an_editor_writes_another(client: Client) -> None:
    for page in WITH_A_CALL:
        assert ("h2", "Find where it starts") in see(client, page).headings, page
    set_clinic(call_heading="<i>Come</i> and see", call_text="An hour is yours.")
    for page in WITH_A_CALL:
        seen = see(client, page)
        assert ("h2", "<i>Come</i> and see") in seen.headings, page
        assert "An hour is yours." in seen.text, page
        assert "looks at your whole chain" not in seen.text, page


def test_the_newsletters_words_change_wherever_its_form_stands(client: Client) -> None:
    set_clinic(newsletter_text="One lesson a month.")
    for page in ("/", "/learn/flat-feet/", "/newsletter/"):
        seen = see(client, page)
        assert "One lesson a month. We use your address for nothing else" in seen.text, page
        assert "Short lessons when there are new ones." not in seen.text, page


# ---- the privacy notice


def test_changed_words_of_the_shipped_notice_are_a_new_version() -> None:
    words = (settings.BASE_DIR / "templates/education/privacy_shipped.html").read_bytes()
    assert SHIPPED_WORDS[SHIPPED_PRIVACY_VERSION] == hashlib.sha256(words).hexdigest()[:16], (
        "intakes name the version a patient has seen: give these words the next one, and a new date"
    )


def test_the_shipped_notice_stands_until_an_editor_writes_one(client: Client) -> None:
    assert (PrivacyNotice.current().version, PrivacyNotice.current().in_force_on) == (
        SHIPPED_PRIVACY_VERSION,
        SHIPPED_PRIVACY_DATE,
    )
    assert ("h2", "What we keep") in see(client, "/privacy/").headings


def test_an_editors_notice_takes_the_next_number_and_its_words_are_text(client: Client) -> None:
    PrivacyNotice(text="First <b>line</b>.\r\n\r\n## A heading\n\nOne\ntwo").save()
    PrivacyNotice(text="## Third").save()
    assert [notice.version for notice in PrivacyNotice.objects.all()] == [3, 2]
    assert "Version 3, in force since" in see(client, "/privacy/").text
    notice = PrivacyNotice.objects.get(version=2)
    assert notice.blocks == [(False, "First <b>line</b>."), (True, "A heading"), (False, "One\ntwo")]


def test_words_of_a_notice_are_no_markup(client: Client) -> None:
    PrivacyNotice(text="## <i>A</i> heading\n\nFirst <script>line</script>.").save()
    html = client.get("/privacy/").content.decode()
    assert "<h2>&lt;i&gt;A&lt;/i&gt; heading</h2>" in html
    assert "<p>First &lt;script&gt;line&lt;/script&gt;.</p>" in html


def test_a_notice_waits_for_its_day(client: Client) -> None:
    PrivacyNotice(text="Tomorrow.", in_force_on=timezone.localdate() + timedelta(days=1)).save()
    assert PrivacyNotice.current().version == SHIPPED_PRIVACY_VERSION
    PrivacyNotice(text="Today.", in_force_on=date(2026, 1, 2)).save()
    page = see(client, "/privacy/").text
    assert "Version 3, in force since January 2, 2026 Today." in page


def test_what_people_have_seen_stays_as_it_was() -> None:
    notice = PrivacyNotice(text="Seen.")
    notice.save()
    notice.text = "Never said."
    for change in (notice.save, notice.delete, PrivacyNotice.objects.all().delete):
        with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
            change()
    notice = PrivacyNotice.objects.get()
    assert notice.text == "Seen."
