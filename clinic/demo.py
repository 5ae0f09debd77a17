"""Invented people for the demo: staff, patients, visits, intakes at every stage. Never outside demo mode.

Everything is made through the same functions that real people use, so a demo intake has its audit rows, its
findings and its red flags like any other. Only what was sent in the past is written with its own date.
"""

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from clinic import demo_file, demo_history, processes, roles
from clinic.door import factors
from clinic.models import User
from education.lessons.models import Lesson
from intake import audit, journey
from intake.conditions import Value
from intake.patients import diary
from intake.patients.links import hash_token
from intake.patients.models import Evaluation, EvaluationRequest, Invitation, LessonShare, Patient
from intake.questionnaires.definition import Definition, Item
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.pages import pages
from intake.responses.answers import missing, prune, read_answers
from intake.responses.models import QuestionnaireResponse
from intake.review import sharing
from intake.review.models import Decision, NotTestedReason, Result
from intake.review.outcomes import Typed, TypedOutcome
from intake.screening import record
from intake.screening.models import Finding, Rule
from intake.screening.screen import screen

BY: Final = audit.system("demo")
OPEN_INVITATIONS: Final = 3
SATURDAY: Final = 5
# However long first evaluations are here, a demo day has room for its visits.
LONGEST_VISIT: Final = 60


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
        time(10, 30),
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

_ROLLS_IN: Final = {
    "why.main-problem": "knee",
    "pain.regions.right": ["knee-front"],
    "pain.regions.left": ["none"],
    "pain.duration": "3-12m",
    "pain.now": 3,
    "pain.worst": 6,
    "pain.average": 4,
    "gait.foot-roll.right": "inward",
    "foot.ankle-lean.right": "in",
    "goal.one.activity": "Take the stairs without thinking about it",
    "goal.one.score": 4,
}
_SPARES: Final = {
    "why.main-problem": "knee-and-foot",
    "pain.regions.right": ["knee-inner"],
    "pain.regions.left": ["sole-heel"],
    "pain.duration": "over-1y",
    "pain.now": 4,
    "pain.worst": 6,
    "pain.average": 4,
    "timeline.first": "knee-first",
    "knee.history.right": ["arthritis"],
    "gait.leg-use.right": "spare",
    "gait.leg-use.left": "more",
    "goal.one.activity": "Walk the dog before breakfast",
    "goal.one.score": 3,
}


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """Somebody whose visit is over. result: what it showed about every finding; empty: still to close."""

    person: Person
    days_ago: int
    result: str


def _seen(name: str, born: date, at: time, physio: str, answers: Mapping[str, Any]) -> Person:
    given, family = name.split()
    return Person(given, family, born, at, physio, "sent", answers)


