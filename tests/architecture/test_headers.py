"""What every answer carries, whatever it is, and what no page ever holds."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from clinic.security import MAX_BODY_BYTES
from intake.questionnaires.pages import pages
from tests.architecture.answers import forbidden_in, lacking
from tests.architecture.conftest import ACTORS, World
from tests.architecture.failing_urls import FAILURES, SECRET
from tests.architecture.test_urls import ROWS, path_of, visit
from tests.architecture.urlconf import Pattern, patterns
from tests.conftest import ROOT
from tests.log_lines import log_lines

PUBLIC = (
    "education:home",
    "education:privacy",
    "education:chain",
    "education:part",
    "education:lessons",
    "education:lesson",
    "education:course",
    "education:category",
    "education:search",
    "education:feed",
    "education:sitemap",
    "education:robots",
    "education:newsletter",
    "education:newsletter_check",
)


def assert_complete(response: HttpResponse, path: str) -> None:
    assert lacking(response, path) == [], f"{path} {response.status_code}"


@pytest.fixture
def stranger() -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.key)
def test_every_url_carries_them_for_every_method(pattern: Pattern, world: World):
    """GET and POST are looked at with the matrix of test_urls.py."""
    path = path_of(pattern, ROWS[pattern.key], world)
    wrong = {}
    for actor in ("nobody", "physio"):
        for method in ("HEAD", "PUT", "DELETE", "OPTIONS"):
            response = visit(world.clients[actor], method, path)
            assert response.status_code < 500
            if what := lacking(response, path):
                wrong[f"{method} as {actor}"] = what
    assert wrong == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/no/such/page/", 404),
        ("/intake/no/such/page/", 404),
        ("/learn/no-such-lesson/", 404),
        ("/intake/open/no-such-token/", 404),
        ("/learn", 301),
        ("/intake", 301),
        ("/static/css/app.css", 200),
        ("/static/js/form.js", 200),
        ("/static/svg/favicon.svg", 200),
        ("/static/no-such-file.css", 404),
    ],
)
def test_missing_pages_redirects_and_files_carry_them(path: str, status: int, stranger: Client):
    response = stranger.get(path)
    assert response.status_code == status
    assert_complete(response, path)
    if response.streaming:
        response.close()


@pytest.mark.django_db
def test_refusals_carry_them(stranger: Client):
    path = reverse("intake:open", args=["x"])
    for expected, refused in (
        (403, stranger.post(path)),
        (403, stranger.post(path, headers={"Sec-Fetch-Site": "cross-site"})),
        (400, stranger.get(path, headers={"Host": "evil.example"})),
        (413, stranger.post(path, {"month": "1" * MAX_BODY_BYTES})),
        (415, stranger.generic("POST", path, b"month=1", content_type="text/plain; charset=utf-7")),
        (405, stranger.get(reverse("intake:leave"))),
    ):
        assert refused.status_code == expected
        assert_complete(refused, path)


@pytest.mark.django_db
@pytest.mark.usefixtures("failing_urls")
@pytest.mark.parametrize("area", ["/", "/intake/"])
@pytest.mark.parametrize("name", FAILURES)
def test_failures_carry_them_and_tell_nothing(name: str, area: str, stranger: Client):
    path = f"{area}fail/{name}/"
    with log_lines() as written:
        response = stranger.get(path)
    assert response.status_code == FAILURES[name][1]
    assert_complete(response, path)
    assert SECRET not in response.text
    assert SECRET not in written.getvalue()
    if response.status_code >= 500:
        assert written.getvalue()
    if response.status_code == 503:
        assert response.headers["Retry-After"] == "10"


@pytest.mark.django_db
def test_the_way_to_https_carries_them(settings):
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get("/intake/")
    assert response.status_code == 301
    assert response.headers["Location"].startswith("https://")
    assert_complete(response, "/intake/")


def test_production_keeps_its_cookies_to_itself():
    """In a process of its own: settings are read once."""
    code = (
        "import json; from clinic import settings as s; print(json.dumps({n: getattr(s, n) for n in dir(s)"
        " if n.startswith(('SESSION_COOKIE', 'CSRF_COOKIE', 'SECURE_')) or n.endswith('_COOKIE_NAME')}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "CLINIC_MODE": "production",
            "DATABASE_URL": "postgres:///not-needed",
            "SITE_URL": "https://intake.clinic.example",
            "ALLOWED_HOSTS": "intake.clinic.example",
            "SECRET_KEY": "only-for-a-test-zq7Xw2mK9vTr4LpB8sNc3HdJ6fYgA1eU-long-enough",
            "EMAIL_HOST": "mail.clinic.example",
            "DEFAULT_FROM_EMAIL": "visits@clinic.example",
            "ON_CALL_EMAIL": "on-call@clinic.example",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "PATIENT_COOKIE_NAME", "DEVICE_COOKIE_NAME")
    assert [name for name in names if not values[name].startswith("__Host-")] == []
    for kind in ("SESSION", "CSRF"):
        assert values[f"{kind}_COOKIE_SECURE"] is True
        assert values[f"{kind}_COOKIE_HTTPONLY"] is True
        assert values[f"{kind}_COOKIE_SAMESITE"] == "Lax"
    assert values["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert values["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert values["SECURE_SSL_REDIRECT"] is True


def test_the_patients_cookies_are_out_of_reach_of_scripts(world: World):
    client = Client()
    with transaction.atomic():
        response = client.post(
            reverse("intake:open", args=[world.token]),
            {"month": "1", "day": "5", "year": "1979"},
            headers={"Cookie": f"{settings.DEVICE_COOKIE_NAME}={device_of(world)}"},
        )
        transaction.set_rollback(True)
    assert response.status_code == 303
    for name in (settings.PATIENT_COOKIE_NAME, settings.DEVICE_COOKIE_NAME):
        cookie = response.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert response.cookies[settings.PATIENT_COOKIE_NAME]["max-age"] == ""
    assert response.cookies[settings.PATIENT_COOKIE_NAME]["expires"] == ""


def device_of(world: World) -> str:
    return world.clients["patient"].cookies[settings.DEVICE_COOKIE_NAME].value


# --------------------------------------------------------------------------------------- public pages


@pytest.mark.parametrize("key", PUBLIC)
@pytest.mark.parametrize("actor", ACTORS)
def test_public_pages_know_nobody(key: str, actor: str, world: World):
    """Whoever asks gets the same page, without a cookie: any cache may keep it."""
    pattern = next(one for one in patterns() if one.key == key)
    path = path_of(pattern, ROWS[key], world)
    response = visit(world.clients[actor], "GET", path)
    assert response.cookies.output() == ""
    assert "cookie" not in response.headers.get("Vary", "").lower()
    assert response.content == visit(world.clients["nobody"], "GET", path).content


# --------------------------------------------------------------------------------------- what pages hold


def test_no_page_of_the_form_holds_inline_style_or_script(world: World):
    """Every page of the questionnaire in every form; the other pages are looked at in test_urls.py."""
    found = {}
    seen = 0
    client = world.clients["patient"]
    for page in pages(world.draft.questionnaire.tree()):
        path = reverse("intake:page", args=[page.slug])
        for method, query in (("GET", ""), ("GET", "?list=1"), ("GET", "?change=1"), ("POST", "")):
            response = visit(client, method, path + query)
            seen += response.status_code == 200
            if what := forbidden_in(response.text):
                found[f"{method} {path}{query}"] = what
    assert found == {}
    # Self-tests hide beside the urgent answer; all other pages are here.
    assert seen >= 27


@pytest.mark.parametrize(
    "page",
    [
        "<p style='color:red'>",
        "<style>p{}</style>",
        "<script>1</script>",
        "<a onclick='x()'>",
        "<a href='javascript:x()'>",
        "<img src='https://cdn.example/x.png'>",
        "<link rel=stylesheet href='//cdn.example/x.css'>",
        "<form action='https://evil.example/'>",
        "<iframe src='/x'>",
    ],
)
def test_the_scan_would_find_it(page: str):
    assert forbidden_in(page)


def test_no_template_holds_inline_style_or_script():
    """Also what no test renders. Template tags are taken out first: they are no HTML."""
    found = {}
    for path in sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.svg")]):
        text = re.sub(r"{{.*?}}|{% (static|url) .*?%}", "x", path.read_text(encoding="utf-8"))
        text = re.sub(r"{%.*?%}|{#.*?#}", " ", text, flags=re.S)
        if what := forbidden_in(text):
            found[str(path.relative_to(ROOT))] = what
    assert found == {}


def test_nothing_of_ours_switches_escaping_off():
    """What patients type is shown as text. E-mails are plain text and may switch it off.

    One module joins pieces that our templates drew with words that it escapes one by one; `test_skeleton`
    compares its pages with those of the templates, tricky words among the answers. Another hands on what the
    editor wrote, cut to what its text field offers.
    """
    off = re.compile(r"\|\s*safe\b|\bsafeseq\b|mark_safe\(|autoescape off|SafeString\(")
    files = [path for app in ("clinic", "education", "intake") for path in (ROOT / app).rglob("*.py")]
    files += [path for path in (ROOT / "templates").rglob("*") if path.is_file() and path.suffix != ".txt"]
    found = [str(path.relative_to(ROOT)) for path in files if off.search(path.read_text(encoding="utf-8"))]
    assert sorted(found) == ["education/lessons/reading.py", "intake/responses/skeleton.py"]
