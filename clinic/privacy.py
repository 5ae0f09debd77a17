"""A patient asks for a copy, or to be forgotten: the owner's pages. A fresh factor comes first (R16)."""

from typing import Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.door.stepup import step_up
from intake import audit, journey
from intake.admin.audited import member, see_other, uuid_or_404
from intake.patients import erasure
from intake.patients.models import KEEPS_PRIVACY, Erasure, Patient
from intake.patients.search import named, search_words

MOST: Final = 20
FORMS: Final = {"json": "application/fhir+json", "pdf": "application/pdf"}


class EraseForm(forms.Form):
    """The second word: whose record it is, typed, so that a slip of the hand erases nobody."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why"),
        choices=[one for one in Erasure.Reason.choices if one[0] != Erasure.Reason.TIME],
        error_messages={"required": gettext_lazy("Choose why.")},
        widget=forms.RadioSelect,
    )
    reference = forms.CharField(
        label=gettext_lazy("Type the patient’s reference"),
        max_length=20,
        error_messages={"required": gettext_lazy("Type the reference that stands above.")},
        widget=forms.TextInput(attrs={"class": "k-in", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, patient: Patient, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # what a POST brings, or nothing
        self.patient = patient

    def clean_reference(self) -> str:
        typed = "".join(str(self.cleaned_data["reference"]).split()).upper()
        if typed != self.patient.reference.replace(" ", ""):
            raise forms.ValidationError(
                _("That is not this patient’s reference. It is %(reference)s.")
                % {"reference": self.patient.reference}
            )
        return typed


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm(KEEPS_PRIVACY):
        raise PermissionDenied


def privacy_view(request: HttpRequest) -> HttpResponseBase:
    """Find the patient who asks. What is searched for is a name, so it never stands in an address."""
    _check(request)
    answer: HttpResponseBase = _privacy(request)
    return answer


@step_up
def _privacy(request: HttpRequest) -> HttpResponseBase:
    search = search_words(request.POST.get("q", "")) if request.method == "POST" else ""
    with audit.audited("privacy.searched", by=audit.staff(member(request))) as access:
        people = Patient.objects.in_keeping_of(request.user)
        found = list(named(people, search)[: MOST + 1]) if search else []
        access.saw("patient", [patient.pk for patient in found[:MOST]])
        erased = list(Erasure.objects.visible_to(request.user)[:MOST])
        access.saw("erasure", [stone.pk for stone in erased])
        context = {
            **admin.site.each_context(request),
            "title": _("Copies and erasure"),
            "search": search,
            "asked": request.method == "POST",
            "people": found[:MOST],
            "more": len(found) > MOST,
            "most": MOST,
            "erased": erased,
        }
        page = TemplateResponse(request, "staff/privacy/list.html", context)
        page.render()
    return page


def person_view(request: HttpRequest, key: str) -> HttpResponseBase:
    """One patient: her copy, and how much would go."""
    _check(request)
    answer: HttpResponseBase = _person(request, uuid_or_404(key))
    return answer


@step_up
def _person(request: HttpRequest, key: UUID) -> HttpResponseBase:
    if request.method in ("GET", "HEAD"):
        return show(request, key)
    do = request.POST.get("do", "")
    if do in FORMS:
        return export(request, key, do)
    if do in ("erase", "minimum"):
        return erase(request, key, whole=do == "erase")
    raise BadRequest("an unknown action")


def show(
    request: HttpRequest, key: UUID, form: EraseForm | None = None, problem: str = ""
) -> HttpResponseBase:
    by = audit.staff(member(request))
    with audit.audited("privacy.read", by=by, objects={"patient": [key]}):
        patient = her(request, key)
        until = erasure.still_kept(key)
        context = {
            **admin.site.each_context(request),
            "title": _("Copy and erasure"),
            "patient": patient,
            "until": until,
            "rows": erasure.number_of_rows(key, whole=until is None),
            "coming": erasure.visits_to_come(key),
            "form": form or EraseForm(patient),
            "problem": problem,
        }
        page = TemplateResponse(request, "staff/privacy/person.html", context)
        page.status_code = 400 if form is not None or problem else 200
        page.render()
    return page


def her(request: HttpRequest, key: UUID) -> Patient:
    """The patient. Raises `Http404` for an unknown key and for who may not."""
    patient: Patient | None = Patient.objects.in_keeping_of(request.user).filter(pk=key).first()
    if patient is None:
        raise Http404
    return patient


def export(request: HttpRequest, key: UUID, form: str) -> HttpResponse:
    """The file, named by the reference: no person's name and no word about health."""
    by = audit.staff(member(request))
    with audit.audited("privacy.read", by=by, objects={"patient": [key]}, unless_told=True):
        her(request, key)
        exported = journey.export_patient(patient_id=key, by=by, forms=[form])
    response = HttpResponse(exported.files[form], content_type=FORMS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{exported.reference}.{form}"'
    return response


def erase(request: HttpRequest, key: UUID, *, whole: bool) -> HttpResponseBase:
    """Once the reference was typed. The record of a patient stays until its day."""
    by = audit.staff(member(request))
    with audit.audited("privacy.read", by=by, objects={"patient": [key]}, unless_told=True):
        patient = her(request, key)
        form = EraseForm(patient, request.POST)
        if not form.is_valid():
            return show(request, key, form)
        if not whole and not erasure.number_of_rows(key, whole=False):
            return show(request, key, problem=_("Nothing is left that could go now; nothing was erased."))
        try:
            journey.erase_patient(patient_id=key, reason=form.cleaned_data["reason"], by=by, whole=whole)
        except erasure.KeptByLaw:
            return show(request, key, problem=_("The clinical record has to be kept; nothing was erased."))
    words = (
        _("Everything about the patient %(reference)s was erased.")
        if whole
        else _("What the clinical record of %(reference)s does without was erased.")
    )
    messages.success(request, words % {"reference": patient.reference})
    return see_other(reverse("admin:privacy"))
