"""Invented people for the demo: staff, patients, visits, intakes at every stage. Never outside demo mode.

Everything is made through the same functions that real people use, so a demo intake has its audit rows, its
findings and its red flags like any other.
"""

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from clinic import roles
from clinic.models import User
from intake import audit, journey
from intake.conditions import Value
from intake.patients.links import hash_token
from intake.patients.models import Evaluation, EvaluationRequest, Invitation, Patient
from intake.questionnaires.definition import Definition, Item
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.pages import pages
from intake.responses.answers import missing, read_answers
from intake.responses.models import QuestionnaireResponse

FILE: Final = settings.LOCAL_DIR / "demo.json"
BY: Final = audit.system("demo")
OPEN_INVITATIONS: Final = 3
SATURDAY: Final = 5


class NotDemo(RuntimeError):
    """Refused: this is not the demo."""


@dataclass(frozen=True, slots=True)
class Person:
    """An invented patient. answers: what matters of the form; the rest is filled in as "none" and "no".

    stage: `sent`, `begun` (left after some pages), `invited` (nothing yet).
    """

    given: str
    family: str
    born: date
    at: time
    physio: str
    stage: str
    answers: Mapping[str, Any]


STAFF: Final = (
    ("ortiz", "Maya", "Ortiz", "Dr.", roles.PHYSIO),
    ("reyes", "Alex", "Reyes", "Dr.", roles.PHYSIO),
    ("desk", "Robin", "Hale", "", roles.FRONT_DESK),
    ("editor", "Sam", "Lindqvist", "", roles.EDITOR),
    ("owner", "Dana", "Whitlock", "", roles.OWNER),
)

TODAY: Final = (
    Person(
        "Jordan",
        "Lee",
        date(1992, 3, 9),
        time(9, 30),
        "ortiz",
        "sent",
        {
            "why.main-problem": "knee",
            "why.story": "It came on slowly this spring when I added hills. Stairs down are the worst. "
            "I can feel my right foot rolling in when I am tired.",
            "pain.regions.right": ["knee-front"],
            "pain.regions.left": ["none"],
            "timeline.first": "foot-first",
            "pain.now": 3,
            "pain.worst": 7,
            "pain.average": 4,
            "pain.duration": "3-12m",
            "pain.onset": "slow",
            "foot.arch.right": "drops",
            "foot.arch.left": "medium",
            "foot.footprint.right": "full",
            "foot.ankle-lean.right": "in",
            "foot.shoe-wear.right": "outer-heel",
            "gait.foot-roll.right": "inward",
            "gait.foot-roll.left": "middle",
            "knee.aggravators.right": ["stairs-down", "running"],
            "try.safe": True,
            "try.step-knee.right": "inward",
            "try.chair-stands": 21,
            "activity.usual": ["run"],
            "shoes.usual": ["running", "worn-out"],
            "goal.aim": "back-to-sport",
            "goal.one.activity": "Run a 10K in September",
            "goal.one.score": 4,
            "goal.two.activity": "Walk down stairs without thinking about it",
            "goal.two.score": 5,
        },
    ),
    Person(
        "Priya",
        "Raman",
        date(1985, 7, 21),
        time(10, 15),
        "ortiz",
        "sent",
        {
            "why.main-problem": "knee-and-foot",
            "why.story": "My left knee has been sore for over a year. Now my right heel hurts too, mostly "
            "with the first steps in the morning.",
            "pain.regions.left": ["knee-inner"],
            "pain.regions.right": ["sole-heel"],
            "timeline.first": "knee-first",
            "pain.now": 4,
            "pain.worst": 6,
            "pain.average": 4,
            "pain.duration": "over-1y",
            "pain.pattern": ["first-steps", "after-standing"],
            "knee.history.left": ["arthritis"],
            "foot.aggravators.right": ["first-steps", "standing"],
            "gait.leg-use.left": "spare",
            "gait.leg-use.right": "more",
            "gait.changed": "after-knee",
            "gait.tires-first.right": True,
            "goal.one.activity": "Stand at work all day",
            "goal.one.score": 3,
        },
    ),
    Person(
        "Ana",
        "Delgado",
        date(1959, 11, 2),
        time(11, 0),
        "reyes",
        "sent",
        {
            "why.main-problem": "knee",
            "pain.regions.left": ["knee-inner", "sole-arch"],
            "pain.regions.right": ["none"],
            "timeline.first": "knee-first",
            "pain.now": 5,
            "pain.worst": 8,
            "pain.average": 5,
            "pain.duration": "over-1y",
            "health.conditions": ["osteoporosis"],
            "health.medicines": ["blood-thinner"],
            "knee.history.left": ["arthritis", "old-injury"],
            "gait.foot-roll.left": "outer",
            "gait.leg-use.left": "spare",
            "gait.knee-bend.left": "guarded",
            "goal.one.activity": "Play with my grandchildren on the floor",
            "goal.one.score": 2,
        },
    ),
    Person(
        "Sam",
        "Okafor",
        date(1974, 2, 18),
        time(14, 0),
        "reyes",
        "sent",
        {
            "why.main-problem": "knee",
            "why.story": "Drove back from Denver on Friday. My calf has been tight and puffy since Saturday "
            "and the knee feels stiff.",
            "safety.leg-signs.left": ["calf-swollen", "calf-warm-sore"],
            "safety.clot-risks": ["long-trip"],
            "consent.contact": True,
            "pain.regions.left": ["calf", "knee-back"],
            "pain.regions.right": ["none"],
            "pain.now": 5,
            "pain.worst": 7,
            "pain.average": 5,
            "pain.duration": "under-2w",
            "timeline.first": "knee-first",
            "gait.knee-bend.left": "guarded",
            "knee.history.left": ["old-injury"],
        },
    ),
    Person(
        "Theo",
        "Brandt",
        date(2003, 5, 30),
        time(11, 45),
        "ortiz",
        "sent",
        {
            "why.main-problem": "foot-ankle",
            "pain.regions.right": ["shin-inner"],
            "pain.regions.left": ["none"],
            "pain.onset": "after-more",
            "pain.duration": "2-6w",
            "pain.now": 2,
            "pain.worst": 6,
            "pain.average": 3,
            "gait.foot-roll.right": "inward",
            "foot.arch.right": "flat-always",
            "foot.history.right": ["told-flat"],
            "activity.usual": ["run", "field-court"],
        },
    ),
    Person(
        "Grace",
        "Kim",
        date(1968, 9, 14),
        time(15, 0),
        "ortiz",
        "begun",
        {"why.main-problem": "foot-ankle"},
    ),
    Person("Noah", "Fields", date(1988, 12, 1), time(16, 15), "ortiz", "invited", {}),
)

