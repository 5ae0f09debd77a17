"""After the form was sent: where it stands, and a way to change it until the visit begins."""

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from education.clinic_info.models import ClinicInfo
from intake import audit, journey
from intake.responses import amend, draft
from intake.responses.answers import read_answers
from intake.responses.models import QuestionnaireResponse
from intake.responses.summary import said
from intake.review.looked import looks_at
from intake.review.receipt import receipt_for
from intake.review.sharing import shared_lessons
from intake.views.form import advice_context, see_other
from intake.views.visit import Visit, patient_page

# It lies among other downloads, so it says nothing about health.
FILE: Final = "my-answers.txt"


@require_safe
@patient_page
def show(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Received, read by, the visit, lessons. Never a finding, nor what was made of one."""
    return show_status(request, visit)


@require_safe
@patient_page
def answers(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What the patient sent, in her own words, to read and to print."""
    sent = visit.sent
    if sent is None:
        return redirect("intake:tasks")
    return render(request, "intake/answers.html", answers_context(visit, sent))


@require_safe
@patient_page
def looked(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who of the clinic looked at what the patient sent, in plain words. Never what anybody made of it."""
    if visit.sent is None:
        return redirect("intake:tasks")
    return render(request, "intake/looked.html", {"visit": visit, "looks": looks_at(visit.evaluation)})


@require_safe
@patient_page
def answers_file(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The same as plain text, to keep. That a copy left has its own row in the trail."""
    # A file would stay on the clinic's tablet.
    if visit.on_tablet:
        raise Http404
    sent = visit.sent
    if sent is None:
        return redirect("intake:tasks")
    with audit.audited("answers.taken", by=visit.actor, objects={"response": [sent.pk]}):
        context = {**answers_context(visit, sent), "clinic": ClinicInfo.current()}
        return HttpResponse(
            render_to_string("intake/answers.txt", context),
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{FILE}"'},
        )


def answers_context(visit: Visit, sent: QuestionnaireResponse) -> dict[str, Any]:
    """A change that was not sent is no part of it, nor is what anybody made of the answers."""
    definition, given = sent.questionnaire.tree(), read_answers(sent.answers)
    # Pages hidden for comfort may hold answers that were given before.
    path = draft.path_of(definition, given, frozenset())
    return {"visit": visit, "response": sent, "sections": said(definition, given, path)}


@require_POST
@patient_page
def change(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Something changed: open what was sent for a change. It stands until the change is sent."""
    try:
        journey.begin_change(invitation=visit.invitation, by=visit.actor)
    except amend.ChangeRefused as refused:
        return show_status(request, visit, refused=refused.message)
    return see_other("intake:tasks")


@require_POST
@patient_page
def keep(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Give up a change: what was sent stays."""
    journey.keep_sent(invitation=visit.invitation, by=visit.actor)
    return see_other("intake:status" if visit.sent is not None else "intake:tasks")


def show_status(request: HttpRequest, visit: Visit, *, refused: str = "") -> HttpResponse:
    """refused: why what was asked for did not happen."""
    sent = visit.sent
    if sent is None:
        return redirect("intake:tasks")
    screening = visit.screening
    if visit.is_change and not screening.is_urgent:
        # A change that was not sent takes nothing back.
        screening = journey.screening_of(visit.definition, read_answers(sent.answers), visit.working.active)
    urgent = screening.is_urgent
    shared = shared_lessons(visit.evaluation)
    context = {
        **advice_context(visit, screening),
        "urgent": urgent,
        "response": sent,
        "reference": sent.reference,
        "receipt": receipt_for(sent),
        "shared": shared,
        "lessons": [one for one in journey.lessons_for(sent, urgent=urgent) if one.lesson not in shared],
        "refused": refused,
    }
    return render(request, "intake/status.html", context, status=409 if refused else 200)
