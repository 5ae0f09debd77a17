"""A visit in which every field that anybody types into holds a text of our choice."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

from education.lessons.blocks import TEXT_FEATURES
from education.lessons.models import Lesson
from education.newsletter.models import Issue
from intake import audit, journey
from intake.patients.models import Evaluation, EvaluationRequest
from intake.questionnaires.load import active_questionnaire
from intake.responses.models import QuestionnaireResponse
from intake.review.outcomes import Typed, TypedLink, TypedOutcome
from intake.screening.models import Finding
from tests.factories import (
    ROLLING_IN,
    SETUP,
    SWOLLEN_CALF,
    make_evaluation,
    make_patient,
    make_response,
    make_user,
)
from tests.integration.intake.visitor import filled_in

# What a field of that many characters holds.
Words = Callable[[int], str]


@dataclass
class Hostile:
    """users: by role. evaluation: over, its form sent; `link` opens it. views: by role, and the patient's."""

    users: dict[str, Any]
    evaluation: Evaluation
    response: QuestionnaireResponse
    link: str
    views: dict[str, list[str]]


def person(words: Words) -> dict[str, Any]:
    return {"given_name": words(80), "family_name": words(80), "phone": words(30)}


def make_hostile(words: Words) -> Hostile:
    users = {role: make_user(role) for role in ("front desk", "editor", "owner")}
    physio = make_user("physio", first_name=words(150), last_name=words(150), title=words(20))
    users["physio"] = physio
    by, desk = audit.staff(physio), audit.staff(users["front desk"])
    patient = make_patient(**person(words))
    evaluation = make_evaluation(
        patient=patient, physio=physio, starts_at=timezone.now() - timedelta(hours=1)
    )
    response = make_response(answers(words), evaluation=evaluation)
    link = journey.make_link(invitation_id=response.invitation_id, by=SETUP)
    for outcome in ("no-answer", "reached"):
        journey.record_contact(
            response=response,
            called=words(120),
            called_at=timezone.now(),
            outcome=outcome,
            next_step=words(500),
            by=by,
        )
    with audit.audited("tests.read", by=SETUP):
        findings = list(
            Finding.objects.filter(response=response, rule__kind="chain").select_related("response", "rule")
        )
    for finding in findings:
        for decision in ("confirmed", "refuted", "provisional"):
            journey.decide_finding(
                response=finding.response_id,
                finding=finding.pk,
                decision=decision,
                reason="other" if decision == "refuted" else "",
                note=words(500),
                by=by,
            )
    journey.add_link(
        response=response, link=TypedLink("left.knee-front", "right.sole-arch", words(200)), by=by
    )
    journey.finish_review(response=response, by=by)
    typed = {finding.pk: TypedOutcome("not-tested", "other", words(500)) for finding in findings}
    journey.record_outcome(response=response, typed=Typed(outcomes=typed), by=by)
    journey.close_evaluation(response=response, by=by)
    journey.reopen_evaluation(response=response, reason=words(500), by=by)
    journey.close_evaluation(response=response, by=by)

    cancelled = make_evaluation(patient=patient, physio=physio, starts_at=timezone.now() + timedelta(days=2))
    journey.cancel_evaluation(evaluation=cancelled, reason=words(200), by=desk, mail=False)
    asked = EvaluationRequest(
        **person(words),
        birth_date=date(1990, 2, 3),
        guardian_name=words(120),
        preferred_times=words(300),
        email="zyx@patients.example",
    )
    journey.ask_for_evaluation(asked=asked, mail=False)
    issue = Issue.objects.create(subject=words(120), intro=words(2000))
    issue.lessons.set(Lesson.objects.live()[:1])
    lesson = written_lesson(words)
    of_response = [
        reverse(f"admin:intake_questionnaireresponse_{page}", args=[response.pk])
        for page in ("review", "brief", "brief_text", "outcome", "lessons")
    ]
    day = timezone.localdate(evaluation.starts_at).isoformat()
    visit = reverse("admin:intake_evaluation_change", args=[evaluation.pk])
    worklist = reverse("admin:intake_evaluation_changelist")
    at_desk = [
        f"{worklist}?day={day}",
        f"{worklist}?status=needs-appointment",
        f"{worklist}?day=coming",
        visit,
        reverse("admin:intake_evaluation_change", args=[cancelled.pk]),
        reverse("admin:intake_evaluation_rebook", args=[cancelled.pk]),
        f"{reverse('admin:intake_evaluation_add')}?patient={patient.pk}",
        reverse("admin:intake_patient_changelist"),
        reverse("admin:intake_patient_change", args=[patient.pk]),
        reverse("admin:intake_evaluationrequest_changelist"),
        reverse("admin:intake_evaluationrequest_book", args=[asked.pk]),
    ]
    issues = [
        reverse("admin:education_issue_changelist"),
        reverse("admin:education_issue_change", args=[issue.pk]),
        reverse("admin:education_issue_preview", args=[issue.pk]),
    ]
    views = {
        "physio": [
            *of_response,
            f"{of_response[0]}?add=1",
            f"{worklist}?status=to-close",
            f"{reverse('admin:intake_evaluation_briefs')}?day={day}",
            reverse("admin:figures"),
            *at_desk,
        ],
        "front desk": at_desk,
        "editor": [*issues, reverse("wagtailsnippets_education_lesson:edit", args=[lesson.pk])],
        "owner": [of_response[3], reverse("admin:figures"), *issues[:1]],
        "patient": [
            *(f"/intake/{page}" for page in ("status/", "sent/", "answers/", "advice/")),
            *([reverse("education:lesson", args=[lesson.slug])] if lesson.live else []),
            "/learn/",
        ],
    }
    return Hostile(users, evaluation, response, link, views)


def answers(words: Words) -> dict[str, Any]:
    given = {
        **ROLLING_IN,
        **SWOLLEN_CALF,
        "why.story": [words(500)],
        "activity.usual": ["other"],
        "activity.other": [words(80)],
        **{f"goal.{one}.activity": [words(80)] for one in ("one", "two", "three")},
        **{f"goal.{one}.score": [3] for one in ("one", "two", "three")},
    }
    return filled_in(active_questionnaire().tree(), given)


def written_lesson(words: Words) -> Lesson:
    """A lesson as an editor writes it, also one whose browser sends a link that no editor can type."""
    block = {"key": "a", "type": "unstyled", "depth": 0, "inlineStyleRanges": [], "text": words(500)}
    link = {"type": "LINK", "mutability": "MUTABLE", "data": {"url": "javascript:zyx()"}}
    state = {
        "blocks": [{**block, "entityRanges": [{"offset": 0, "length": 4, "key": 0}]}],
        "entityMap": {"0": link},
    }
    check = {"question": words(200), "options": [words(200), words(200)], "answer": 1, "why": words(500)}
    body = [
        {"type": "heading", "value": {"text": words(120), "level": "2"}},
        {"type": "text", "value": ContentstateConverter(TEXT_FEATURES).to_database_format(json.dumps(state))},
        {"type": "key_points", "value": [words(200)]},
        {"type": "self_check", "value": check},
    ]
    lesson = Lesson(
        slug=f"typed-{Lesson.objects.count()}",
        title=words(120),
        lead=words(200),
        part="help",
        order=900,
        summary=words(300),
        body=json.dumps(body),
        suggest_because=words(120),
        live=True,
    )
    lesson.save()
    return lesson
