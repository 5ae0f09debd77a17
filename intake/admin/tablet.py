"""Start the clinic's tablet for one visit: a code to type and the same as a QR code, shown once."""

from typing import Final

import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from intake import audit, journey
from intake.admin.audited import AuditedAdmin, see_other, uuid_or_404
from intake.admin.sending import sends_a_link
from intake.review.booking import check_tablet, form_state
from intake.review.decide import NotAllowed

# Modules of white around a QR code; with fewer some cameras do not find it.
MARGIN: Final = 4


def qr_drawing(text: str) -> tuple[int, str]:
    """A QR code as the side of its square and the path of its dark modules, one move for each run of them."""
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
    runs = []
    for y, row in enumerate(rows, MARGIN):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                runs.append(f"M{x + MARGIN} {y}h{end - x}v1h-{end - x}z")
            x = max(end, x + 1)
    return len(rows) + 2 * MARGIN, "".join(runs)


class TabletPages(AuditedAdmin):
    """The page with the code, for the admin of evaluations."""

    def tablet_urls(self) -> list[URLPattern]:
        return [self.page("<path:object_id>/tablet/", self.tablet_view, "tablet")]

    @sends_a_link
    def tablet_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        key = uuid_or_404(object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            rows = self.get_queryset(request).select_for_update(of=("self",))
            evaluation = rows.filter(pk=key).first()
            if evaluation is None:
                raise Http404
            try:
                check_tablet(form_state(evaluation, timezone.now()))
            except NotAllowed as problem:
                self.message_user(request, problem.message, messages.ERROR)
                return see_other(self.url("change", key))
            started = journey.start_tablet(evaluation=evaluation, by=access.by)
            link = settings.SITE_URL + reverse("intake:tablet_scanned", args=[started.token])
            side, path = qr_drawing(link)
            context = {
                **self.admin_site.each_context(request),
                "title": _("The clinic’s tablet"),
                "opts": self.opts,
                "evaluation": evaluation,
                "patient": evaluation.patient,
                "digits": f"{started.digits[:3]} {started.digits[3:]}",
                "ends_at": started.code.expires_at,
                "address": settings.SITE_URL + reverse("intake:tablet"),
                "side": side,
                "path": path,
                "tablet_url": self.url("tablet", key),
            }
            return TemplateResponse(request, "admin/intake/evaluation/tablet.html", context)

        return self.audited(request, "evaluation.tablet-page", answer, [key])
