"""The owner finds out who looked at what; looking at the trail is in the trail too (R24, R30, J9.8)."""

import csv
import io
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.door import stepup
from clinic.people import staff
from education.clinic_info.sheets import FORMULA_STARTS, csv_line, neutralise
from intake import audit
from intake.audit import AuditEvent
from intake.patients.models import Invitation
from intake.review import looked
from intake.screening.models import Finding
from tests.factories import ROLLING_IN, SETUP, make_evaluation, make_patient, make_response, make_user

pytestmark = pytest.mark.django_db

PAGE, EXPORT = "/staff/trail/", "/staff/trail/export/"
PERSON = {"given_name": "Zyxgiven", "family_name": "Zyxfamily", "birth_date": date(1979, 1, 5)}


def proved(user) -> Client:
    """A browser that has just given a fresh factor."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[stepup.PROVED_AT] = time.time()
    session.save()
    return client


@pytest.fixture
def owner():
    return make_user("owner", first_name="Ada", last_name="Owner")


@pytest.fixture
def boss(owner) -> Client:
    """The owner's browser."""
    return proved(owner)


@pytest.fixture
def intake():
    return make_response(ROLLING_IN, evaluation=make_evaluation(patient=make_patient(**PERSON)))


def look(user, action: str, **objects: list) -> AuditEvent:
    with audit.audited(action, by=audit.staff(user), objects=objects):
        pass
    return AuditEvent.objects.latest("pk")


def shown(client: Client, query: str = "") -> list[int]:
    """The numbers of the lines on a page."""
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == 200
    return [line.key for line in answer.context["page"].lines]


def test_it_asks_for_a_fresh_factor_and_comes_back(owner):
    client = Client()
    client.force_login(owner)
    for path in (PAGE, EXPORT, "/staff/trail/week/"):
        answer = client.get(path, {"what": "read"})
        assert answer.headers["Location"] == f"{stepup.PROVE}?next={path.replace('/', '%2F')}%3Fwhat%3Dread"
    for role in ("physio", "front desk", "editor"):
        other = Client()
        other.force_login(make_user(role))
        assert other.get(PAGE).status_code == 404


def test_a_patients_lines_are_those_of_all_her_records(boss, intake):
    physio = intake.evaluation.physio
    with audit.audited("tests.read", by=SETUP):
        finding = Finding.objects.filter(response=intake).first()
        invitation = Invitation.objects.get(evaluation=intake.evaluation_id)
    patient = intake.evaluation.patient_id
    wanted = [
        look(physio, "patient.read", patient=[patient]),
        look(physio, "evaluation.read", evaluation=[intake.evaluation_id]),
        look(physio, "review.read", response=[intake.pk]),
        look(physio, "finding.read", finding=[finding.pk]),
        look(physio, "invitation.made", invitation=[invitation.pk]),
        look(physio, "worklist.read", evaluation=[uuid4(), intake.evaluation_id]),
    ]
    with audit.audited("session.left", by=audit.patient(invitation.pk)):
        pass
    wanted.append(AuditEvent.objects.latest("pk"))
    # Another's, and a record of another kind with the same number.
    look(physio, "review.read", response=[uuid4()])
    look(physio, "red-flag.read", **{"red-flag": [finding.pk]})
    assert shown(boss, f"patient={patient}") == [event.pk for event in reversed(wanted)]
    assert shown(boss, f"record=finding:{finding.pk}") == [wanted[3].pk]
    page = boss.get(f"{PAGE}?record=response:{intake.pk}")
    assert page.context["whose"] == f"patient={patient}"


