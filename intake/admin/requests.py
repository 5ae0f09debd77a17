"""Who asks for a first evaluation and needs an appointment."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _

from education.lessons.models import Lesson
from intake import audit, journey
from intake.admin.audited import AuditedAdmin, member, see_other, uuid_or_404
from intake.admin.evaluations import EvaluationForm
from intake.patients import asking
from intake.patients.models import Evaluation, EvaluationRequest, Patient

NEW = "new"
SHOWN = 100


class BookingForm(EvaluationForm):
    """When, with whom, how long; a new evaluation is booked."""

    class Meta:
        model = Evaluation
        fields = ["physio", "starts_at", "minutes"]


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
        """Who waits for an appointment, the longest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])

        def answer(access: audit.Access) -> HttpResponseBase:
            waiting = list(self.get_queryset(request).filter(closed_at=None).order_by("asked_at")[:SHOWN])
            access.saw(self.kind, [asked.pk for asked in waiting])
            titles = titles_of(asked.source for asked in waiting)
            context = {
                **self.admin_site.each_context(request),
                "title": _("Needs appointment"),
                "opts": self.opts,
                "rows": [(asked, titles.get(asked.source, asked.source)) for asked in waiting],
            }
            return TemplateResponse(request, "admin/intake/evaluationrequest/list.html", context)

        return self.audited(request, "evaluation-request.list", answer)

    def book_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """What was asked, and the form that makes a patient and an evaluation of it."""
        key = self.open_to(request, object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            asked = self.waiting(request, key)
            people = asking.same_person(asked, member(request))
            access.saw("patient", [patient.pk for patient in people])
            posted = request.POST if request.method == "POST" else None
            form = BookingForm(posted, initial={"minutes": settings.EVALUATION_MINUTES})
            who = request.POST.get("patient", "" if people else NEW)
            chosen = next((patient for patient in people if str(patient.pk) == who), None)
            known = who == NEW or chosen is not None
            if posted is not None and form.is_valid() and known:
                return self.book(request, asked, chosen, form.instance, access.by)
            context = {
                **self.admin_site.each_context(request),
                "title": _("Needs appointment"),
                "opts": self.opts,
                "asked": asked,
                "source": titles_of([asked.source]).get(asked.source, asked.source),
                "people": people,
                "who": who,
                "who_error": posted is not None and not known,
                "form": form,
            }
            return TemplateResponse(request, "admin/intake/evaluationrequest/book.html", context)

        return self.audited(request, "evaluation-request.read", answer, [key])

    def book(
        self,
        request: HttpRequest,
        asked: EvaluationRequest,
        patient: Patient | None,
        evaluation: Evaluation,
        by: audit.Actor,
    ) -> HttpResponseBase:
        journey.book_request(asked=asked, patient=patient, evaluation=evaluation, by=by)
        self.message_user(request, _("Booked. Now send the invitation."), messages.SUCCESS)
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
            self.get_queryset(request).select_for_update().filter(pk=key, closed_at=None).first()
        )
        if asked is None:
            raise Http404
        return asked


def titles_of(slugs: Any) -> dict[str, str]:
    """The lessons' titles by slug."""
    return dict(Lesson.objects.filter(slug__in={slug for slug in slugs if slug}).values_list("slug", "title"))
