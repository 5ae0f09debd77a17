"""What a web process has loaded once people read its pages: every import stays, and each worker pays for it.

What it comes to in memory and CPU is measured by `make bench-endurance`; this says at once what was added.
"""

import json

import pytest

from tests.architecture.conftest import Process

# What the pages of patients, readers and staff, or Django's start, need. A library for one kind of page or
# file (the editor, PDF, passkeys, spreadsheets) is imported where it is used, or has its reason here.
LIBRARIES = {
    *("django", "asgiref", "sqlparse", "psycopg", "psycopg_binary", "psycopg_pool", "dj_database_url"),
    *("crispy_forms", "csp", "django_permissions_policy", "whitenoise", "brotli.py", "pgtrigger"),
    # Signing in by two steps.
    "allauth",
    # The job queue, and what its `App` imports.
    *("procrastinate", "attr", "dateutil", "croniter", "packaging", "typing_extensions.py"),
    # The QR codes of a set-up and of the tablet.
    "segno",
    # The library's models are Wagtail's snippets; this is what its models import. Its pages are not loaded.
    *("wagtail", "modelsearch", "taggit", "modelcluster", "treebeard", "permissionedforms", "laces", "bs4"),
    *("anyascii", "telepath", "draftjs_exporter", "django_tasks", "django_stubs_ext"),
    *("willow", "PIL", "filetype", "defusedxml"),
}

READ = """
import json, sys, sysconfig
from clinic.wsgi import application
from django.test import Client
EDITORS = ("wagtail.admin.urls", "education.wagtail_hooks", "rest_framework")
browser = Client(SERVER_NAME="localhost")
opened = {}
for path in ("/", "/learn/", "/learn/rolling-in/", "/chain/", "/staff/login/", "/intake/", "/no/such/page"):
    opened[path] = [browser.get(path).status_code, [name for name in EDITORS if name in sys.modules]]
packages = sysconfig.get_path("purelib") + "/"
files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
names = {file.removeprefix(packages).split("/")[0] for file in files if file.startswith(packages)}
editor = [browser.get("/editor").status_code, browser.get("/editor/").status_code, EDITORS[0] in sys.modules]
print(json.dumps({"opened": opened, "libraries": sorted(names), "editor": editor}))
"""


@pytest.fixture(scope="module")
def read(process: Process) -> dict[str, object]:
    found: dict[str, object] = json.loads(process(["-c", READ]).stdout)
    return found


def test_no_library_is_loaded_that_no_page_needs(read: dict[str, list[str]]):
    libraries = {name for name in read["libraries"] if not name.startswith("_")}
    assert libraries - LIBRARIES == set()


def test_the_editor_is_loaded_when_it_is_opened(read: dict[str, object]):
    """ADR 0052: it is 16 MB and most workers of a clinic never show it."""
    assert read["opened"] == {
        "/": [200, []],
        "/learn/": [200, []],
        "/learn/rolling-in/": [200, []],
        "/chain/": [200, []],
        "/staff/login/": [200, []],
        "/intake/": [403, []],
        "/no/such/page": [404, []],
    }
    assert read["editor"] == [301, 302, True]