_FOUND, _NOT, _UNTESTED = Result.FOUND, Result.NOT_FOUND, Result.NOT_TESTED
# The first one waits to be closed. The others make one rule with enough tested and one with too few.
BEFORE: Final = (
    SeenBefore(_seen("Marcus Webb", date(1961, 8, 3), time(13, 0), "ortiz", _SPARES), 1, ""),
    SeenBefore(_seen("Ines Duarte", date(1990, 1, 17), time(9, 0), "ortiz", _ROLLS_IN), 6, _FOUND),
    SeenBefore(_seen("Peter Novak", date(1978, 4, 2), time(10, 0), "ortiz", _ROLLS_IN), 7, _FOUND),
    SeenBefore(_seen("Aisha Rahman", date(1995, 10, 25), time(11, 0), "reyes", _ROLLS_IN), 8, _NOT),
    SeenBefore(_seen("Liam Walsh", date(1983, 6, 9), time(13, 0), "reyes", _ROLLS_IN), 9, _FOUND),
    SeenBefore(_seen("Yuki Mori", date(2000, 2, 28), time(14, 0), "ortiz", _ROLLS_IN), 13, _UNTESTED),
    SeenBefore(_seen("Elena Petrova", date(1969, 12, 12), time(15, 0), "ortiz", _ROLLS_IN), 14, _FOUND),
    SeenBefore(_seen("Omar Haddad", date(1987, 7, 7), time(9, 0), "reyes", _ROLLS_IN), 15, _NOT),
    SeenBefore(_seen("Julia Becker", date(1992, 5, 19), time(10, 0), "ortiz", _ROLLS_IN), 16, _FOUND),
    SeenBefore(_seen("Samuel Boateng", date(1975, 3, 30), time(11, 0), "reyes", _ROLLS_IN), 20, _FOUND),
    SeenBefore(_seen("Nora Lindgren", date(1998, 9, 4), time(13, 0), "ortiz", _ROLLS_IN), 21, _NOT),
    SeenBefore(_seen("Diego Flores", date(1981, 11, 21), time(14, 0), "reyes", _ROLLS_IN), 22, _FOUND),
    SeenBefore(_seen("Hannah Cohen", date(1966, 4, 14), time(15, 0), "ortiz", _ROLLS_IN), 23, _UNTESTED),
    SeenBefore(_seen("Victor Dumas", date(1958, 2, 6), time(9, 0), "reyes", _SPARES), 27, _FOUND),
    SeenBefore(_seen("Carol Jensen", date(1955, 10, 1), time(10, 0), "ortiz", _SPARES), 28, _FOUND),
    SeenBefore(_seen("Rafael Costa", date(1963, 7, 27), time(11, 0), "ortiz", _SPARES), 29, _NOT),
)


def seed() -> dict[str, Any]:
    """Make what is missing and return what `.local/demo.json` says; running it again keeps what is there.

    `{"base_url", "invitations": [{"url", "birth_date", "name"}],
    "staff": [{"role", "username", "password", "totp"}]}`
    Raises `NotDemo` outside demo mode, and in a database of somebody else.
    """
    if not settings.DEMO:
        raise NotDemo("demo data is for CLINIC_MODE=demo alone")
    accounts = set(User.objects.values_list("username", flat=True))
    if accounts and not accounts & {row[0] for row in STAFF}:
        raise NotDemo("this database has accounts and none of the demo's: it is not the demo's database")
    with demo_file.alone():
        data = make_all(demo_file.read())
        demo_file.write(data)
    return data


def make_all(before: Mapping[str, Any]) -> dict[str, Any]:
    """`seed`, given what the file said before."""
    staff = make_staff({entry["username"]: entry for entry in before.get("staff", [])})
    people = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in STAFF])}
    make_past(people)
    make_today(people)
    make_request()
    make_history()
    invitations = make_invitations(people, before.get("invitations", []))
    address = address_for(before.get("base_url", ""), processes.live_addresses())
    return demo_file.at(address, {"invitations": invitations, "staff": staff})


def address_for(before: str, live: Sequence[str]) -> str:
    """The address to write: the one written before while its run lives, ours, or else that of any run."""
    own: str = settings.SITE_URL
    return next((address for address in (before, own, *live) if address in live), own)


