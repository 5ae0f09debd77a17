"""Invented intakes by the million, to see what grows with the table. Never outside demo mode.

Some dozens, the patterns, are answered, pruned, screened and documented by the product's own functions; the
others are copies of them in SQL, with a person, a visit, a link and verdicts of their own. Everything of
intake number n follows from n, so a run that was stopped goes on where the last whole batch ended.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from clinic.database import vacuum
from clinic.demo import SATURDAY, TODAY, NotDemo, Person, fill
from clinic.models import User
from intake import audit, journey
from intake.patients.models import Evaluation
from intake.questionnaires.load import active_questionnaire
from intake.responses.answers import check, missing, prune
from intake.responses.models import QuestionnaireResponse
from intake.screening import record
from intake.screening.models import Rule
from intake.screening.screen import screen

BY: Final = audit.system("make_intakes")
BATCH: Final = 10_000
# Of the patterns; the copies follow them in turn.
PATTERNS: Final = 48
PHYSIOS: Final = 20
# The last two days of work or so: some of these are not read yet.
RECENT: Final = 1_000
# From 7:00 to 19:00.
SLOT_MINUTES: Final = 30
SLOTS: Final = 24


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILY: Final = _split("""
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez
Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark
Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams
Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker
Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper
Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood James
Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez
Powell Jenkins Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Fisher Vasquez Simmons
Romero Jordan Patterson Alexander Hamilton Graham Reynolds Griffin Wallace Moreno West Cole Hayes
Bryant Herrera Gibson Ellis Tran Medina Aguilar Stevens Murray Ford Castro Marshall Owens Harrison
Fernandez McDonald Woods Washington Kennedy Wells Vargas Henry Chen Freeman Webb Tucker Guzman Burns
Crawford Olson Simpson Porter Hunter Gordon Mendez Silva Shaw Snyder Mason Dixon Munoz Hunt Hicks
Holmes Palmer Wagner Black Robertson Boyd Stone Salazar Fox Warren Mills Meyer Rice Schmidt Garza
Daniels Ferguson Nichols Stephens Soto Weaver Ryan Gardner Payne Grant Dunn Kelley Spencer Hawkins
Arnold Pierce Hansen Peters Santos Hart Bradley Knight Elliott Cunningham Duncan Armstrong Hudson
Carroll Lane Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman Johnston Matthews Pena
Richards Contreras Willis Carpenter Lawrence Sandoval Guerrero George Chapman Rios Estrada Ortega
Watkins Greene Nunez Wheeler Valdez Harper Burke Larson Santiago Maldonado Morrison Franklin Carlson
Austin Dominguez Carr Lawson Jacobs OBrien Lynch Singh Vega Bishop Montgomery Oliver Jensen Harvey
Williamson Gilbert Dean Sims Espinoza Howell Li Wong Reid Hanson Le McCoy Garrett Burton Fuller Wang
Weber Welch Rojas Lucas Marquez Fields Park Yang Little Banks Padilla Day Walsh Bowman Schultz Luna
Fowler Mejia
""")
GIVEN: Final = _split("""
James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan
Joseph Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Sandra
Mark Margaret Donald Ashley Steven Kimberly Andrew Emily Paul Donna Joshua Michelle Kenneth Carol
Kevin Amanda Brian Melissa Timothy Deborah Ronald Stephanie Jason Rebecca George Sharon Edward Laura
Jeffrey Cynthia Ryan Dorothy Jacob Amy Nicholas Kathleen Gary Angela Eric Shirley Jonathan Emma
Stephen Brenda Larry Pamela Justin Nicole Scott Anna Brandon Samantha Benjamin Katherine Samuel
Christine Gregory Debra Alexander Rachel Patrick Carolyn Frank Janet Raymond Maria Jack Olivia
Dennis Heather Jerry Helen Tyler Catherine Aaron Diane Jose Julie Adam Victoria Nathan Joyce Henry
Lauren Zachary Kelly Douglas Christina Peter Ruth Kyle Joan Noah Virginia Ethan Judith Jeremy Evelyn
Christian Hannah Walter Andrea Keith Megan Austin Cheryl Roger Jacqueline Terry Madison Sean Teresa
Gerald Abigail Carl Sophia Dylan Martha Harold Sara Jordan Gloria Jesse Janice Bryan Kathryn
Lawrence Ann Arthur Isabella Gabriel Judy Bruce Charlotte Logan Julia Billy Grace Joe Amber Alan
Alice Juan Jean Elijah Denise Willie Frances Albert Danielle Wayne Marilyn Randy Natalie Mason
Beverly Vincent Diana Liam Brittany Roy Theresa Bobby Kayla Caleb Alexis Bradley Doris Russell Lori
Lucas Tiffany Priya Mei Aisha Wei Fatima Hiroshi Ngoc Amara Ravi Yuki Luz Omar Ines Mateo Leila
Andrei
""")

# What intake n is made of. Names begin with the commonest; nobody has two visits at once with one physio; the
# visit of the same number stays where it is when the command runs again on another day. Keys grow with n:
# random ones would touch every page of every index with each batch.
_MADE: Final = """
WITH placed AS (
  SELECT n, (n / (%(physios_count)s * %(slots)s))::integer AS day,
    mod(n / %(physios_count)s, %(slots)s)::integer AS slot,
    (%(physios)s::integer[])[1 + mod(n, %(physios_count)s)] AS physio
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
), dated AS (
  SELECT *, (%(anchor)s::date - 7 * (day / 5) - mod(day, 5)
    - CASE WHEN mod(day, 5) >= extract(isodow FROM %(anchor)s::date) THEN 2 ELSE 0 END)::date AS date
  FROM placed
), visited AS (
  SELECT *, (date + time '07:00' + slot * %(slot_minutes)s * interval '1 minute')
    AT TIME ZONE %(zone)s AS starts_at
  FROM dated
), numbered AS (
  SELECT n, physio, starts_at,
    starts_at - (2 + mod(n, 9)) * interval '26 hours' AS authored,
    starts_at - interval '15 days' AS booked,
    starts_at - interval '20 hours' AS read,
    n < %(recent)s AND mod(n, 5) = 0 AS unread,
    n < %(recent)s AND mod(n, 5) = 1 AS reading,
    lpad(to_hex(n), 8, '0') AS begins,
    mod(n, %(patterns)s) AS pattern_n
  FROM visited
), made AS (
  SELECT *,
    (lpad(to_hex(pattern_n), 8, '0') || substr(md5('response ' || pattern_n), 9))::uuid AS pattern,
    (begins || substr(md5('patient ' || n), 9))::uuid AS patient,
    (begins || substr(md5('evaluation ' || n), 9))::uuid AS evaluation,
    (begins || substr(md5('invitation ' || n), 9))::uuid AS invitation,
    (begins || substr(md5('response ' || n), 9))::uuid AS response
  FROM numbered
)
"""
_PATIENTS: Final = """
INSERT INTO intake_patient
  (id, given_name, family_name, birth_date, email, phone, created_at, created_by_id, reminders_off)
