"""People, visits and intakes for tests, made by the same stage functions the product uses.

Everything is invented. Each call opens its own audited context, so a test can use them bare.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from clinic.door import factors
from intake import audit
from intake.conditions import Value
from intake.patients import diary
from intake.patients.models import Evaluation, Invitation, Patient
from intake.questionnaires.load import active_questionnaire
from intake.responses.answers import prune, read_answers, to_fhir_items
from intake.responses.models import QuestionnaireResponse
from intake.screening import record
from intake.screening.models import Finding, Rule
from intake.screening.screen import screen

SETUP = audit.system("tests")
_number = count(1)

# Each raises what its name says; see tests/catalog/cases.json for many more.
CALM: Mapping[str, Sequence[Value]] = {"pain.regions.left": ["none"], "pain.regions.right": ["none"]}
ROLLING_IN: Mapping[str, Sequence[Value]] = {
    "why.main-problem": ["knee"],
    "why.story": ["Sore on stairs since spring. My foot rolls in <b>when tired</b>."],
    "pain.regions.left": ["none"],
    "pain.regions.right": ["knee-front"],
    "pain.now": [3],
    "pain.worst": [6],
    "pain.average": [4],
    "gait.foot-roll.right": ["inward"],
    "foot.ankle-lean.right": ["in"],
    "foot.shoe-wear.right": ["outer-edge"],
    "goal.one.activity": ["Run 5 km"],
    "goal.one.score": [4],
}
SPARING: Mapping[str, Sequence[Value]] = {
    "why.main-problem": ["knee-and-foot"],
    "pain.regions.left": ["sole-heel"],
    "pain.regions.right": ["knee-inner"],
    "gait.leg-use.right": ["spare"],
    "gait.leg-use.left": ["more"],
    "timeline.first": ["knee-first"],
    "knee.history.right": ["arthritis"],
}
SWOLLEN_CALF: Mapping[str, Sequence[Value]] = {
    "safety.leg-signs.left": ["calf-swollen", "calf-warm-sore"],
    "safety.leg-signs.right": ["none"],
    "safety.clot-risks": ["long-trip"],
}

CHEST_PAIN: Mapping[str, Sequence[Value]] = {"safety.body-signs": ["chest-breath"]}

_BOTH = ("left", "right")
# As much as a page of paper ever has to hold: every text at its limit, many findings, flags and precautions.
FULLEST: Mapping[str, Sequence[Value]] = {
    "why.main-problem": ["knee-and-foot"],
    "why.story": [
        ("It began on a wet WEEKEND in MARCH, and it has never quite gone away since then. " * 7)[:500]
    ],
    "consent.contact": [True],
    **{f"safety.leg-signs.{side}": ["calf-swollen", "calf-warm-sore", "knee-stuck"] for side in _BOTH},
    "safety.body-signs": ["weight-loss", "night-unrelenting"],
    "safety.clot-risks": ["long-trip", "past-clot", "hormones"],
    **{f"safety.injury.{side}": [False] for side in _BOTH},
    "health.conditions": ["diabetes", "numb-feet", "poor-circulation", "psoriasis", "gout", "osteoporosis"],
    "health.medicines": ["blood-thinner", "steroid", "quinolone", "immune", "pain-relief", "other"],
    **{
        f"pain.regions.{side}": [
            *("hip-side", "knee-front", "knee-inner", "knee-outer"),
            *("shin-inner", "ankle-inner", "sole-heel", "sole-arch"),
        ]
        for side in _BOTH
    },
    "timeline.first": ["knee-first"],
    "pain.now": [6],
    "pain.worst": [9],
    "pain.average": [7],
    "pain.duration": ["over-1y"],
    "pain.onset": ["after-more"],
    "pain.pattern": ["first-steps", "eases-moving", "builds-day", "after-standing", "at-night"],
    "pain.morning-stiff": ["over-60"],
    **{
        f"knee.aggravators.{side}": [
            "stairs-up",
            "stairs-down",
            "squat-kneel",
            "long-sit",
            "running",
            "jumping",
        ]
        for side in _BOTH
    },
    **{f"knee.events.{side}": ["gives-way", "catches", "swells", "not-straight"] for side in _BOTH},
    **{f"knee.history.{side}": ["old-injury", "surgery", "arthritis", "overtraining"] for side in _BOTH},
    **{f"foot.footprint.{side}": ["full"] for side in _BOTH},
    **{f"foot.arch.{side}": ["drops"] for side in _BOTH},
    **{f"foot.ankle-lean.{side}": ["in"] for side in _BOTH},
    **{f"foot.shoe-wear.{side}": ["inner"] for side in _BOTH},
    **{f"foot.aggravators.{side}": ["first-steps", "after-sit", "standing", "running"] for side in _BOTH},
    **{f"foot.history.{side}": ["sprains", "fracture", "told-flat", "got-flatter"] for side in _BOTH},
    "gait.leg-use.left": ["more"],
    "gait.leg-use.right": ["spare"],
    **{f"gait.knee-bend.{side}": ["guarded"] for side in _BOTH},
    **{f"gait.foot-roll.{side}": ["inward"] for side in _BOTH},
    **{f"gait.tires-first.{side}": [True] for side in _BOTH},
    "gait.changed": ["after-knee"],
    "shoes.usual": ["running", "casual", "work-boots", "flat-thin", "worn-out", "new-3-months"],
    "shoes.insoles": ["not-worn"],
    "activity.usual": ["walk", "run", "gym", "field-court", "dance", "stand-job", "other"],
    "activity.other": ["Climbing, kayaking, and long walks with two large dogs on uneven ground at night"],
    "goal.aim": ["back-to-sport"],
    **{
        f"goal.{number}.activity": [
            "Walk down all of the stairs at the stadium without thinking about any of them"
        ]
        for number in ("one", "two", "three")
    },
    **{f"goal.{number}.score": [2] for number in ("one", "two", "three")},
}


def make_user(role: str | None, *, enrolled: bool = True, **fields: Any) -> Any:
    """A member of staff. role: a name of `clinic.roles`; None for an account without one.

    enrolled: with an authenticator app, whose secret is `totp` of what comes back.
    """
    number = next(_number)
    fields.setdefault("username", f"{(role or 'none').replace(' ', '-')}-{number}")
    fields.setdefault("first_name", "Maya")
    fields.setdefault("last_name", f"Ortiz{number}")
    user = get_user_model()(is_staff=True, **fields)
    user.set_password("correct horse battery")
    user.save()
    if role:
        user.groups.add(Group.objects.get(name=role))
    if enrolled:
        user.totp = factors.new_secret()
        factors.set_app(user, user.totp)
    return user


def make_patient(**fields: Any) -> Patient:
    number = next(_number)
    defaults: dict[str, Any] = {
        "given_name": "Jordan",
        "family_name": f"Lee{number}",
        "birth_date": date(1986, 4, 12),
        "email": f"patient{number}@example.org",
        "phone": "(310) 555-0188",
    }
    with audit.audited("tests.made", by=SETUP):
        patient: Patient = Patient.objects.create(**{**defaults, **fields})
    return patient


def make_evaluation(
    *, patient: Patient | None = None, physio: Any = None, is_over: bool = False, **fields: Any
) -> Evaluation:
    """A visit in an hour and a half or at `starts_at`.

    Where the physio has others then it comes right after them; is_over: right before them.
    """
    patient = patient or make_patient()
    physio = physio or make_user("physio")
    at = fields.pop("starts_at", None) or timezone.now() + timedelta(minutes=90)
    minutes = fields.setdefault("minutes", 60)
    with audit.audited("tests.made", by=SETUP):
        while fields.get("status") != "cancelled" and (
            other := diary.clash(physio=physio, starts_at=at, minutes=minutes)
        ):
            at = diary.starts(other) - timedelta(minutes=minutes) if is_over else diary.ends(other)
        fields["starts_at"] = at
        evaluation: Evaluation = Evaluation.objects.create(patient=patient, physio=physio, **fields)
    return evaluation


def make_invitation(evaluation: Evaluation, **fields: Any) -> Invitation:
    fields.setdefault("expires_at", evaluation.link_ends_at)
    fields.setdefault("created_at", min(timezone.now(), fields["expires_at"] - timedelta(days=1)))
    with audit.audited("tests.made", by=SETUP):
        invitation: Invitation = Invitation.objects.create(
            evaluation=evaluation, questionnaire=active_questionnaire(), **fields
        )
    return invitation


def make_response(
    answers: Mapping[str, Sequence[Value]],
    *,
    evaluation: Evaluation | None = None,
    sent: bool = True,
    at: datetime | None = None,
) -> QuestionnaireResponse:
    """An intake with what it raises. Required questions may be missing; a draft has its red flags only."""
    evaluation = evaluation or make_evaluation()
    invitation = make_invitation(evaluation)
    at = at or timezone.now()
    with audit.audited("tests.made", by=SETUP):
        questionnaire = invitation.questionnaire
        definition = questionnaire.tree()
        stored = {link_id: list(values) for link_id, values in answers.items()}
        pruned = prune(definition, read_answers(stored))
        response: QuestionnaireResponse = QuestionnaireResponse.objects.create(
            evaluation=evaluation,
            invitation=invitation,
            questionnaire=questionnaire,
            answers={link_id: list(values) for link_id, values in pruned.items()} if sent else stored,
            started_at=at,
            updated_at=at,
        )
        active = record.active_rules()
        screening = screen(active.rules, pruned)
        if sent:
            response.status = QuestionnaireResponse.Status.COMPLETED
            response.document = {
                "resourceType": "QuestionnaireResponse",
                "item": to_fhir_items(definition, pruned),
            }
            response.authored = at
            response.submit_key = uuid.uuid4()
            response.save()
            record.store_findings(response, definition, screening, active)
            record.sync_red_flags(response, definition, screening.red_flags, active)
        else:
            urgent = [one for one in screening.red_flags if one.rule.is_urgent]
            record.sync_red_flags(response, definition, urgent, active)
    return response


def give_findings(response: QuestionnaireResponse, number: int) -> int:
    """Copies of the intake's first finding under other rules and sides, until there are `number`; its key."""
    with audit.audited("tests.made", by=SETUP):
        first = Finding.objects.filter(response=response, rule__kind="chain").first()
        have = set(Finding.objects.filter(response=response).values_list("rule_id", "side"))
        free = [
            (rule, side)
            for rule in Rule.objects.filter(kind="chain").values_list("pk", flat=True)
            for side in ("left", "right")
            if (rule, side) not in have
        ]
        Finding.objects.filter(response=response).exclude(pk=first.pk).delete()
        Finding.objects.bulk_create(
            Finding(
                response=response,
                run=first.run,
                rule_id=rule,
                side=side,
                source_side=side,
                target_side=side,
                direction="up",
                score=3,
                evidence=first.evidence,
            )
            for rule, side in free[: number - 1]
        )
    return int(first.pk)
