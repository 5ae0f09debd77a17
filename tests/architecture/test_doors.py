"""What all doors have in common: keys nobody has, forms without a token, lines in the trail."""

import re
import uuid

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from intake.audit import AuditEvent
from tests.architecture.conftest import CONTACT_MARKS, HEALTH_MARKS, STAFF, World
from tests.architecture.test_urls import ROWS, SIGN_IN, outcome, path_of, visit
from tests.architecture.urlconf import Pattern, patterns
from tests.conftest import ROOT

ABOUT_PATIENTS = ("{patient}", "{evaluation}", "{sent}", "{draft}", "{request}")
JUNK = ("0", "-1", "x", "' OR 1=1 --", "%00", "a" * 300, "..%2f..", "00000000-0000-0000-0000-00000000000g")
# Posts that need no token, and why: a page without a cookie cannot carry one, so the sign-up looks at where
# the browser says it comes from; and mail programs press "unsubscribe" on their own (R31, RFC 8058).
NO_TOKEN = {"education:newsletter", "education:newsletter_leave"}


def with_a_key(pattern: Pattern) -> bool:
    row = ROWS.get(pattern.key)
    return row is not None and any(value in ABOUT_PATIENTS for value in row.args.values())


@pytest.mark.parametrize(
    "pattern", [one for one in patterns() if with_a_key(one)], ids=lambda pattern: pattern.key
)
def test_a_key_that_nobody_has_is_no_page_for_anybody(pattern: Pattern, world: World):
    """Whoever may not see the page cannot tell an unknown key from a real one; others get a 404 (R18)."""
    row = ROWS[pattern.key]
    (name,) = row.args
    known = path_of(pattern, row, world)
    wrong = []
    unknown = str(uuid.uuid4())
    asks = [(unknown, actor, method) for actor in ("nobody", *STAFF) for method in ("GET", "POST")]
    asks += [(key, actor, "GET") for key in JUNK for actor in ("physio", "editor")]
    for key, actor, method in asks:
        path = reverse(pattern.key, kwargs={name: key})
        got = outcome(visit(world.clients[actor], method, path))
        of_known = row.expected(method, actor)
        wanted = {of_known} if of_known in ("404", SIGN_IN) else {"404", "405", "400"}
        if got not in wanted:
            wrong.append(f"{method} {path[:80]} as {actor}: {got}")
    assert wrong == [], known


def test_no_post_is_taken_without_its_token(world: World):
    """Whatever the URL, whoever asks: 403 before anything is looked at (R31)."""
    taken = set()
    asks = [("nobody", {}), ("patient", {}), ("physio", {"csrfmiddlewaretoken": "x" * 64})]
    for actor, data in asks:
        client = Client(enforce_csrf_checks=True)
        client.cookies = world.clients[actor].cookies.copy()
        for pattern in patterns():
            path = path_of(pattern, ROWS[pattern.key], world)
            with transaction.atomic():
                if client.post(path, data).status_code != 403:
                    taken.add(pattern.key)
                transaction.set_rollback(True)
    assert taken <= NO_TOKEN, sorted(taken)


def test_no_post_from_another_site_is_taken(world: World):
    taken = []
    client = Client(enforce_csrf_checks=True)
    for pattern in patterns():
        path = path_of(pattern, ROWS[pattern.key], world)
        for site in ("cross-site",) if pattern.key in NO_TOKEN else ("cross-site", "same-site"):
            headers = {"Sec-Fetch-Site": site, "Origin": "https://evil.example"}
            client.cookies = world.clients["patient"].cookies.copy()
            if client.post(path, headers=headers).status_code != 403:
                taken.append(f"{site} {path}")
    assert taken == []