SELECT patient, given, family,
  (authored - age * interval '1 year' - (3 + mod(n, 350)) * interval '1 day')::date,
  lower(given || '.' || family) || n || '@patients.example',
  '(310) 555-' || lpad(mod(n, 10000)::text, 4, '0'), booked, NULL, false
FROM (
  SELECT *, (%(ages)s::integer[])[1 + mod(n, %(patterns)s)] AS age,
    (%(given)s::text[])[1 + floor(cardinality(%(given)s::text[])
      * power((hashint8(n) & 65535) / 65536.0::float8, 1.3))::integer] AS given,
    (%(family)s::text[])[1 + floor(cardinality(%(family)s::text[])
      * power((hashint8(n + 1000000007) & 65535) / 65536.0::float8, 1.3))::integer] AS family
  FROM made
) named
"""
_EVALUATIONS: Final = """
INSERT INTO intake_evaluation
  (id, patient_id, physio_id, starts_at, minutes, status, created_at, created_by_id,
   double_booked, booked_at, reminders_off)
SELECT evaluation, patient, physio, starts_at, %(slot_minutes)s, 'booked', booked, NULL, false, booked, false
FROM made
"""
_INVITATIONS: Final = """
INSERT INTO intake_invitation
  (id, evaluation_id, questionnaire_id, token_hash, created_at, created_by_id, expires_at, sent_at, opened_at)
SELECT invitation, evaluation, %(questionnaire)s, sha256(gen_random_uuid()::text::bytea), booked, NULL,
  starts_at + interval '24 hours', booked + interval '1 minute', authored - interval '19 minutes'