def test_filters_narrow_by_person_kind_and_day_and_keep_each_other(boss, owner):
    physio, other = make_user("physio"), make_user("front desk")
    read = look(physio, "review.read", response=[uuid4()])
    decided = look(physio, "finding.decided", finding=[1])
    theirs = look(other, "patient.list")
    today = timezone.localdate().isoformat()
    assert shown(boss, f"who={physio.pk}") == [decided.pk, read.pk]
    assert shown(boss, f"who={physio.pk}&what=changed") == [decided.pk]
    assert set(shown(boss, f"what=read&day={today}")) == {read.pk, theirs.pk}
    assert shown(boss, "day=2001-02-03") == []
    # What does not fit is left out, and nothing of it is said back.
    answer = boss.get(f"{PAGE}?who=x&what=%3Cb%3E&day=nonsense&record=finding:Zyx&after=99999999999")
    assert answer.status_code == 200
    assert "Zyx" not in answer.text


def test_a_wrong_factor_is_in_words_among_what_failed(boss, owner):
    line = look(owner, "stepup.failed")
    page = boss.get(f"{PAGE}?what=refused")
    assert line.pk in [one.key for one in page.context["page"].lines]
    assert "A fresh factor was wrong" in page.text


def past_line(minutes_ago: int, user, action: str, about: object = None, **detail: object) -> None:
    """A line of a while ago: the database's own clock writes all others, and tests are one moment to it."""
    AuditEvent.objects.create(
        at=timezone.now() - timedelta(minutes=minutes_ago),
        actor_kind="staff",
        actor_id=str(user.pk),
        action=action,
        objects_seen={"staff": [str(about)]} if about else {},
        detail=detail,
    )


def test_a_line_tells_the_role_somebody_had_then_and_accounts_by_name(boss, owner):
    person = make_user("front desk", first_name="Robin", last_name="Hale")
    past_line(40, person, "review.read")
    past_line(30, owner, "staff.role-changed", person.pk, old="physio", new="front desk")
    past_line(20, person, "patient.list")
    staff.change_role(user=person, role="owner", by=audit.staff(owner))
    look(person, "trail.read")
    wanted = ["owner", "front desk", "physio"]
    page = boss.get(f"{PAGE}?who={person.pk}")
    assert [line.role for line in page.context["page"].lines] == wanted
    assert [row["Role"] for row in exported(boss, f"who={person.pk}")] == wanted
    changed = boss.get(f"{PAGE}?who={owner.pk}&what=staff").context["page"].lines
    assert [line.detail for line in changed] == ["front desk → owner", "physio → front desk"]
    assert [[record.words for record in line.records] for line in changed] == [["account of Robin Hale"]] * 2
    assert {line.role for line in changed} == {"owner"}


def test_a_change_of_role_that_was_refused_changes_nothing(boss, owner):
    past_line(40, owner, "figures.read")
    past_line(30, owner, "staff.role-changed", owner.pk)
    assert {line.role for line in boss.get(f"{PAGE}?who={owner.pk}").context["page"].lines} == {"owner"}


def test_pages_follow_each_other_without_a_gap(boss, monkeypatch):
    monkeypatch.setattr(looked, "PAGE_SIZE", 4)
    physio = make_user("physio")
    wanted = [look(physio, "patient.list").pk for _ in range(10)]
    query, found = f"who={physio.pk}", []
    while query:
        answer = boss.get(f"{PAGE}?{query}")
        found += [line.key for line in answer.context["page"].lines]
        query = answer.context["page"].after
    assert found == wanted[::-1]


def test_lines_are_in_words_and_name_no_patient(boss, intake):
    physio = intake.evaluation.physio
    look(physio, "review.read", response=[intake.pk], patient=[intake.evaluation.patient_id])
    with audit.audited("review.read", by=audit.staff(physio), break_glass="somebody fell"):
        pass
    page = boss.get(f"{PAGE}?who={physio.pk}").text
    assert "Opened the review of an intake" in page
    assert str(physio) in page
    assert page.count("Break-glass") == 1
    assert f"patient={intake.evaluation.patient_id}" in page
    assert "Zyx" not in page


