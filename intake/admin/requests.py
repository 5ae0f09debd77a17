"""Who asks for a first evaluation and needs an appointment."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from intake import audit, journey
from intake.admin.audited import AuditedAdmin, member, see_other, uuid_or_404
from intake.admin.evaluations import TRIES, RequestForm, told_of_booking
from intake.admin.sending import SENDS_LINKS
from intake.patients import asking, diary
from intake.patients.models import REVIEWS, EvaluationRequest, Patient
from intake.review.booking import form_state
from intake.review.models import QueueEntry

NEW = "new"
SHOWN = 100


@admin.register(EvaluationRequest)
class RequestAdmin(AuditedAdmin):
    kind = "evaluation-request"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist"),
            self.page("<path:object_id>/book/", self.book_view, "book"),
            self.page("<path:object_id>/close/", self.close_view, "close"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Who waits for an appointment: urgent ones first, then the longest."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])

        def answer(access: audit.Access) -> HttpResponseBase:
            waiting = list(
                self.get_queryset(request)
                .filter(closed_at=None)
                .annotate(
                    urgent=F("evaluation__queue_entry__urgent"),
                    sent_at=F("evaluation__queue_entry__response__authored"),
                    lesson=asking.lesson_title("source"),
                )
                .order_by("-urgent", "asked_at", "pk")[:SHOWN]
            )
            access.saw(self.kind, [asked.pk for asked in waiting])
            context = {
                **self.admin_site.each_context(request),
                "title": _("Needs appointment"),
                "opts": self.opts,
                "rows": waiting,
            }
            return TemplateResponse(request, "admin/intake/evaluationrequest/list.html", context)

        return self.audited(request, "evaluation-request.list", answer)

    def book_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """What was asked, how the form stands, and what it takes to book the evaluation."""
        key = self.open_to(request, object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            asked = self.waiting(request, key)
            people = asking.same_person(asked, member(request))
            evaluation = asked.evaluation
            access.saw("evaluation", [evaluation.pk])
            access.saw("patient", [evaluation.patient_id, *(patient.pk for patient in people)])
            posted = request.POST if request.method == "POST" else None
            who = request.POST.get("patient", "" if people else NEW)
            chosen = next((patient for patient in people if str(patient.pk) == who), None)
            known = who == NEW or chosen is not None
            may_send = request.user.has_perm(SENDS_LINKS)
            for _attempt in range(TRIES):
                form = RequestForm(posted, initial={"minutes": evaluation.minutes})
                if not (may_send and any(person.email for person in (evaluation.patient, *people))):
                    del form.fields["tell"]
                if posted is None or not form.is_valid() or not known:
                    break
                try:
                    return self.book(request, asked, chosen, form.cleaned_data, access.by)
                except diary.Taken:
                    # Somebody else was faster; the form's next look says so.
                    asked = self.waiting(request, key)
            state = form_state(evaluation, timezone.now())
            entry = QueueEntry.objects.visible_to(request.user).filter(pk=evaluation.pk).first()
            context = {
                **self.admin_site.each_context(request),
                "title": _("Needs appointment"),
                "opts": self.opts,
                "asked": asked,
                "source": asking.came_from(evaluation),
                "people": people,
                "who": who,
                "who_error": posted is not None and not known,
                "form": form,
                "patient": evaluation.patient,
                "urgent": entry is not None and entry.urgent,
                "state": state,
                "may_send": may_send,
                "invite_url": reverse("admin:intake_evaluation_invite", args=[evaluation.pk]),
                "end_link_url": reverse("admin:intake_evaluation_end_link", args=[evaluation.pk])
                if state.link_lives
                else "",
                "review_url": review_url(request, entry),
            }
            return TemplateResponse(request, "admin/intake/evaluationrequest/book.html", context)

        return self.audited(request, "evaluation-request.read", answer, [key])

    def book(
        self,
        request: HttpRequest,
        asked: EvaluationRequest,
        patient: Patient | None,
        when: Mapping[str, Any],
        by: audit.Actor,
    ) -> HttpResponseBase:
        evaluation = journey.book_request(
            asked=asked,
            patient=patient,
            physio=when["physio"],
            starts_at=when["starts_at"],
            minutes=when["minutes"],
            by=by,
            mail=when.get("tell", False),
        )
        state = form_state(evaluation, timezone.now())
        if state.code == "form-sent":
            told = _("Booked. The form that was sent stands with it.")
        elif state.link_lives and not (state.code == "queued" and when.get("tell")):
            told = _("Booked. The link they have goes on working.")
        else:
            told = told_of_booking(state)
        self.message_user(request, told, messages.SUCCESS)
        return see_other(reverse("admin:intake_evaluation_change", args=[evaluation.pk]))

    def close_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Nothing comes of it: a wrong number, a double, somebody who went elsewhere."""
        key = self.open_to(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def answer(access: audit.Access) -> HttpResponseBase:
            journey.close_request(asked=self.waiting(request, key), by=access.by)
            self.message_user(request, _("Closed."), messages.SUCCESS)
            return see_other(self.url("changelist"))

        return self.audited(request, "evaluation-request.written", answer, [key])

    def open_to(self, request: HttpRequest, object_id: str) -> UUID:
        """The key in the address, for who may book. Raises `PermissionDenied` or `Http404`."""
        if not (self.has_change_permission(request) and request.user.has_perm("intake.add_evaluation")):
            raise PermissionDenied
        return uuid_or_404(object_id)

    def waiting(self, request: HttpRequest, key: UUID) -> EvaluationRequest:
        """The request, locked, so that two at the desk book it once. Raises `Http404` when it is done."""
        asked: EvaluationRequest | None = (
            self.get_queryset(request)
            .select_related("evaluation__patient")
            .select_for_update(of=("self",))
            .filter(pk=key, closed_at=None)
            .first()
        )
        if asked is None:
            raise Http404
        return asked


def review_url(request: HttpRequest, entry: QueueEntry | None) -> str:
    """Where this user reads the intake; empty where there is none to read, or not for this user."""
    if entry is None or entry.readable is None or not request.user.has_perm(REVIEWS):
        return ""
    return reverse("admin:intake_questionnaireresponse_review", args=[entry.readable])
