"""Junk in: a clear word beside the field or a 4xx, no error 500 ever, and nothing typed is lost (R34)."""

import random
import uuid

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.security import MAX_BODY_BYTES, MAX_FIELDS
from intake.patients.models import Invitation
from intake.questionnaires.pages import pages
from intake.responses.answers import check
from tests.integration.intake.tables import digests
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
ABOUT = "/intake/about/"


@pytest.fixture
def visit() -> tuple[Visitor, Invitation]:
    invitation, token = invited()
    return Visitor(token).open(), invitation


def post_raw(
    visitor: Visitor, body: bytes | str, content_type: str = FORM, path: str = ABOUT, **headers: str
):
    return visitor.client.generic("POST", path, body, content_type=content_type, headers=headers)


# ------------------------------------------------------------ words

KEPT = {
    "emoji": "Sore \U0001f9b5\U0001f3fd\u200d\u2642\ufe0f since spring",
    "script": "<script>alert(1)</script>",
    "attribute": "\"' onmouseover='alert(1)",
    "template": "{{ 7|add:7 }} {% debug %}",
    "right to left": "\u202edekcart\u202c \u05e9\u05dc\u05d5\u05dd",
    "accents": "Zal\u0300go\u0301 \u0301\u0301\u0301",
    "sql": "'; DROP TABLE intake_patient; --",
    "lines": "one\ntwo\n\nfour",
    "exactly the limit": "x" * 500,
    "percent": "100% %s %(name)s %00",
    "backslash": "C:\\new\\u0000",
}


@pytest.mark.parametrize("name", KEPT)
def test_words_are_kept_as_they_are_and_shown_as_text(name: str, visit):
    visitor, invitation = visit
    words = KEPT[name]
    assert visitor.autosave("about", {"why.story": [words]}).status_code == 200
    assert stored(invitation).answers["why.story"] == [words]
    for page in (visitor.page("about").text, visitor.look(reverse("intake:check")).text):
        assert "<script>alert(1)" not in page
        assert "onmouseover='alert" not in page
        assert "{% debug %}" not in words or "{% debug %}" in page


