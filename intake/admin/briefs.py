"""The brief on paper, as a PDF and as plain text: of one intake and of a day. Each is a read in the trail."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _

from education.clinic_info.context import current_or_blank
from intake import audit
from intake.admin import searching
from intake.admin.audited import AuditedAdmin, member, uuid_or_404
from intake.patients.models import REVIEWS
from intake.responses.models import QuestionnaireResponse
from intake.review.brief import Brief, as_text, brief_of
from intake.review.brief_pdf import pdf_of
from intake.review.page import review_page
from intake.review.paper import PAPERS
from intake.review.queue import PRINTED_AT_MOST, Filters, sent_on_day

LETTER = "letter"


def paper_of(request: HttpRequest) -> str:
    """The paper asked for; anything that is none is Letter."""
    wanted = request.GET.get("paper", "")
    return wanted if wanted in PAPERS else LETTER


class _Briefs(AuditedAdmin):
    def check_may(self, request: HttpRequest) -> HttpResponseBase | None:
        """An answer for what is no reading. Raises `PermissionDenied` for who may not review."""
        if not request.user.has_perm(REVIEWS):
            raise PermissionDenied
        return None if request.method in ("GET", "HEAD") else HttpResponseNotAllowed(["GET", "HEAD"])

    def briefs(self, request: HttpRequest, access: audit.Access, keys: Iterable[UUID]) -> list[Brief]:
        """The briefs of these intakes, without what has none: unknown, not for this reader, not sent."""
        info, reader, now = current_or_blank(), member(request), timezone.now()
        clinic = ", ".join(filter(None, (info.name, info.city)))
        found = []
        for key in keys:
            try:
                page = review_page(user=reader, response_id=key)
            except QuestionnaireResponse.DoesNotExist:
                continue
            if not page.standing.sent:
                continue
            access.saw("patient", [page.patient.pk])
            access.saw("finding", [card.key for card in (*page.findings, *page.notes)])
            access.saw("red-flag", [flag.key for flag in page.flags])
            found.append(brief_of(page, reader=str(reader), clinic=clinic, now=now))
        return found

    def shown(
        self, request: HttpRequest, template: str, briefs: Sequence[Brief], **more: Any
    ) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Brief") if len(briefs) == 1 else _("Briefs"),
            "opts": self.opts,
            "briefs": briefs,
            "paper": paper_of(request),
            **more,
        }
        return TemplateResponse(request, template, context)

    def pdf(self, request: HttpRequest, briefs: Sequence[Brief], name: str) -> HttpResponseBase:
        """name: of the file, without a person's name or a word about health."""
        response = HttpResponse(pdf_of(briefs, paper_of(request)), content_type="application/pdf")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
        return response


class BriefPages(_Briefs):
    """The pages of one brief, for the admin of an intake."""

    def brief_urls(self) -> list[URLPattern]:
        return [
            self.page("<path:object_id>/brief/", self.brief_view, "brief"),
            self.page("<path:object_id>/brief/pdf/", self.brief_pdf_view, "brief_pdf"),
            self.page("<path:object_id>/brief/text/", self.brief_text_view, "brief_text"),
        ]

    def brief_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.one(request, object_id, "page", lambda brief: self.sheet(request, brief))

    def brief_pdf_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.one(
            request,
            object_id,
            "pdf",
            lambda brief: self.pdf(request, [brief], brief.reference.replace(" ", "-")),
        )

    def brief_text_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.one(
            request,
            object_id,
            "text",
            lambda brief: self.shown(
                request,
                "admin/intake/questionnaireresponse/brief_text.html",
                [brief],
                brief=brief,
                text=as_text(brief),
                back=self.back(request),
            ),
        )

    def sheet(self, request: HttpRequest, brief: Brief) -> HttpResponseBase:
        template = "admin/intake/questionnaireresponse/brief.html"
        return self.shown(request, template, [brief], brief=brief, back=self.back(request))

    def back(self, request: HttpRequest) -> str:
        """The worklist's filters, handed on."""
        return searching.filters_back(request).query()

    def one(
        self, request: HttpRequest, object_id: str, form: str, draw: Callable[[Brief], HttpResponseBase]
    ) -> HttpResponseBase:
        refused = self.check_may(request)
        if refused is not None:
            return refused
        key = uuid_or_404(object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            access.note(form=form)
            found = self.briefs(request, access, [key])
            if not found:
                raise Http404
            return draw(found[0])

        return self.audited(request, "brief.read", answer, [key])


class BriefsOfDayPages(_Briefs):
    """The briefs of the day that the worklist shows, for the admin of evaluations.

    Of its other filters only `mine` counts: paper that left out an urgent patient would not say so.
    """

    def briefs_urls(self) -> list[URLPattern]:
        return [
            self.page("briefs/", self.briefs_view, "briefs"),
            self.page("briefs/pdf/", self.briefs_pdf_view, "briefs_pdf"),
        ]

    def briefs_view(self, request: HttpRequest) -> HttpResponseBase:
        return self.of_day(request, "page", lambda filters, briefs: self.sheets(request, filters, briefs))

    def briefs_pdf_view(self, request: HttpRequest) -> HttpResponseBase:
        """The same as a file; without a brief it is the page that says so."""

        def draw(filters: Filters, briefs: list[Brief]) -> HttpResponseBase:
            if not briefs:
                return self.sheets(request, filters, briefs)
            return self.pdf(request, briefs, f"{filters.day}")

        return self.of_day(request, "pdf", draw)

    def sheets(self, request: HttpRequest, filters: Filters, briefs: list[Brief]) -> HttpResponseBase:
        return self.shown(
            request,
            "admin/intake/evaluation/briefs.html",
            briefs,
            filters=filters,
            back=filters.changed().query(),
            of_all=filters.changed(mine=False, status="", direction="").query(),
            most=PRINTED_AT_MOST if len(briefs) == PRINTED_AT_MOST else 0,
        )

    def of_day(
        self, request: HttpRequest, form: str, draw: Callable[[Filters, list[Brief]], HttpResponseBase]
    ) -> HttpResponseBase:
        refused = self.check_may(request)
        if refused is not None:
            return refused
        filters = Filters.read(request.GET, timezone.localdate(), searching.sought(request))

        def answer(access: audit.Access) -> HttpResponseBase:
            access.note(form=form)
            keys = sent_on_day(member(request), filters)
            access.saw("response", keys)
            return draw(filters, self.briefs(request, access, keys))

        return self.audited(request, "brief.read", answer)
