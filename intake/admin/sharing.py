"""Lessons for the patient after the evaluation: which to send, what was sent, taking it back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from intake import audit, journey
from intake.admin.audited import AuditedAdmin, member, see_other, uuid_or_404
from intake.patients.models import REVIEWS, LessonShare, only_reads
from intake.responses.models import QuestionnaireResponse
from intake.review import sharing, versions
from intake.review.decide import NotAllowed


class SharingDesk(AuditedAdmin):
    """The page that shares lessons, for the admin of an intake."""

    def lessons_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """GET reads. POST does one thing, named by `do`: share, send a link again, or take it back."""
        if not request.user.has_perm(REVIEWS) or only_reads(request.user):
            raise PermissionDenied
        key = uuid_or_404(object_id)
        if request.method in ("GET", "HEAD"):
            return self.show_lessons(request, key)
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        do = request.POST.get("do", "")
        if do not in ("share", "again", "take-back"):
            raise BadRequest("an unknown action")
        if do == "share":
            return self.share(request, key)
        return self.change_share(request, key, again=do == "again")

    def show_lessons(self, request: HttpRequest, key: UUID, problem: str = "") -> HttpResponseBase:
        user = member(request)

        def answer(access: audit.Access) -> HttpResponseBase:
            try:
                page = sharing.share_page(user=user, response_id=key)
            except QuestionnaireResponse.DoesNotExist:
                raise Http404 from None
            access.saw("patient", [page.evaluation.patient_id])
            access.saw("lesson-share", [one.key for one in page.shares])
            context = {
                **self.admin_site.each_context(request),
                "title": _("Lessons for the patient"),
                "opts": self.opts,
                "page": page,
                "problem": problem,
                "picked": request.POST.getlist("lessons") if request.method == "POST" else page.picked,
            }
            return TemplateResponse(request, "admin/intake/questionnaireresponse/lessons.html", context)

        return self.audited(request, "lessons.read", answer, [key])

    def share(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        def answer(access: audit.Access) -> HttpResponseBase:
            response = self.intake(request, key)
            journey.share_lessons(response=response, lessons=request.POST.getlist("lessons"), by=access.by)
            self.message_user(request, _("Shared. The e-mail is on its way."), messages.SUCCESS)
            return see_other(self.url("lessons", key))

        try:
            return self.audited(request, "lessons.written", answer, [key])
        except sharing.AlreadyShared as shared:
            self.message_user(request, shared.message, messages.INFO)
            return see_other(self.url("lessons", key))
        except versions.Replaced as replaced:
            return see_other(self.url("lessons", replaced.current))
        except NotAllowed as refused:
            return self.show_lessons(request, key, refused.message)

    def change_share(self, request: HttpRequest, key: UUID, *, again: bool) -> HttpResponseBase:
        wanted = uuid_or_404(request.POST.get("share", ""))

        def answer(access: audit.Access) -> HttpResponseBase:
            response = self.intake(request, key)
            rows = LessonShare.objects.visible_to(request.user).filter(evaluation=response.evaluation_id)
            share = rows.filter(pk=wanted).first()
            if share is None:
                raise Http404
            versions.hold(response.pk)
            if again:
                journey.send_lessons_again(share=share, by=access.by)
                told = _("The link is on its way. An earlier link to these lessons ends.")
            else:
                journey.take_back_lessons(share=share, by=access.by)
                told = _("Taken back. The link opens nothing any more.")
            self.message_user(request, told, messages.SUCCESS)
            return see_other(self.url("lessons", key))

        try:
            return self.audited(request, "lessons.written", answer, [key])
        except LessonShare.DoesNotExist:
            self.message_user(request, _("This link has ended. Share the lessons anew."), messages.INFO)
            return see_other(self.url("lessons", key))
        except versions.Replaced as replaced:
            return see_other(self.url("lessons", replaced.current))

    def intake(self, request: HttpRequest, key: UUID) -> QuestionnaireResponse:
        """The intake as this user may see it. Raises `Http404`."""
        rows = self.get_queryset(request).select_related("evaluation__patient")
        response: QuestionnaireResponse | None = rows.defer("answers", "document").filter(pk=key).first()
        if response is None or not response.is_sent:
            raise Http404
        return response