@pytest.mark.parametrize("actor", ["front desk", "physio"])
def test_a_page_that_shows_a_patient_writes_one_line_that_says_so(actor: str, world: World):
    """One page, one line, with the keys of what it showed and of who looked (R21)."""
    client = world.clients[actor]
    user = client.session["_auth_user_id"]
    keys = {str(one.pk) for one in (world.patient, world.evaluation, world.draft, world.sent, world.request)}
    keys |= {str(world.sent.evaluation_id), str(world.request.pk)}
    wrong, shown = [], []
    for pattern in patterns():
        path = path_of(pattern, ROWS[pattern.key], world)
        last = AuditEvent.objects.latest("pk").pk
        with transaction.atomic():
            page = client.get(path)
            lines = list(AuditEvent.objects.filter(pk__gt=last))
            transaction.set_rollback(True)
        content = b"" if page.streaming else page.content
        if not any(mark.encode() in content for mark in (*CONTACT_MARKS, *HEALTH_MARKS)):
            continue
        shown.append(pattern.key)
        if len(lines) != 1:
            wrong.append(f"{path}: {len(lines)} lines")
            continue
        (line,) = lines
        seen = {key for found in line.objects_seen.values() for key in found}
        if (line.actor_kind, line.actor_id) != ("staff", user) or not seen & keys:
            wrong.append(f"{path}: {line.actor_kind} {line.objects_seen}")
    assert wrong == []
    assert {"admin:intake_evaluation_changelist", "admin:intake_patient_change"} <= set(shown)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https:///evil.example",
        "http:/evil.example",
        "javascript:alert(1)",
        " https://evil.example",
        "\thttps://evil.example",
        "/%0d%0aLocation: https://evil.example",
        "https://testserver@evil.example/",
        "https://testserver.evil.example/",
        "//testserver@evil.example",
        "data:text/html,x",
        "https://evil.example#testserver",
        "/staff/\r\nSet-Cookie: x=1",
    ],
)
def test_signing_in_leads_nowhere_else(target: str, world: World):
    """R32: only an address of our own is followed."""
    from tests.factories import make_user

    with transaction.atomic():
        user = make_user("physio")
        client = Client()
        client.get(reverse("admin:login"), {"next": target})
        response = client.post(
            reverse("admin:login"),
            {"username": user.username, "password": "correct horse battery", "next": target},
        )
        transaction.set_rollback(True)
    assert response.status_code == 302
    where = response.headers["Location"]
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))
    assert "\n" not in where
    assert response.cookies.keys() <= {"staff", "csrf", "messages"}


def test_what_is_added_stands_in_the_trail_with_its_key(world: World):
    """Its key is known only after it was made; the line of the page that made it has it (R21)."""
    from intake import audit
    from intake.patients.models import Evaluation, Patient

    client = world.clients["front desk"]
    with transaction.atomic():
        last = AuditEvent.objects.latest("pk").pk
        person = {"given_name": "New", "family_name": "Zyxnew", "birth_date": "04/12/1990"}
        assert client.post(reverse("admin:intake_patient_add"), person).status_code == 303
        with audit.covered():
            patient = Patient.objects.get(family_name="Zyxnew")
        visit_data = {"physio": world.evaluation.physio_id, "starts_at": "2999-01-05T09:30", "minutes": "60"}
        path = f"{reverse('admin:intake_evaluation_add')}?patient={patient.pk}"
        assert client.post(path, visit_data).status_code == 303
        with audit.covered():
            evaluation = Evaluation.objects.get(patient=patient)
        added, written, booked = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
        transaction.set_rollback(True)
    assert (added.action, added.objects_seen) == ("patient.added", {"patient": [str(patient.pk)]})
    assert (written.action, booked.action) == ("evaluation.booked", "evaluation.written")
    for event in (written, booked):
        assert event.objects_seen == {"evaluation": [str(evaluation.pk)], "patient": [str(patient.pk)]}
    assert "Zyxnew" not in str((added.detail, written.detail, booked.detail))


def test_signing_out_leaves_nothing_behind(world: World):
    """R37: the browser drops its copies."""
    response = visit(world.clients["physio"], "POST", reverse("admin:logout"))
    assert (response.status_code, response.headers["Location"]) == (303, reverse("admin:login"))
    assert '"cache"' in response.headers["Clear-Site-Data"]


def test_scripts_keep_nothing_of_the_form():
    """R37: nothing of the intake stays in the browser.

    Read marks of lessons may, and whether the desk's shortcuts are on: they tell nothing of a patient.
    """
    kept = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches.")
    may = {"learn.js": ["localStorage"], "review.js": ["localStorage"]}
    scripts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "static" / "js").glob("*.js")}
    found = {name: [word for word in kept if word in script] for name, script in scripts.items()}
    assert {name: words for name, words in found.items() if words} == may
    assert re.findall(r"setItem\(([^)]*)\)", scripts["review.js"]) == ['KEPT, "1"']
