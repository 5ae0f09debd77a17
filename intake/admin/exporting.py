"""One intake as a FHIR file, for another system. That it left has its own row in the trail."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern

from intake import audit
from intake.admin.audited import AuditedAdmin, member, uuid_or_404
from intake.export.bundle import document_of
from intake.patients.models import REVIEWS, only_reads


class ExportPage(AuditedAdmin):
    """The file, for the admin of an intake."""

    def export_urls(self) -> list[URLPattern]:
        return [self.page("<path:object_id>/fhir/", self.fhir_view, "fhir")]

    def fhir_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The QuestionnaireResponse as it was stored when it was sent; a draft is nothing to hand on."""
        # Whoever broke the glass reads here, and takes nothing along.
        if not request.user.has_perm(REVIEWS) or only_reads(member(request)):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        key = uuid_or_404(object_id)
        site: Any = self.admin_site

        def answer(access: audit.Access) -> HttpResponseBase:
            found = self.get_queryset(request).select_related("questionnaire", "evaluation").filter(pk=key)
            response = found.first()
            if response is None or not response.is_sent:
                raise Http404
            access.saw("patient", [response.evaluation.patient_id])
            file = HttpResponse(
                json.dumps(document_of(response), indent=1), content_type="application/fhir+json"
            )
            name = response.reference.replace(" ", "-")
            file.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
            given: HttpResponseBase = site.when_fresh(lambda _request: file)(request)
            if given is not file:
                # A factor is asked for first, and nothing left.
                access.action = "response.read"
            return given

        return self.audited(request, "intake.exported", answer, [key])