def test_a_patient_is_found_by_number_or_by_name_and_birth_date_and_no_name_is_in_an_address(boss, intake):
    patient = intake.evaluation.patient_id
    there = f"{PAGE}?patient={patient}"
    named = {"given_name": "zyxgiven", "family_name": "ZYXFAMILY", "birth_date": "01/05/1979"}
    for typed in ({"number": str(patient)}, {"number": str(intake.pk)}, named):
        answer = boss.post(PAGE, typed)
        assert (answer.status_code, answer.headers["Location"]) == (303, there)
        assert AuditEvent.objects.filter(action="trail.searched").latest("pk").objects_seen == {
            "patient": [str(patient)]
        }
    make_patient(**PERSON)
    several = boss.post(PAGE, named)
    assert several.status_code == 200
    assert len(several.context["people"]) == 2
    none = boss.post(PAGE, {**named, "birth_date": "01/06/1979"})
    assert "Nobody here has that" in none.text
    assert "zyxgiven" in none.text, "what was typed is kept"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({}, "Enter a number, or the name"),
        ({"given_name": "A", "family_name": "B"}, "Enter the date of birth too"),
        ({"given_name": "A", "family_name": "B", "birth_date": "99/99/9999"}, "Enter a real date"),
        ({"number": "x" * 500}, "at most 80"),
        ({"number": "\x00"}, "Null characters"),
    ],
)
def test_what_cannot_be_searched_is_told_beside_the_field(boss, typed, message):
    answer = boss.post(PAGE, typed)
    assert answer.status_code == 200
    assert message in answer.text


def test_a_number_of_nobody_is_told_and_one_that_was_erased_is_found_in_the_trail(boss):
    assert "Nobody here has that" in boss.post(PAGE, {"number": str(uuid4())}).text
    gone = uuid4()
    line = look(make_user("physio"), "patient.read", patient=[gone])
    assert boss.post(PAGE, {"number": str(gone)}).status_code == 303
    assert line.pk in shown(boss, f"patient={gone}")


def test_looking_at_the_trail_is_a_line_that_names_whose_it_was(boss, owner, intake):
    patient = intake.evaluation.patient_id
    boss.get(f"{PAGE}?patient={patient}")
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.actor_id) == ("trail.read", str(owner.pk))
    assert line.objects_seen == {"patient": [str(patient)]}


@pytest.mark.parametrize(
    ("action", "detail"),
    [
        ("intake.sent", {"findings": 41, "red_flags": 42}),
        ("intake.changed", {"findings": 41, "decisions_kept": 42}),
        ("draft.settled", {"red_flags": 41}),
        ("advice.seen", {"flags": 41, "mistake": True}),
        ("finding.decided", {"decision": "refuted"}),
        ("outcome.recorded", {"outcomes": 41, "measurements": 42, "links": 43}),
    ],
)
def test_what_lines_of_earlier_releases_say_of_health_is_shown_to_nobody(boss, action, detail):
    with audit.audited(action, by=SETUP, **detail, page="page.walk"):
        pass
    key = AuditEvent.objects.get(action=action).pk
    (line,) = [line for line in boss.get(PAGE).context["page"].lines if line.key == key]
    (row,) = [row for row in exported(boss) if row["Action"] == action]
    assert line.detail == "part of the form: walk"
    assert row["Detail"] == '{"page": "page.walk"}'


# --------------------------------------------------------------------------------------------- as a file


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"{EXPORT}?{query}")
    assert answer.streaming
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_the_file_has_the_lines_of_the_page_and_the_trail_how_many(boss, owner, monkeypatch):
    monkeypatch.setattr("clinic.oversight.export.CHUNK", 3)
    physio = make_user("physio")
    wanted = [look(physio, "review.read", response=[uuid4()], evaluation=[uuid4()]) for _ in range(8)]
    rows = exported(boss, f"who={physio.pk}&after=1")
    assert [int(row["Line"]) for row in rows] == [event.pk for event in reversed(wanted)]
    first = rows[0]
    assert (first["Who"], first["Role"], first["Kind"]) == (str(physio), "physio", "staff")
    assert (first["Action"], first["What"]) == ("review.read", "Opened the review of an intake")
    assert set(first["Records"].split()) == {
        f"{kind}:{key}" for kind, (key,) in wanted[-1].objects_seen.items()
    }
    line = AuditEvent.objects.latest("pk")
    assert (line.action, line.actor_id, line.detail) == ("trail.exported", str(owner.pk), {"lines": 8})


