"""People: find, add, correct."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import audit
from intake.admin import searching
from intake.admin.audited import AuditedAdmin, member, see_other
from intake.patients import register
from intake.patients.models import Evaluation, Patient
from intake.patients.search import people, search_words
from intake.review.queue import SOUGHT

US_DATE = "%m/%d/%Y"


class PatientForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes no arguments at run time
    """A person as the front desk types her."""

    birth_date = forms.DateField(
        label=gettext_lazy("Date of birth"),
        input_formats=[US_DATE, "%m-%d-%Y", "%m/%d/%y", "%Y-%m-%d"],
        widget=forms.DateInput(format=US_DATE, attrs={"inputmode": "numeric", "size": 12}),
        help_text=gettext_lazy("Month, day, year, like 04/12/1986. The patient types it to open the link."),
        error_messages={
            "required": gettext_lazy("Enter the date of birth."),
            "invalid": gettext_lazy("Enter a real date as month/day/year, like 04/12/1986."),
        },
    )

    class Meta:
        model = Patient
        fields = ["given_name", "family_name", "birth_date", "email", "phone", "reminders_off"]
        help_texts = {"email": gettext_lazy("The link to the form goes there.")}
        labels = {"reminders_off": gettext_lazy("Send this patient no reminders")}
        error_messages = {
            "given_name": {"required": gettext_lazy("Enter the given name.")},
            "family_name": {"required": gettext_lazy("Enter the family name.")},
        }


@admin.register(Patient)
class PatientAdmin(AuditedAdmin):
    kind = "patient"
    form = PatientForm
    change_form_template = "admin/intake/patient/form.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Everybody by family name, or those whose names begin as searched."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST" and searching.FIELD in request.POST:
            words = search_words(request.POST[searching.FIELD])
            query = f"{SOUGHT}=1" if words else ""
            return searching.remember(see_other(self.url("changelist", query=query)), words)
        search = search_words(request.GET.get("q", ""))
        if request.GET.get(SOUGHT) == "1":
            search = searching.sought(request)
        try:
            after = UUID(request.GET["after"])
        except (KeyError, ValueError):
            after = None

        def answer(access: audit.Access) -> HttpResponseBase:
            found = people(member(request), search=search, after=after)
            access.saw(self.kind, [patient.pk for patient in found.patients])
            context = {
                **self.admin_site.each_context(request),
                "title": _("Patients"),
                "opts": self.opts,
                "people": found,
                "search": search,
                "may_add": self.has_add_permission(request),
            }
            return TemplateResponse(request, "admin/intake/patient/list.html", context)

        return self.audited(request, "patient.list", answer)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        title = _("Patient") if object_id else _("Add a patient")
        return super().changeform_view(
            request, object_id, form_url, {"title": title, **(extra_context or {})}
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Patient | None = None,
    ) -> Any:
        if obj is not None:
            evaluations = list(
                Evaluation.objects.visible_to(request.user)
                .filter(patient=obj)
                .select_related("physio", "request")
                .order_by("-starts_at")[:20]
            )
            context["evaluations"] = evaluations
            context["asked_only"] = bool(evaluations) and not any(one.starts_at for one in evaluations)
            context["waiting"] = next((one.request.pk for one in evaluations if one.needs_appointment), None)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        # Names of fields alone: what a patient is called now or was before stands in no line of the trail.
        audit.current().note(changed=form.changed_data)
        if change:
            audit.current().action = "patient.changed"
            register.change_patient(obj)
        else:
            audit.current().action = "patient.added"
            register.add_patient(obj, by=member(request))

    def response_add(
        self, request: HttpRequest, obj: Patient, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(request, _("Added. Now add the evaluation."), messages.SUCCESS)
        return see_other(self.url("change", obj.pk))

    def response_change(self, request: HttpRequest, obj: Patient) -> HttpResponse:
        self.message_user(request, _("Saved."), messages.SUCCESS)
        return see_other(self.url("change", obj.pk))