FROM made
"""
_RESPONSES: Final = """
INSERT INTO intake_questionnaireresponse
  (id, evaluation_id, invitation_id, questionnaire_id, status, answers, document, saved_pages, revision,
   started_at, updated_at, authored, submit_key)
SELECT m.response, m.evaluation, m.invitation, p.questionnaire_id, p.status, p.answers,
  p.document || jsonb_build_object(
    'id', m.response,
    'subject', jsonb_build_object('reference', 'Patient/' || m.patient),
    'source', jsonb_build_object('reference', 'Patient/' || m.patient),
    'authored', to_char(m.authored AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')),
  p.saved_pages, p.revision, m.authored - interval '18 minutes', m.authored, m.authored, gen_random_uuid()
FROM made m JOIN intake_questionnaireresponse p ON p.id = m.pattern
"""
_RUNS: Final = """
INSERT INTO intake_screeningrun (response_id, at, rule_versions, precautions)
SELECT m.response, m.authored, p.rule_versions, p.precautions
FROM made m JOIN intake_screeningrun p ON p.response_id = m.pattern
"""
_FINDINGS: Final = """
INSERT INTO intake_finding
  (response_id, run_id, rule_id, side, source_side, target_side, direction, score, evidence)
SELECT m.response, r.id, p.rule_id, p.side, p.source_side, p.target_side, p.direction, p.score, p.evidence
FROM made m
JOIN intake_screeningrun r ON r.response_id = m.response
JOIN intake_finding p ON p.response_id = m.pattern
"""
_REVIEWS: Final = """
INSERT INTO intake_review (response_id, started_at, started_by_id, finished_at, finished_by_id)
SELECT response, read, physio, CASE WHEN NOT reading THEN read + interval '4 minutes' END,
  CASE WHEN NOT reading THEN physio END
FROM made WHERE NOT unread
"""
_VERDICTS: Final = """
INSERT INTO intake_verdict (finding_id, decision, reason, note, at, by_id)
SELECT id, decision, CASE WHEN decision = 'refuted' THEN 'explained' ELSE '' END, '',
  read + interval '1 minute', physio
FROM (
  SELECT f.id, m.read, m.physio, CASE
    WHEN mod(hashint8(m.n + f.rule_id) & 65535, 10) < 6 THEN 'confirmed'
    WHEN mod(hashint8(m.n + f.rule_id) & 65535, 10) < 8 THEN 'provisional'
    ELSE 'refuted' END AS decision
  FROM made m
  JOIN intake_finding f ON f.response_id = m.response
  WHERE f.rule_id = ANY(%(chain)s::bigint[]) AND NOT m.unread AND NOT m.reading
) decided
"""
_OUTCOMES: Final = """
INSERT INTO intake_outcome (finding_id, result, reason, note, at, by_id)
SELECT id, result, CASE WHEN result = 'not-tested' THEN 'time' ELSE '' END, '', seen, physio
FROM (
  SELECT f.id, m.starts_at + interval '2 hours' AS seen, m.physio, CASE
    WHEN mod(hashint8(m.n * 7 + f.rule_id) & 65535, 10) < 6 THEN 'found'
    WHEN mod(hashint8(m.n * 7 + f.rule_id) & 65535, 10) < 9 THEN 'not-found'
    ELSE 'not-tested' END AS result
  FROM made m
  JOIN intake_finding f ON f.response_id = m.response
  WHERE f.rule_id = ANY(%(chain)s::bigint[]) AND NOT m.unread AND NOT m.reading
) seen
"""
_CLOSINGS: Final = """
INSERT INTO intake_closing (response_id, number, act, reason, at, by_id)
SELECT response, 1, 'closed', '', starts_at + interval '2 hours', physio
FROM made WHERE NOT unread AND NOT reading
"""
# What a finding counts for rests on the intake and the visit, which come after it.
_TALLIES: Final = """
SELECT intake_tally_findings(
  ARRAY(SELECT f.id FROM made m JOIN intake_finding f ON f.response_id = m.response))
"""
_KEYS: Final = "SELECT n, response, evaluation, invitation, authored FROM made ORDER BY n"
# Foreign keys are checked at the end of the transaction. With the evaluation coming last, its place on the
# worklist is worked out once, when all that it rests on stands.
_COPIES: Final = (
    _RUNS,
    _FINDINGS,
    _REVIEWS,
    _VERDICTS,
    _OUTCOMES,
    _CLOSINGS,
    _RESPONSES,
    _INVITATIONS,
    _EVALUATIONS,
    _PATIENTS,
    _TALLIES,
)
# The triggers look a batch up by key. A plan made while a table was small must not read all of it later.
_BY_KEY: Final = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; "
    "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"
)
_LOCK: Final = "SELECT pg_advisory_xact_lock(70413)"
_TABLES: Final = (
    "patient",
    "evaluation",
    "invitation",
    "questionnaireresponse",
    "screeningrun",
    "finding",
    "review",
    "verdict",
    "outcome",
    "closing",
    "findingtally",
    "queueentry",
)

# Beside the demo's own people: places and habits that raise other links.
_MORE: Final[Sequence[Mapping[str, Any]]] = (
    {
        "why.main-problem": "foot-ankle",
        "why.story": "First steps out of bed hurt, then it eases. Long shifts bring it back.",
        "pain.regions.right": ["sole-heel", "sole-arch"],
        "pain.regions.left": ["none"],
        "pain.duration": "3-12m",
        "pain.pattern": ["first-steps", "after-standing"],
        "foot.arch.right": "flat-always",
        "foot.aggravators.right": ["first-steps", "standing"],
        "gait.foot-roll.right": "inward",
        "goal.one.activity": "Walk the dog without limping",
        "goal.one.score": 4,
    },
    {
        "why.main-problem": "knee",
        "why.story": "Both stairs and long drives. The other leg does most of the work now.",
        "pain.regions.left": ["knee-front", "knee-inner"],
        "pain.regions.right": ["sole-heel"],
        "timeline.first": "knee-first",
        "gait.leg-use.left": "spare",
        "gait.leg-use.right": "more",
        "knee.history.left": ["arthritis", "old-injury"],
        "foot.aggravators.right": ["standing"],
        "goal.one.activity": "Kneel in the garden",
        "goal.one.score": 2,
    },
)
_VARIED: Final = (
    ("2-6w", 3, 6),
    ("3-12m", 5, 8),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many there are now, of how many that were asked for; more than that may have been there before."""

    made: int
    wanted: int


def refuse_outside_demo() -> None:
    """Raises `NotDemo`."""
    if not settings.DEMO:
        raise NotDemo("made intakes are for CLINIC_MODE=demo alone")


def count() -> int:
    """How many were made so far; batches are whole or not there."""
    with audit.audited("intakes.count", by=BY):
        return int(Evaluation.objects.filter(physio__in=_physios()).count())


def make(wanted: int, *, batch: int = BATCH) -> Iterator[Progress]:
    """Top up to `wanted` intakes, a batch a transaction; says after each how far it is. Raises `NotDemo`."""
    refuse_outside_demo()
    people = make_physios()
    made = count()
    yield Progress(made, wanted)
    patterns = tuple(everybody())
    while made < wanted:
        # The patterns come first, in a batch of their own.
        until = min(wanted, len(patterns) if made < len(patterns) else made + batch)
        with audit.audited("intakes.made", by=BY) as access:
            with connection.cursor() as cursor:
                cursor.execute(_BY_KEY)
                cursor.execute(_LOCK)
            first = Evaluation.objects.filter(physio__in=people).count()
            if first == made:
                words = _words(people, patterns, first, until - 1)
                if first < len(patterns):
                    _make_patterns(patterns, words)
                else:
                    _run(_COPIES, words)
                access.note(first=first, number=until - first)
                first = until
        made = first
        yield Progress(made, wanted)


def settle() -> None:
    """Tell the planner what the tables hold now, and mark pages that need no second look. As the owner."""
    tables = [f"intake_{name}" for name in _TABLES]
    vacuum(settings.DATABASE_URLS.owner, connection.settings_dict["NAME"], tables)


def make_physios() -> list[int]:
    """The physios of the made visits: nobody signs in as one of them, and no form offers them."""
    known = set(User.objects.filter(username__in=_usernames()).values_list("username", flat=True))
    User.objects.bulk_create(
        [
            User(
                username=name,
                first_name=GIVEN[-1 - number],
                last_name=FAMILY[-1 - number],
                title="Dr.",
                is_active=False,
                password=UNUSABLE_PASSWORD_PREFIX,
            )
            for number, name in enumerate(_usernames())
            if name not in known
        ],
        ignore_conflicts=True,
    )
    return list(_physios().order_by("username"))


def _usernames() -> list[str]:
    return [f"made-{number:02d}" for number in range(1, PHYSIOS + 1)]


def _physios() -> Any:
    return User.objects.filter(username__in=_usernames()).values_list("pk", flat=True)


def everybody() -> Iterator[Person]:
    """The people behind the patterns: stories on either side, of different length and pain."""
    chance = random.Random(4)  # noqa: S311  # the same people every time, nothing secret
    stories = [person.answers for person in TODAY if person.stage == "sent"]
    stories = [story for story in [*stories, *_MORE] if "safety.leg-signs.left" not in story]
    for number in range(PATTERNS):
        story = stories[number % len(stories)]
        turn = number // len(stories)
        duration, now, worst = _VARIED[turn // 2 % len(_VARIED)]
        answers = {
            **(mirrored(story) if turn % 2 else story),
            "pain.duration": duration,
            "pain.now": now,
            "pain.average": now + turn // 4 % 2,
            "pain.worst": worst,
        }
        born = date(1950 + chance.randrange(55), 1 + chance.randrange(12), 1 + chance.randrange(28))
        yield Person("", "", born, TODAY[0].at, "", "sent", answers)


def mirrored(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The same story of the other leg."""
    other = {"left": "right", "right": "left"}
    found = {}
    for link_id, value in answers.items():
        start, _dot, last = link_id.rpartition(".")
        found[f"{start}.{other[last]}" if last in other else link_id] = value
    return found


def _words(people: Sequence[int], patterns: Sequence[Person], first: int, last: int) -> dict[str, Any]:
    ages = [_age(person) for person in patterns]
    return {
        "first": first,
        "last": last,
        "anchor": _anchor(people),
        "physios": list(people),
        "physios_count": len(people),
        "slots": SLOTS,
        "slot_minutes": SLOT_MINUTES,
        "zone": settings.TIME_ZONE,
        "recent": RECENT,
        "patterns": len(patterns),
        "ages": ages,
        "given": list(GIVEN),
        "family": list(FAMILY),
        "chain": list(Rule.objects.filter(kind=Rule.Kind.CHAIN).values_list("pk", flat=True)),
        "questionnaire": active_questionnaire().pk,
    }


def _age(person: Person) -> int:
    return 2026 - person.born.year


def _anchor(people: Sequence[int]) -> date:
    """The day of the latest made visits: of an earlier run, else the last day of work."""
    latest = Evaluation.objects.filter(physio__in=people).aggregate(at=Max("starts_at"))["at"]
    if latest is not None:
        return timezone.localdate(latest)
    day = timezone.localdate() - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - SATURDAY + 1))


def _run(statements: Sequence[str], words: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(_MADE + statement, words)


def _make_patterns(patterns: Sequence[Person], words: Mapping[str, Any]) -> None:
    """Those of the patterns that are numbered `first` to `last`, answered as people would."""
    _run((_PATIENTS, _EVALUATIONS, _INVITATIONS), words)
    questionnaire = active_questionnaire()
    definition = questionnaire.tree()
    active = record.active_rules()
    with connection.cursor() as cursor:
        cursor.execute(_MADE + _KEYS, words)
        rows = cursor.fetchall()
    for number, key, evaluation, invitation, authored in rows:
        person = patterns[number]
        given = Person(
            "", "", person.born, person.at, "", "sent", {**person.answers, "about.age": _age(person)}
        )
        answers = prune(definition, fill(definition, given))
        wrong = [problem.link_id for problem in check(definition, answers)] + list(
            missing(definition, answers)
        )
        screening = screen(active.rules, answers)
        if wrong or any(one.rule.is_urgent for one in screening.red_flags):
            raise ValueError(f"pattern {number} is no ordinary intake: {wrong or 'urgent'}")
        response = QuestionnaireResponse(
            pk=UUID(str(key)),
            evaluation_id=evaluation,
            invitation_id=invitation,
            questionnaire=questionnaire,
            status=QuestionnaireResponse.Status.COMPLETED,
            answers={link_id: list(values) for link_id, values in answers.items()},
            saved_pages=[item.link_id for item in definition.items],
            revision=len(definition.items) + 1,
            started_at=authored - timedelta(minutes=18),
            updated_at=authored,
            authored=authored,
            submit_key=uuid4(),
        )
        response.document = journey.fhir_document(response)
        response.save(force_insert=True)
        record.store_findings(response, definition, screening, active, at=authored)
    _run((_REVIEWS, _VERDICTS), words)