CORPUS = [
    *(f"{start}{rest}" for start in FORMULA_STARTS for rest in ("1+1", "cmd|' /C calc'!A0", "HYPERLINK(1)")),
    '<script>alert("x")</script>',
    "';=1+1",
    'a;=1+1,"b"\nc',
    "plain",
    "",
]


def test_names_that_look_like_formulas_stay_text_on_the_way_to_a_spreadsheet(boss):
    for number, evil in enumerate(CORPUS):
        look(make_user("physio", first_name=evil[:150], last_name=f"End{number}"), "figures.read")
    names = [row["Who"] for row in exported(boss, "what=read")][::-1]
    for evil, name in zip(CORPUS, names, strict=True):
        assert name.lstrip("'").startswith(evil.lstrip("'").strip()[:3].strip())
        assert not name.startswith(FORMULA_STARTS)


@pytest.mark.parametrize("text", CORPUS)
def test_a_line_reads_back_as_it_was_but_for_the_apostrophe(text):
    (cells,) = csv.reader(io.StringIO(csv_line([text, "next"]), newline=""))
    assert cells == [neutralise(text), "next"]
    assert neutralise(text).removeprefix("'" if text.startswith(FORMULA_STARTS) else "") == text
    assert not cells[0].startswith(FORMULA_STARTS)


def test_only_one_place_writes_files_for_spreadsheets():
    root = Path(__file__).resolve().parents[3]
    writers = [
        str(path.relative_to(root))
        for app in ("clinic", "education", "intake")
        for path in (root / app).rglob("*.py")
        if "csv.writer" in path.read_text() or "DictWriter" in path.read_text()
    ]
    assert writers == ["education/clinic_info/sheets.py"]


# -------------------------------------------------------------------------------- what was refused


def test_what_a_staff_page_refuses_is_one_line_with_page_and_record(intake):
    desk = make_user("front desk")
    client = Client()
    client.force_login(desk)
    foreign = uuid4()
    for path, page, why, seen in (
        (
            f"/staff/intake/evaluation/{foreign}/change/",
            "intake_evaluation_change",
            "not there",
            "evaluation",
        ),
        (
            f"/staff/intake/questionnaireresponse/{intake.pk}/review/",
            "intake_questionnaireresponse_review",
            "role",
            "response",
        ),
        ("/staff/intake/evaluation/Zyx%20word/change/", "intake_evaluation_change", "not there", None),
        ("/staff/figures/", "figures", "role", None),
        ("/staff/no/such/Zyxword/", "", "not there", None),
    ):
        before = AuditEvent.objects.latest("pk").pk
        assert client.get(path).status_code == 404
        (line,) = AuditEvent.objects.filter(pk__gt=before)
        assert (line.action, line.actor_id) == ("access.refused", str(desk.pk))
        assert line.detail == {"page": page, "why": why}
        assert list(line.objects_seen) == ([seen] if seen else [])
        assert "Zyx" not in str(line.objects_seen)
    assert AuditEvent.objects.filter(action="evaluation.read").count() == 0


def test_days_are_the_clinics(boss):
    physio = make_user("physio")
    event = look(physio, "patient.list")
    day = timezone.localdate(event.at)
    assert shown(boss, f"who={physio.pk}&day={day.isoformat()}") == [event.pk]
    assert shown(boss, f"who={physio.pk}&day={(day + timedelta(days=1)).isoformat()}") == []


def test_a_page_asks_as_much_for_many_lines_as_for_few(boss, intake):
    patient, asked = intake.evaluation.patient_id, []
    for people in (1, 12):
        for _ in range(people):
            look(make_user("physio"), "review.read", response=[intake.pk], patient=[patient])
        with CaptureQueriesContext(connection) as captured:
            shown(boss, f"patient={patient}")
        asked.append(len(captured))
    assert asked[0] == asked[1]