REFUSED = {
    "too long": ("x" * 5000, "Use 500 characters or fewer. You have 5,000"),
    "one too many": ("x" * 501, "Use 500 characters or fewer. You have 501"),
    "NUL": ("before\x00after", "This has a character we cannot keep. Please write it without"),
    "escape": ("before\x1b[31mafter", "This has a character we cannot keep. Please write it without"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_words_that_cannot_be_kept_are_shown_again_with_what_to_do(name: str, visit):
    visitor, invitation = visit
    words, message = REFUSED[name]
    visitor.autosave("about", {"why.story": ["as it was"]})
    response = visitor.save("about", {"why.story": [words], "why.main-problem": ["knee"]})
    assert response.status_code == 200
    assert message in response.text
    assert words.split("\x00")[0].split("\x1b")[0] in response.text
    assert words[-5:] in response.text
    assert "\x00" not in response.text
    answers = stored(invitation).answers
    assert answers["why.story"] == ["as it was"]
    assert answers["why.main-problem"] == ["knee"]


# ------------------------------------------------------------ answers

WRONG = {
    "option not offered": ("about", "why.main-problem", ["shoulder"], "Choose from the answers below"),
    "two where one": ("about", "why.main-problem", ["knee", "hip-thigh"], "Choose only one answer"),
    "over the scale": ("pain", "pain.now", ["11"], "Choose a number from 0 to 10"),
    "under the scale": ("pain", "pain.now", ["-1"], "Choose a number from 0 to 10"),
    "word for a number": ("pain", "pain.now", ["lots"], "Choose a number from 0 to 10"),
    "fraction": ("pain", "pain.now", ["3.5"], "Choose a number from 0 to 10"),
    "not a number": ("pain", "pain.now", ["NaN"], "Choose a number from 0 to 10"),
    "huge number": ("pain", "pain.now", ["9" * 400], "Choose a number from 0 to 10"),
    "other digits": ("pain", "pain.now", ["\u0665"], "Choose a number from 0 to 10"),
    "age": ("about", "about.age", ["1000000"], "Enter a whole number"),
    "none and one": ("health", "health.conditions", ["none", "diabetes"], "stands alone"),
    "two that stand alone": ("where", "pain.regions.left", ["none", "unsure"], ""),
    "maybe": ("safety", "safety.injury.left", ["maybe"], "Choose Yes or No"),
    "option of the other question": ("safety", "safety.body-signs", ["calf-swollen"], "Choose from"),
    "NUL in an option": ("health", "health.conditions", ["diabetes\x00"], "Choose from"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_answer_that_does_not_fit_gets_a_word_and_is_not_stored(name: str, visit):
    visitor, invitation = visit
    slug, link_id, values, message = WRONG[name]
    response = visitor.save(slug, {link_id: values})
    assert response.status_code == 200
    assert "<title>Error: " in response.text
    assert message in response.text
    assert link_id not in stored(invitation).answers
    saved = visitor.autosave(slug, {link_id: values})
    assert saved.status_code == 200
    assert link_id not in stored(invitation).answers


def test_names_nobody_asked_for_are_ignored(visit):
    visitor, invitation = visit
    names = {
        "no.such.link": ["x"],
        "__proto__": ["x"],
        "why.story.left": ["x"],
        "a" * 900: ["x"],
        "pain.now": ["5"],
        "id": [str(uuid.uuid4())],
    }
    assert visitor.save("about", {"why.story": ["mine"], **names}).status_code == 200
    assert stored(invitation).answers == {"why.story": ["mine"]}


def test_pages_posted_out_of_order_are_taken_as_they_come(visit):
    visitor, invitation = visit
    slugs = [page.slug for page in pages(invitation.questionnaire.tree())]
    random.Random(7).shuffle(slugs)
    for slug in slugs:
        assert visitor.save(slug, {}).status_code in (200, 303)
    assert visitor.send().status_code == 200
    assert stored(invitation).status == "in-progress"


def test_follow_up_questions_of_what_was_never_asked_are_not_stored(visit):
    """The question stands on no page of hers: its condition is about another page."""
    visitor, invitation = visit
    visitor.save("knee", {"knee.aggravators.right": ["stairs-down"]})
    assert "knee.aggravators.right" not in stored(invitation).answers


# ------------------------------------------------------------ requests


@pytest.mark.parametrize(
    ("body", "content_type", "statuses"),
    [
        (b"why.story=%ED%A0%80lone", FORM, {200}),
        (b"why.story=%FF%FE%00", FORM, {200}),
        (b"why.story=%", FORM, {200}),
        (b"&&&===&=&%00=%00", FORM, {200}),
        (b"\x00" * 1000, FORM, {200}),
        (b"why.story=x", f"{FORM}; charset=utf-16", {415}),
        (b"why.story=%2BADw-", f"{FORM}; charset=utf-7", {415}),
        (b"why.story=x", f"{FORM}; charset=rot13", {415}),
        (b"why.story=x", f"{FORM}; charset=no-such", {415}),
        (b"why.story=x", f"{FORM}; charset=", {200, 415}),
        (b'{"why.story": "x"}', "application/json", {200}),
        (b"<a/>", "text/xml", {200}),
        (b"x", "", {200}),
        (b"x", "multipart/form-data", {400}),
        (b"x", "multipart/form-data; boundary=", {400}),
        (b"x", "multipart/form-data; boundary=\xff", {400}),
        (b"no boundary in here", "multipart/form-data; boundary=b", {200, 400}),
        (
            b'--b\r\nContent-Disposition: form-data; name="why.story"\r\n\r\n',
            "multipart/form-data; boundary=b",
            {200},
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="why.story"; filename="a"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            {200},
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="why.story"\r\n\r\n+2AA-\r\n--b--\r\n',
            "multipart/form-data; boundary=b; charset=utf-7",
            {415},
        ),
        (b"why.story=" + b"x" * MAX_BODY_BYTES, FORM, {413}),
        (b"&".join(b"f%d=1" % number for number in range(MAX_FIELDS + 100)), FORM, {400}),
        (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
            + b"x" * MAX_BODY_BYTES
            + b"\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
            {413},
        ),
    ],
)
def test_odd_bodies_get_an_answer_and_store_nothing_odd(
    body: bytes, content_type: str, statuses: set[int], visit
):
    visitor, invitation = visit
    visitor.autosave("about", {"about.age": [40]})
    response = post_raw(visitor, body, content_type)
    assert response.status_code in statuses
    assert response.content
    definition = invitation.questionnaire.tree()
    draft = stored(invitation)
    assert check(definition, draft.answers) == []
    response.content.decode("utf-8")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X" * 300])
def test_odd_methods_are_refused(method: str, visit):
    visitor, _ = visit
    before = digests()
    for path in (ABOUT, "/intake/check/", "/intake/advice/", "/intake/leave/", "/intake/open/x/"):
        response = visitor.client.generic(method, path, b"why.story=x", content_type=FORM)
        assert response.status_code in (404, 405)
    assert digests() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "csrf=x; intake"},
        {"Cookie": ";;;=;=\x01"},
        {"X-Autosave": "\xff" * 2000},
        {"Accept-Language": "x" * 5000},
        {"Range": "bytes=0-0"},
        {"If-None-Match": "*"},
        {"X-Forwarded-For": "junk"},
        {"X-Forwarded-Host": "evil.example"},
        {"Content-Length": "-5"},
        {"Content-Length": "lots"},
        {"Content-Type": ";;;"},
        {"Origin": "\x00"},
    ],
)
def test_odd_headers_get_an_answer(headers: dict[str, str], visit):
    visitor, _ = visit
    for path in ("/", "/intake/", ABOUT, visitor.link, "/healthz", "/staff/login/"):
        assert visitor.client.get(path, headers=headers).status_code < 500
        assert visitor.client.post(path, headers=headers).status_code < 500


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1", "testserver:x"]
)
def test_a_foreign_host_is_refused(host: str, visit):
    visitor, _ = visit
    response = visitor.client.get(visitor.link, headers={"Host": host})
    assert response.status_code == 400
    assert "evil" not in response.text