COMING: Final = (
    Person("Casey", "Morgan", date(1986, 4, 12), time(9, 0), "ortiz", "invited", {}),
    Person("Rosa", "Vance", date(1961, 9, 30), time(10, 0), "reyes", "invited", {}),
    Person("Lee", "Tran", date(1979, 1, 5), time(13, 30), "ortiz", "invited", {}),
)


# She asked for an evaluation from a lesson and sent the form; nothing is booked, so `at` and `physio` wait.
ASKED: Final = Person(
    "Mina",
    "Castillo",
    date(1990, 6, 11),
    time(0),
    "",
    "sent",
    {
        "why.main-problem": "foot-ankle",
        "why.story": "I read that a foot can roll in too far. Mine does, and it aches after a shift.",
        "pain.regions.left": ["sole-arch"],
        "pain.regions.right": ["none"],
        "pain.duration": "3-12m",
        "pain.now": 2,
        "pain.worst": 5,
        "pain.average": 3,
        "foot.arch.left": "drops",
        "gait.foot-roll.left": "inward",
        "foot.aggravators.left": ["standing"],
        "goal.one.activity": "Get through a shift without my foot aching",
        "goal.one.score": 5,
    },
)
ASKED_FROM: Final = "rolling-in"


def seed() -> dict[str, Any]:
    """Make what is missing and return what `.local/demo.json` says; running it again keeps what is there.

    `{"base_url", "invitations": [{"url", "birth_date", "name"}],
    "staff": [{"role", "username", "password"}]}`
    Raises `NotDemo` outside demo mode.
    """
    if not settings.DEMO:
        raise NotDemo("demo data is for CLINIC_MODE=demo alone")
    before = read()
    staff = make_staff({entry["username"]: entry for entry in before.get("staff", [])})
    people = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in STAFF])}
    make_today(people)
    make_request()
    invitations = make_invitations(people, before.get("invitations", []))
    data = {"base_url": settings.SITE_URL, "invitations": invitations, "staff": staff}
    write(data)
    return data


def read(path: Path = FILE) -> dict[str, Any]:
    """What an earlier run wrote; empty where there is nothing that can be read."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write(data: Mapping[str, Any], path: Path = FILE) -> None:
    """Replace the file in one step, so that nobody reads half of it."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(data, indent=2) + "\n")
    fresh.rename(path)


