"""Production refuses to start while anything is unsafe, and says what to set (R40, R42)."""

import json
import logging
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as running
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import BadSignature, Signer
from django.test import Client
from django.urls import reverse

from clinic import checks, demo, environment
from clinic.middleware import UtcLine
from education.newsletter import subscribe
from education.newsletter.models import Subscriber
from tests.conftest import ROOT
from tests.factories import make_user

KEY = "only-for-a-test-zq7Xw2mK9vTr4LpB8sNc3HdJ6fYgA1eU-long-enough"
OTHER = "another-for-a-test-Yw3nL0xUs5MqC9tOd4IeK7gZhB2fV-long-enough"
REMOTE = "postgres://footing_app:x@db.clinic.example/footing"
GOOD = {
    "CLINIC_MODE": "production",
    "SECRET_KEY": KEY,
    "SITE_URL": "https://intake.clinic.example",
    "ALLOWED_HOSTS": "intake.clinic.example",
    "DATABASE_URL": "postgres://footing_app:x@127.0.0.1/footing",
    "EMAIL_HOST": "mail.clinic.example",
    "DEFAULT_FROM_EMAIL": "visits@clinic.example",
    "ON_CALL_EMAIL": "on-call@clinic.example",
}


@pytest.fixture
def start(monkeypatch):
    """The settings as a process with this environment would have them."""

    def read(command: str = "", **changes: str | None) -> dict[str, Any]:
        for name in list(os.environ):
            if name not in ("PATH", "HOME"):
                monkeypatch.delenv(name)
        for name, value in (GOOD | changes).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["manage.py", command] if command else ["gunicorn"])
        spec = spec_from_file_location("settings_of_a_test", ROOT / "clinic" / "settings.py")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return vars(module)

    return read