def test_links_in_mails_do_not_come_from_the_request(visit, mail_dir):
    from intake import journey

    visitor, invitation = visit
    visitor.look("/intake/", headers={"X-Forwarded-Host": "evil.example"})
    journey.deliver_invitation(invitation_id=invitation.pk)
    (mail,) = [path.read_text() for path in mail_dir.glob("*")]
    assert "evil" not in mail
    assert "http://127.0.0.1:8000/intake/open/" in mail


@pytest.mark.parametrize(
    "query", ["?list=%00", "?list=" + "x" * 4000, "?change=%ff", "?=&&;;", "?list=1&list=0"]
)
def test_odd_queries_get_the_page(query: str, visit):
    visitor, _ = visit
    assert visitor.page("where", query).status_code == 200


@pytest.mark.parametrize(
    ("month", "day", "year", "words"),
    [
        ("13", "40", "1986", "Enter a real date, like 4 12 1986."),
        ("", "", "", "Enter your date of birth."),
        ("4", "12", "86", "Enter all four numbers of the year"),
        ("4", "12", "2999", "Enter a date of birth in the past."),
        ("4", "12", "1899", "Enter a year after 1900."),
        ("2", "30", "1986", "Enter a real date"),
        ("x" * 5000, "12", "1986", "Enter a real date"),
        ("\u00b2", "12", "1986", "Enter a real date"),
        ("\u0664", "12", "1986", "Enter a real date"),
        ("4\x00", "12", "1986", "Enter a real date"),
        ("<b>", "\"'", "1986", "Enter a real date"),
        ("-4", "+12", "1986", "Enter a real date"),
        ("0", "0", "0000", "Enter a real date"),
    ],
)
def test_a_date_that_is_none_is_named_and_shown_again_and_costs_no_try(
    month: str, day: str, year: str, words: str
):
    _, token = invited()
    before = digests()
    visitor = Visitor(token)
    response = visitor.client.post(visitor.link, {"month": month, "day": day, "year": year})
    assert response.status_code == 200
    assert "<title>Error: " in response.text
    assert words in response.text
    assert "<b>" not in response.text.split("c-dob")[1].split("</fieldset>")[0]
    if year and "\x00" not in month and len(month) < 10 and month.isalnum():
        assert f'value="{month}"' in response.text
    assert digests() == before


# ------------------------------------------------------------ whatever anybody sends

NAMES = st.sampled_from(
    [
        "about.age",
        "why.story",
        "why.main-problem",
        "pain.now",
        "safety.body-signs",
        "pain.regions.left",
        "switch",
        "view",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(["none", "knee", "true", "false", "11", "\x00"]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    slug=st.sampled_from(["about", "pain", "safety", "where", "life", "try", "knee"]),
    data=st.dictionaries(st.one_of(NAMES, st.text(max_size=12)), st.lists(TEXTS, max_size=3), max_size=6),
)
def test_no_form_makes_an_error_and_no_invalid_answer_is_ever_stored(
    slug: str, data: dict[str, list[str]], visit
):
    visitor, invitation = visit
    clean = {name.encode(errors="replace").decode(): values for name, values in data.items()}
    clean = {n: [v.encode(errors="replace").decode() for v in values] for n, values in clean.items()}
    clean.pop("leave", None)
    response = visitor.client.post(reverse("intake:page", args=[slug]), clean)
    assert response.status_code < 500
    draft = stored_or_nothing(invitation)
    assert check(invitation.questionnaire.tree(), draft, consents=False) == []
    if response.status_code == 200 and "urgent-title" in response.text:
        visitor.client.post(reverse("intake:advice"), {"answer": "understood"})


def stored_or_nothing(invitation: Invitation) -> dict:
    from intake import audit
    from intake.responses.models import QuestionnaireResponse
    from tests.factories import SETUP

    with audit.audited("tests.read", by=SETUP):
        found = QuestionnaireResponse.objects.filter(evaluation=invitation.evaluation_id).first()
    return found.answers if found else {}