def make_staff(before: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    """The demo's staff. A password written down before still opens the door.

    `stored` is a digest of what the database holds for it: hashing five passwords anew to find out whether
    they still fit would take longer than the rest of a second start.
    """
    rows = []
    for username, first, last, title, role in STAFF:
        user, made = User.objects.get_or_create(
            username=username,
            defaults={"first_name": first, "last_name": last, "title": title, "is_staff": True},
        )
        if not user.email:
            user.email = f"{username}@clinic.example"
            user.save(update_fields=["email"])
        known = before.get(username, {})
        password = known.get("password", "")
        if made or not password or known.get("stored") != digest_of(user):
            password = f"{username}-{secrets.token_urlsafe(9)}"
            user.set_password(password)
            user.save()
        user.groups.set([Group.objects.get(name=role.name)])
        rows.append(
            {"role": role.name, "username": username, "password": password, "stored": digest_of(user)}
        )
    return rows


def digest_of(user: User) -> str:
    return hashlib.sha256(user.password.encode()).hexdigest()[:16]


def make_today(staff: Mapping[str, User]) -> None:
    """A full day of visits, at every stage, unless today has one already."""
    today = timezone.localdate()
    with audit.audited("demo.look", by=BY):
        has_day = Evaluation.objects.filter(starts_at__date=today, physio__in=staff.values()).exists()
    if has_day:
        return
    for person in TODAY:
        evaluation = book(person, staff, today)
        if person.stage == "invited":
            journey.invite(evaluation=evaluation, by=BY, mail=False)
        else:
            answer(evaluation, person)


def make_request() -> None:
    """Somebody who asked for an evaluation, unless one of that name did already."""
    who = {"given_name": ASKED.given, "family_name": ASKED.family, "birth_date": ASKED.born}
    with audit.audited("demo.look", by=BY):
        if EvaluationRequest.objects.filter(**who).exists():
            return
    asked = EvaluationRequest(
        **who,
        email=f"{ASKED.given.lower()}.{ASKED.family.lower()}@patients.example",
        phone="(310) 555-0139",
        preferred_times="Weekday evenings",
        source=ASKED_FROM,
    )
    journey.ask_for_evaluation(asked=asked, mail=False)
    answer(asked.evaluation, ASKED)


def book(person: Person, staff: Mapping[str, User], day: date) -> Evaluation:
    """The person and a visit on that day."""
    with audit.audited("demo.booked", by=BY) as access:
        patient, _ = Patient.objects.get_or_create(
            given_name=person.given,
            family_name=person.family,
            birth_date=person.born,
            defaults={
                "email": f"{person.given.lower()}.{person.family.lower()}@patients.example",
                "phone": "(310) 555-01" + f"{(person.born.day * 3 + person.born.month) % 100:02d}",
            },
        )
        evaluation: Evaluation = Evaluation.objects.create(
            patient=patient,
            physio=staff[person.physio],
            starts_at=timezone.make_aware(datetime.combine(day, person.at)),
            minutes=settings.EVALUATION_MINUTES,
        )
        access.saw("evaluation", [evaluation.pk])
    return evaluation


def answer(evaluation: Evaluation, person: Person) -> None:
    """Fill in the form page by page as the person would, and send it where the stage says so."""
    invitation = journey.invite(evaluation=evaluation, by=BY, mail=False)
    with audit.audited("demo.look", by=BY):
        definition = active_questionnaire().tree()
    answers = fill(definition, person)
    by = audit.patient(invitation.pk)
    walked = pages(definition)[:2] if person.stage == "begun" else pages(definition)
    for page in walked:
        fields = {item.link_id for item in page.item.walk() if item.is_question}
        here = {link_id: values for link_id, values in answers.items() if link_id in fields}
        saved = journey.save_page(invitation=invitation, page=page, fields=fields, answers=here, by=by)
        if saved.advice:
            journey.advice_seen(response=saved.response, by=by, mistake=False)
    if person.stage == "sent":
        journey.submit(invitation=invitation, submit_key=uuid.uuid4(), by=by)


def fill(definition: Definition, person: Person) -> dict[str, tuple[Value, ...]]:
    """The person's answers with everything required filled in: "none", "no", or the least that is needed."""
    given = {"about.age": age_today(person.born), **person.answers}
    answers = read_answers(given)
    while lacking := missing(definition, answers):
        for link_id in lacking:
            answers[link_id] = (plain_answer(definition.item(link_id)),)
    return answers


def plain_answer(item: Item) -> Value:
    """The answer of somebody with nothing to report."""
    if item.type == "boolean":
        return item.must_be_true
    if item.options:
        return next((option.value for option in item.options if option.exclusive), item.options[0].value)
    return 2


def age_today(born: date) -> int:
    today = timezone.localdate()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def make_invitations(staff: Mapping[str, User], before: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Three links that open an empty or half-filled form. Links of an earlier run that still do are kept."""
    rows = [dict(entry) for entry in before if still_open(entry.get("url", ""))]
    day = timezone.localdate()
    for number, person in enumerate(COMING):
        if any(row.get("name") == f"{person.given} {person.family}" for row in rows):
            continue
        evaluation = book(person, staff, workday(day + timedelta(days=3 + 2 * number)))
        invitation = journey.invite(evaluation=evaluation, by=BY, mail=False)
        rows.append(
            {
                "url": journey.make_link(invitation_id=invitation.pk, by=BY),
                "birth_date": person.born.isoformat(),
                "name": f"{person.given} {person.family}",
            }
        )
    return rows[:OPEN_INVITATIONS]


def workday(day: date) -> date:
    """That day, or the Monday after it: the clinic sees nobody on a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= SATURDAY else day


def still_open(url: str) -> bool:
    """Whether a link of an earlier run, at today's address, still leads to a form that is not sent."""
    if not url.startswith(f"{settings.SITE_URL}/intake/open/"):
        return False
    token = url.rstrip("/").rsplit("/", 1)[-1]
    with audit.audited("demo.look", by=BY):
        invitation = Invitation.objects.filter(token_hash=hash_token(token)).first()
        if invitation is None or not invitation.is_live(timezone.now()):
            return False
        return not QuestionnaireResponse.objects.filter(
            evaluation=invitation.evaluation_id, authored__isnull=False
        ).exists()