def make_staff(before: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    """The demo's staff, each with an authenticator app. What was written down before still opens the door.

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
        totp = known.get("totp", "")
        if not totp or not factors.has_app_with(user, totp):
            totp = totp or factors.new_secret()
            factors.set_app(user, totp)
        rows.append(
            {
                "role": role.name,
                "username": username,
                "password": password,
                "totp": totp,
                "stored": digest_of(user),
            }
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


def make_past(staff: Mapping[str, User]) -> None:
    """Visits of the last weeks with what they showed, and one that waits to be closed; made once."""
    first = BEFORE[0].person
    with audit.audited("demo.look", by=BY):
        if Patient.objects.filter(given_name=first.given, family_name=first.family).exists():
            return
    for one in BEFORE:
        day = timezone.localdate() - timedelta(days=one.days_ago)
        day -= timedelta(days=max(0, day.weekday() - SATURDAY + 1))
        evening = timezone.make_aware(datetime.combine(day - timedelta(days=1), time(18)))
        response = answered_before(book(one.person, staff, day), one.person, evening)
        by = audit.staff(staff[one.person.physio])
        with audit.audited("demo.look", by=BY):
            findings = list(
                Finding.objects.filter(response=response, rule__kind=Rule.Kind.CHAIN).select_related(
                    "rule", "response"
                )
            )
        for finding in findings:
            decision = Decision.PROVISIONAL if one.result == _UNTESTED else Decision.CONFIRMED
            journey.decide_finding(response=finding.response_id, finding=finding.pk, decision=decision, by=by)
        journey.finish_review(response=response, by=by)
        if one.result:
            reason = NotTestedReason.TIME if one.result == _UNTESTED else ""
            typed = {finding.pk: TypedOutcome(one.result, reason) for finding in findings}
            journey.record_outcome(response=response, typed=Typed(outcomes=typed), by=by)
            journey.close_evaluation(response=response, by=by)
        if one is BEFORE[1]:
            share_lessons(response, staff[one.person.physio])


def share_lessons(response: QuestionnaireResponse, physio: User) -> None:
    """Lessons behind what was found are shared; no mail leaves for an invented address."""
    with audit.audited("demo.shared", by=BY, objects={"response": [response.pk]}) as access:
        lessons = sharing.lessons_behind(response)
        if lessons and Lesson.objects.live().filter(slug__in=lessons).exists():
            share = sharing.share(response=response, lessons=lessons, by=physio)
            LessonShare.objects.filter(pk=share.pk).update(sent_at=share.at)
            access.saw("lesson-share", [share.pk])


def answered_before(evaluation: Evaluation, person: Person, at: datetime) -> QuestionnaireResponse:
    """An intake that was sent at that time, for a visit that is over."""
    with audit.audited("demo.answered", by=BY) as access:
        questionnaire = active_questionnaire()
        definition = questionnaire.tree()
        answers = prune(definition, fill(definition, person))
        invitation = Invitation.objects.create(
            evaluation=evaluation,
            questionnaire=questionnaire,
            created_at=at - timedelta(days=3),
            sent_at=at - timedelta(days=3),
            opened_at=at,
            expires_at=evaluation.link_ends_at,
        )
        response = QuestionnaireResponse(
            evaluation=evaluation,
            invitation=invitation,
            questionnaire=questionnaire,
            status=QuestionnaireResponse.Status.COMPLETED,
            answers={link_id: list(values) for link_id, values in answers.items()},
            started_at=at,
            updated_at=at,
            authored=at,
            submit_key=uuid.uuid4(),
        )
        response.document = journey.fhir_document(response)
        response.save(force_insert=True)
        access.saw("response", [response.pk])
        active = record.active_rules()
        record.store_findings(response, definition, screen(active.rules, answers), active)
    return response


def make_history() -> None:
    """Weeks that are over, answered as the people of today answer, unless there are some."""
    if demo_history.is_there(by=BY):
        return
    definition = active_questionnaire().tree()
    sent = [fill(definition, person) for person in TODAY if person.stage == "sent"]
    demo_history.make(sent, by=BY)


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
        physio, minutes = staff[person.physio], min(settings.EVALUATION_MINUTES, LONGEST_VISIT)
        starts_at = timezone.make_aware(datetime.combine(day, person.at))
        # An earlier run, or somebody at the desk, may have booked that time.
        while other := diary.clash(physio=physio, starts_at=starts_at, minutes=minutes):
            starts_at = diary.ends(other)
        evaluation: Evaluation = Evaluation.objects.create(
            patient=patient, physio=physio, starts_at=starts_at, minutes=minutes
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
    """Whether a link of an earlier run, at whatever address, still leads to a form that is not sent."""
    if "/intake/open/" not in url:
        return False
    token = url.rstrip("/").rsplit("/", 1)[-1]
    with audit.audited("demo.look", by=BY):
        invitation = Invitation.objects.filter(token_hash=hash_token(token)).first()
        if invitation is None or not invitation.is_live(timezone.now()):
            return False
        return not QuestionnaireResponse.objects.filter(
            evaluation=invitation.evaluation_id, authored__isnull=False
        ).exists()
