"""The owner's pages of the trail: who looked at what, each week's review, and the lines as a file."""

from array import array
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.door.stepup import step_up
from clinic.oversight.export import as_csv
from intake import audit, journey
from intake.admin.audited import member, see_other
from intake.patients.search import SEARCH_LENGTH
from intake.review import looked, weekly
from intake.review.decide import NotAllowed
from intake.review.keys import key_or_none
from intake.review.trail_words import GROUPS

US_DATE: Final = ("%m/%d/%Y", "%m-%d-%Y", "%Y-%m-%d")


def trail_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For who may see the trail, with a fresh factor; for others of the staff there is no such page."""
    proved = step_up(view)

    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponseBase:
        if not request.user.has_perm(audit.SEES_TRAIL):
            raise PermissionDenied
        answer: HttpResponseBase = proved(request)
        return answer

    return inner


class SearchForm(forms.Form):
    """Whose lines: the patient's number, or all of given name, family name and date of birth."""

    number = forms.CharField(
        label=gettext_lazy("Number of the patient or of one of their records"),
        required=False,
        max_length=SEARCH_LENGTH,
        help_text=gettext_lazy("As it stands in a line of the trail or in the address of a page."),
    )
    given_name = forms.CharField(label=gettext_lazy("Given name"), required=False, max_length=SEARCH_LENGTH)
    family_name = forms.CharField(label=gettext_lazy("Family name"), required=False, max_length=SEARCH_LENGTH)
    birth_date = forms.DateField(
        label=gettext_lazy("Date of birth"),
        required=False,
        input_formats=US_DATE,
        help_text=gettext_lazy("Month, day, year, like 04/12/1986."),
        widget=forms.DateInput(attrs={"inputmode": "numeric", "size": 12}),
        error_messages={"invalid": gettext_lazy("Enter a real date as month/day/year, like 04/12/1986.")},
    )

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        if typed.get("number"):
            return typed
        names = {
            "given_name": _("Enter the given name too."),
            "family_name": _("Enter the family name too."),
            "birth_date": _("Enter the date of birth too: a name alone may be somebody else’s."),
        }
        if not any(typed.get(name) or name in self.errors for name in names):
            self.add_error("number", _("Enter a number, or the name and the date of birth."))
            return typed
        for name, message in names.items():
            if not typed.get(name) and name not in self.errors:
                self.add_error(name, message)
        return typed


@trail_page
def trail_view(request: HttpRequest) -> HttpResponseBase:
    """GET: lines as the address asks. POST: look a patient up; no name gets into an address."""
    if request.method == "POST":
        return search(request)
    return show(request, SearchForm())


def show(
    request: HttpRequest, form: SearchForm, people: tuple[Any, ...] = (), *, none: bool = False
) -> HttpResponseBase:
    """people: several patients of one name and date of birth. none: nobody was found."""
    filters = looked.Filters.read(request.GET)
    objects: dict[str, Iterable[object]] = {"patient": [filters.patient]} if filters.patient else {}
    with audit.audited("trail.read", by=audit.staff(member(request)), objects=objects) as access:
        found = looked.page(filters)
        whose = looked.patient_of(filters.record) if filters.record else None
        if filters.record and whose is not None:
            access.saw("patient", [whose])
        access.note(lines=len(found.lines))
        context = {
            **admin.site.each_context(request),
            "title": _("Who looked"),
            "page": found,
            "filters": filters,
            "form": form,
            "people": [looked.Filters(patient=key).query() for key in people],
            "none": none,
            "groups": [(code, name) for code, name in GROUPS.items()],
            "staff": get_user_model()._default_manager.order_by("last_name", "first_name", "pk"),
            "whose": looked.Filters(patient=whose).query() if whose else "",
            "first": filters.changed().query() if filters.after else "",
            "query": filters.changed().query(),
        }
        response = TemplateResponse(request, "staff/trail/page.html", context)
        response.render()
    return response


def search(request: HttpRequest) -> HttpResponseBase:
    form = SearchForm(request.POST)
    if not form.is_valid():
        return show(request, form)
    typed = form.cleaned_data
    with audit.audited("trail.searched", by=audit.staff(member(request))) as access:
        if typed["number"]:
            key = key_or_none(typed["number"])
            people = looked.whose(key) if key is not None else []
        else:
            people = looked.find_people(
                given_name=typed["given_name"],
                family_name=typed["family_name"],
                birth_date=typed["birth_date"],
            )
        access.saw("patient", people)
    if len(people) == 1:
        return see_other(reverse("admin:trail", query={"patient": people[0]}))
    return show(request, form, tuple(people), none=not people)


@trail_page
def export_view(request: HttpRequest) -> HttpResponseBase:
    """The lines that the address asks for, as CSV. The trail says how many before the first one leaves."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    filters = looked.Filters.read(request.GET).changed()
    objects: dict[str, Iterable[object]] = {"patient": [filters.patient]} if filters.patient else {}
    with audit.audited("trail.exported", by=audit.staff(member(request)), objects=objects) as access:
        # What is counted is what leaves, whatever is written meanwhile.
        keys = array("q", looked.lines(filters).values_list("pk", flat=True).iterator())
        access.note(lines=len(keys))
    return StreamingHttpResponse(
        as_csv(keys),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="trail.csv"'},
    )


@trail_page
def week_view(request: HttpRequest) -> HttpResponseBase:
    """What a week of the trail adds up to. POST says that it was read."""
    today = timezone.localdate()
    asked = looked.day_or_none((request.POST if request.method == "POST" else request.GET).get("week", ""))
    week = weekly.monday_of(asked) if asked else weekly.newest(today)
    if request.method == "POST":
        return sign(request, week)
    with audit.audited("trail.week", by=audit.staff(member(request)), week=week.isoformat()):
        context = {
            **admin.site.each_context(request),
            "title": _("The week’s review"),
            "week": weekly.read(week, today),
            "open": weekly.open_weeks(today),
        }
        response = TemplateResponse(request, "staff/trail/week.html", context)
        response.render()
    return response


def sign(request: HttpRequest, week: Any) -> HttpResponse:
    try:
        journey.review_week(week=week, by=audit.staff(member(request)))
    except NotAllowed as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("The week is reviewed."))
    answer = redirect(f"{reverse('admin:trail_week')}?week={week.isoformat()}")
    answer.status_code = 303
    return answer
