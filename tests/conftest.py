"""The tests' database: made by the owner role, used by the app role, like everywhere else.

Making it (migrations, catalogs, lessons, roles) takes seconds, so it is made once and kept as a template
whose name changes when anything it is made of changes; each run works on its own copy.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from clinic.database import find_binaries

ROOT = Path(__file__).resolve().parent.parent

# Examples run against a real database and a loaded machine: a slow one is no failure.
hypothesis_settings.register_profile(
    "default", deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile(
    "deep", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Files or folders whose tests take longest. They begin, so that all processes end at about the same time.
# The first ones but one need no ready database, which takes its time in a fresh clone.
LONGEST = (
    "browser/test_every_page.py",
    "clinic/test_run.py",
    "unit/",
    "drills/",
    "browser/test_editor.py",
    "browser/test_filling_in.py",
    "browser/test_asking_for_an_evaluation.py",
    "browser/test_newsletter.py",
    "browser/",
    "clinic/test_database.py",
    "architecture/",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return next((place for place, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))

    items.sort(key=place)


MADE_OF = (
    "clinic/*.py",
    "intake/**/*.py",
    "education/**/*.py",
    "intake/catalog/**/*.json",
    "education/catalog/*.json",
)


# In one process: starting Django takes longer than each of these.
FILL = """
import os, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
django.setup()
from django.core.management import call_command
for name in ("sync_roles", "load_library", "load_catalog"):
    call_command(name)
"""


def address(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in MADE_OF:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def make_template(owner_url: str, app_url: str, name: str) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": address(app_url, name),
        "DATABASE_OWNER_URL": address(owner_url, name),
    }
    for command in (["manage.py", "migrate"], ["-c", FILL]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    # What was loaded into it is in its trail; tests begin with none.
    with psycopg.connect(address(owner_url, name), autocommit=True) as owner:
        owner.execute("TRUNCATE intake_auditevent, intake_traillink")


def template_database(owner_url: str, app_url: str) -> str:
    """The name of the ready-made database, made now if it is not there yet."""
    name = f"footing_template_{fingerprint()}"
    with psycopg.connect(owner_url, autocommit=True) as owner:
        # Two test runs at once: one makes it, the other waits.
        owner.execute("SELECT pg_advisory_lock(70411)")
        names = [row[0] for row in owner.execute("SELECT datname FROM pg_database").fetchall()]
        if name in names:
            return name
        for old in names:
            if old.startswith("footing_template_"):
                owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
        making = f"{name}_making"
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(making)))
        owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
        make_template(owner_url, app_url, making)
        owner.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
        )
    return name


def copy_database(owner_url: str, template: str, name: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        owner.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )


def restore_database(owner_url: str, template: str, into: str) -> None:
    """Fill the empty database at the address `into`, on another server, with what the template holds."""
    programs = find_binaries().folder
    dump = subprocess.run(
        [programs / "pg_dump", "--dbname", address(owner_url, template)], stdout=subprocess.PIPE, check=True
    )
    subprocess.run(
        [programs / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", into],
        input=dump.stdout,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def drop_database(owner_url: str, name: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def database_urls() -> tuple[str, str]:
    """The owner's and the app's address of the server the tests use."""
    from django.conf import settings

    return settings.DATABASE_URLS.owner, settings.DATABASE_URLS.app


@pytest.fixture(scope="session")
def ready_database(database_urls: tuple[str, str]) -> str:
    """The name of a database with all a clinic starts with and no patient; copy it, never write to it."""
    return template_database(*database_urls)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker, database_urls: tuple[str, str], ready_database: str
) -> Iterator[None]:
    from django.db import connections

    owner_url, _ = database_urls
    name = f"footing_test_{os.getpid()}"
    copy_database(owner_url, ready_database, name)
    connections["default"].settings_dict["NAME"] = name
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    drop_database(owner_url, name)


@pytest.fixture(scope="session", autouse=True)
def lighter_settings() -> Iterator[None]:
    """What costs time at every test and is no test's subject: slow password hashes, listing static files."""
    from django.test import override_settings

    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No page of an earlier test, which may have had other settings, is found instead of drawn."""
    from education.edition.pages import PAGES
    from intake.views import page_pieces

    PAGES.clear()
    page_pieces._pieces.cache_clear()


@pytest.fixture(autouse=True)
def mail_dir(tmp_path: Path, settings) -> Path:
    """Mail goes to files, as in the demo, but to a folder of the test."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return tmp_path / "mail"


@pytest.fixture
def failing_urls(settings: Any) -> None:
    """Beside the product's pages there are some that fail, each in a way of its own."""
    settings.ROOT_URLCONF = settings.PAGES_URLCONF = "tests.architecture.failing_urls"