UNSAFE = [({name: None}, f"Set {name}") for name in GOOD if name not in ("CLINIC_MODE",)] + [
    ({"CLINIC_MODE": "staging"}, "demo or production"),
    ({"SECRET_KEY": "x" * 60}, "SECRET_KEY is weak"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is weak"),
    ({"SECRET_KEY": f"django-insecure-{KEY}"}, "SECRET_KEY is weak"),
    ({"SECRET_KEY_FALLBACKS": "old"}, "SECRET_KEY_FALLBACKS is weak"),
    ({"SECRET_KEY_FALLBACKS": KEY}, "must be another"),
    ({"SITE_URL": "http://intake.clinic.example"}, "https://"),
    ({"SITE_URL": "https://"}, "https://"),
    ({"SITE_URL": "https://intake.clinic.example/portal"}, "without a path"),
    ({"SITE_URL": "https://other.clinic.example"}, "host of SITE_URL"),
    ({"ALLOWED_HOSTS": "*"}, "name the hosts"),
    ({"ALLOWED_HOSTS": "intake.clinic.example,*"}, "name the hosts"),
    ({"ALLOWED_HOSTS": ".clinic.example"}, "name the hosts"),
    ({"DATABASE_URL": "postgres://postgres:x@127.0.0.1/footing"}, "superuser"),
    ({"DATABASE_OWNER_URL": "postgres://footing_app:y@127.0.0.1/footing"}, "same role"),
    ({"DATABASE_OWNER_URL": "postgres://postgres:y@127.0.0.1/footing"}, "superuser"),
    ({"DATABASE_URL": REMOTE}, "verify-full"),
    ({"DATABASE_URL": f"{REMOTE}?sslmode=require"}, "verify-full"),
    ({"DATABASE_URL": "postgres://footing_app:x@/footing?host=db.clinic.example"}, "verify-full"),
    ({"EMAIL_USE_TLS": "0"}, "in the clear"),
    ({"EMAIL_USE_TLS": "1", "EMAIL_USE_SSL": "1"}, "set one of them"),
    ({"RECORD_YEARS": "6"}, "RECORD_YEARS must be 7"),
    ({"UNUSED_DAYS": "1"}, "UNUSED_DAYS must be 7"),
    ({"CLINIC_MODE": "demo", "DATABASE_URL": f"{REMOTE}?sslmode=verify-full"}, "on another machine"),
]


@pytest.mark.parametrize(("changes", "says"), UNSAFE, ids=lambda one: str(one)[:60])
def test_production_refuses_to_start(start, changes: dict[str, str | None], says: str):
    with pytest.raises(ImproperlyConfigured, match=says) as refused:
        start(**changes)
    assert KEY not in str(refused.value)
    assert ":x@" not in str(refused.value)


def test_it_starts_once_all_is_safe(start):
    for changes in (
        {},
        {"DATABASE_URL": f"{REMOTE}?sslmode=verify-full&sslrootcert=system"},
        {"DATABASE_OWNER_URL": "postgres://footing_owner:y@127.0.0.1/footing"},
        {"EMAIL_USE_SSL": "1", "EMAIL_PORT": "465"},
        {"EMAIL_HOST": "localhost", "EMAIL_USE_TLS": "0"},
        {"SECRET_KEY_FALLBACKS": OTHER, "SITE_URL": "https://intake.clinic.example/"},
    ):
        assert start(**changes)["SITE_URL"] == "https://intake.clinic.example"


def test_only_the_owner_of_the_tables_migrates(start):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_OWNER_URL"):
        start("migrate")
    assert start("migrate", DATABASE_OWNER_URL="postgres://footing_owner:y@127.0.0.1/footing")["AS_OWNER"]


def test_a_refusal_ends_the_process_before_anything_is_served():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **GOOD, "SITE_URL": "http://intake.clinic.example"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "SITE_URL must start with https://" in done.stderr


@pytest.mark.parametrize("name", ["DEBUG", "DJANGO_DEBUG"])
@pytest.mark.parametrize("mode", ["production", "demo"])
def test_there_is_no_debug_mode(start, name: str, mode: str):
    assert start(CLINIC_MODE=mode, **{name: "1"})["DEBUG"] is False
    assert running.DEBUG is False


def test_production_speaks_tls_and_says_so_for_a_year(start):
    found = start()
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is found["SECURE_HSTS_PRELOAD"] is True
    assert found["EMAIL_USE_TLS"] is True
    assert "SECURE_PROXY_SSL_HEADER" not in found
    # Only who has a proxy says so: anybody could send the header.
    assert start(BEHIND_TLS_PROXY="1")["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


# ---- secrets in files


def test_a_secret_comes_from_a_file_that_nobody_else_reads(start, tmp_path: Path):
    files = {}
    for name, value in {
        "SECRET_KEY": KEY,
        "SECRET_KEY_FALLBACKS": OTHER,
        "DATABASE_URL": "postgres://from_file:x@127.0.0.1/footing",
        "EMAIL_HOST_PASSWORD": "Zyxsecret",
    }.items():
        path = tmp_path / name
        path.write_text(f"{value}\n")
        path.chmod(0o600)
        files |= {f"{name}_FILE": str(path), name: None}
    found = start(**files)
    assert (found["SECRET_KEY"], found["SECRET_KEY_FALLBACKS"]) == (KEY, [OTHER])
    assert found["DATABASES"]["default"]["USER"] == "from_file"
    assert found["EMAIL_HOST_PASSWORD"] == "Zyxsecret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_can_read_is_refused(start, tmp_path: Path, mode: int):
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(mode)
    with pytest.raises(ImproperlyConfigured, match="chmod 600") as refused:
        start(SECRET_KEY=None, SECRET_KEY_FILE=str(path))
    assert KEY not in str(refused.value)


def test_a_file_that_is_none_is_refused(start, tmp_path: Path):
    empty, odd = tmp_path / "empty", tmp_path / "odd"
    empty.write_text(" \n")
    odd.write_bytes(b"\xff\xfe")
    for path in (empty, odd):
        path.chmod(0o600)
    for path, says in (
        (empty, "is empty"),
        (odd, "no text"),
        (tmp_path, "cannot be read"),
        (odd / "x", "read"),
    ):
        with pytest.raises(ImproperlyConfigured, match=says):
            start(SECRET_KEY=None, SECRET_KEY_FILE=str(path))
    with pytest.raises(ImproperlyConfigured, match="both set"):
        start(SECRET_KEY_FILE=str(empty))


def test_the_list_of_secrets_stands_in_the_example():
    example = (ROOT / ".env.example").read_text()
    assert [name for name in environment.SECRETS if name not in example] == []


# ---- a key is changed while people are at work


@pytest.mark.django_db
def test_a_key_that_was_changed_still_opens_what_it_signed(settings):
    settings.SECRET_KEY = OTHER
    client = Client()
    client.force_login(make_user("owner"))
    subscriber = Subscriber.objects.create(email="reader@example.org")
    link = subscribe.confirm_url(subscriber)
    signed = Signer().sign("word")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = KEY, [OTHER]
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(link).status_code == 200
    assert Signer().unsign(signed) == "word"
    # The session was written anew with the new key, so the old one can go.
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(reverse("admin:index")).status_code == 200
    with pytest.raises(BadSignature):
        Signer().unsign(signed)


@pytest.mark.django_db
def test_the_database_tells_what_the_role_may(monkeypatch):
    assert checks.the_role_that_runs(None, databases=["default"]) == []
    assert checks.the_role_that_runs(None) == []
    monkeypatch.setattr(checks, "_ROLE", "SELECT true, true")
    found = [problem.id for problem in checks.the_role_that_runs(None, databases=["default"])]
    assert found == ["clinic.E001", "clinic.E002"]


@pytest.mark.django_db
def test_the_demo_makes_nobody_up_in_a_database_of_others():
    make_user("owner", username="not-of-the-demo")
    with pytest.raises(demo.NotDemo, match="not the demo's database"):
        demo.seed()


def test_a_line_of_the_log_cannot_be_forged_and_is_in_utc():
    record = logging.LogRecord("x", logging.INFO, "", 1, "one\r\n2026-01-01 forged", (), None)
    record.created = 0.0
    line = UtcLine().format(record)
    assert line.startswith("1970-01-01T00:00:00")
    assert "\n" not in line
    assert "\r" not in line
    assert json.dumps(line)
