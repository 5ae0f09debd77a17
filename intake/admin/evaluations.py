"""The worklist, and the page of one evaluation with its invitation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import audit, journey
from intake.admin import searching
from intake.admin.audited import member, see_other, uuid_or_404
from intake.admin.briefs import BriefsOfDayPages
from intake.admin.fields import MomentField
from intake.admin.sending import SENDS_LINKS, sends_a_link
from intake.admin.tablet import TabletPages
from intake.patients import diary, reminders
from intake.patients.models import REVIEWS, Evaluation, Patient
from intake.review.booking import FormState, check_cancel, check_invite, form_state, is_closed, may_tablet
from intake.review.decide import NotAllowed
from intake.review.queue import (
    COMING,
    NEEDS_APPOINTMENT,
    PAST,
    TO_CLOSE,
    Counts,
    Filters,
    next_day,
    worklist,
)
from intake.review.sharing import shares_of

# How often a form that lost a race for a time is judged anew before the failure is shown as one.
TRIES: Final = 3
SEES_WORKLIST: Final = "intake.see_worklist"


class PhysioField(forms.ModelChoiceField):  # type: ignore[type-arg]  # it takes no arguments at run time
    """Whoever reviews intakes."""

    def __init__(self) -> None:
        super().__init__(
            queryset=get_user_model().objects.none(),
            label=gettext_lazy("Physio"),
            empty_label=gettext_lazy("Choose a physio"),
            error_messages={"required": gettext_lazy("Choose a physio.")},
        )

    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class EvaluationForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes no arguments at run time
    """When, with whom, how long. Whose visit it is stands in the address and does not change."""

    # Whether the visit is booked by it, or booked anew.
    books = False

    physio = PhysioField()
    starts_at = MomentField(label=gettext_lazy("Starts at"))

    class Meta:
        model = Evaluation
        fields = ["physio", "starts_at", "minutes"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        physios = get_user_model().objects.with_perm(
            REVIEWS, include_superusers=False, backend="django.contrib.auth.backends.ModelBackend"
        )
        self.fields["physio"].queryset = physios.order_by("last_name", "first_name")  # type: ignore[attr-defined]  # it is a PhysioField
        if self.instance._state.adding:
            self.fields["minutes"].initial = settings.EVALUATION_MINUTES

    def clean_starts_at(self) -> datetime:
        starts_at: datetime = self.cleaned_data["starts_at"]
        is_new = self.instance._state.adding or self.books or "starts_at" in self.changed_data
        if is_new and timezone.localdate(starts_at) < timezone.localdate():
            raise ValidationError(_("Choose a day that is still to come."))
        return starts_at

    def clean(self) -> dict[str, Any] | None:
        """Says beside the time that the physio has another visit then."""
        found = super().clean()
        asked = {name: self.cleaned_data.get(name) for name in ("physio", "starts_at", "minutes")}
        # One that overlapped before there was a rule may keep its time.
        stays = self.instance.double_booked and not set(asked) & set(self.changed_data)
        if None not in asked.values() and not stays:
            other = diary.clash(**asked, besides=self.instance.pk)  # type: ignore[arg-type]  # none is None
            if other is not None:
                self.add_error("starts_at", diary.words(other))
        return found


class AddForm(EvaluationForm):
    """A visit is booked."""

    send = forms.BooleanField(
        label=gettext_lazy("Send the invitation now"),
        required=False,
        initial=True,
        help_text=gettext_lazy("An e-mail with the time of the visit and the link to the form."),
    )


class ChangeForm(EvaluationForm):
    """A booked visit gets another time, physio or length."""

    tell = forms.BooleanField(
        label=gettext_lazy("E-mail the patient if the time changes"), required=False, initial=True
    )


class BookingForm(EvaluationForm):
    """When, with whom, how long, on a page of our own."""

    books = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("physio", "minutes"):
            self.fields[name].widget.attrs["class"] = "k-in k-in-a"


class RequestForm(BookingForm):
    """Somebody who asked for an evaluation gets one."""

    tell = forms.BooleanField(
        label=gettext_lazy("E-mail the patient now: the time, and the invitation if they have no link"),
        required=False,
        initial=True,
    )


class RebookForm(BookingForm):
    """A cancelled visit takes place after all."""

    tell = forms.BooleanField(
        label=gettext_lazy("E-mail the patient the new time"), required=False, initial=True
    )


class CancelForm(forms.Form):
    """That a visit does not take place."""

    reason = forms.CharField(
        label=gettext_lazy("Reason, if it helps later"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "k-in", "autocomplete": "off"}),
        help_text=gettext_lazy("Only staff read it. Nothing about the patient’s health, please."),
    )
    tell = forms.BooleanField(
        label=gettext_lazy("E-mail the patient that the visit is cancelled"), required=False, initial=True
    )


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter as a link: what it shows, how many, whether it is the current one."""

    label: str
    number: int | None
    query: str
    current: bool
    way: str = ""


@admin.register(Evaluation)
class EvaluationAdmin(BriefsOfDayPages, TabletPages):
    kind = "evaluation"
    form = EvaluationForm
    change_form_template = "admin/intake/evaluation/form.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("<path:object_id>/invite/", self.invite_view, "invite"),
            self.page("<path:object_id>/end-link/", self.end_link_view, "end_link"),
            *self.tablet_urls(),
            *self.briefs_urls(),
            self.page("<path:object_id>/cancel/", self.cancel_view, "cancel"),
            self.page("<path:object_id>/rebook/", self.rebook_view, "rebook"),
            self.page("<path:object_id>/lessons/", self.lessons_view, "lessons"),
            self.page("<path:object_id>/reminders/", self.reminders_view, "reminders"),
            *super().get_urls(),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"form": ChangeForm if obj else AddForm, **kwargs})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = ["physio", "starts_at", "minutes"]
        if obj is None:
            sends = request.user.has_perm(SENDS_LINKS) and self.patient_of(request).email
            return [*fields, *(["send"] if sends else [])]
        return [*fields, *(["tell"] if obj.patient.email else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Evaluation]:
        return super().get_queryset(request).select_related("patient", "physio")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One that was asked for, and one that is cancelled, changes by being booked, on a page for that."""
        return super().has_change_permission(request, obj) and not (
            obj and obj.status != Evaluation.Status.BOOKED
        )

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """For the side bar: an evaluation is added from its patient, so the worklist has no "Add" there."""
        return {**super().get_model_perms(request), "add": False}

    # The worklist

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Today's evaluations, or what the filters in the address ask for."""
        if not request.user.has_perm(SEES_WORKLIST):
            raise PermissionDenied
        user, now = member(request), timezone.now()
        today = timezone.localdate(now)
        if request.method == "POST" and searching.FIELD in request.POST:
            return self.search(request, Filters.read(request.POST, today))
        filters = Filters.read(request.GET, today, searching.sought(request))

        def answer(access: audit.Access) -> HttpResponseBase:
            found = worklist(user, filters, now)
            access.saw(self.kind, [row.evaluation for row in found.rows])
            access.saw("response", [row.response for row in found.rows if row.response])
            empty_day = found.counts.all == 0 and not filters.search and not isinstance(filters.day, str)
            ahead = next_day(user, filters.day) if empty_day and not isinstance(filters.day, str) else None
            access.saw(self.kind, [key for _name, key in ahead.unsent] if ahead else [])
            context = {
                **self.admin_site.each_context(request),
                "title": _("Worklist"),
                "opts": self.opts,
                "list": found,
                "urgent_waiting": found.counts.waiting,
                "filters": filters,
                "today": today,
                "chips": chips(filters, found.counts, found.sees_answers),
                "days": days(filters),
                "mine": filters.changed(mine=not filters.mine).query(),
                "everyone": filters.changed(status="", direction="", search="", mine=False).query(),
                "urgent": Filters(day=today, today=today, status="urgent").query(),
                "more": filters.changed(after=found.more).query() if found.more else "",
                "first": filters.changed().query() if filters.after else "",
                "back": filters.changed().query(),
                "next_response": found.next_response,
                "next_day": ahead,
                "may_add": request.user.has_perm("intake.add_patient"),
            }
            return TemplateResponse(request, "admin/intake/evaluation/worklist.html", context)

        return self.audited(request, "worklist.read", answer)

    def search(self, request: HttpRequest, filters: Filters) -> HttpResponse:
        """On to the list of what was looked for, whose address does not say what that is."""
        response = see_other(self.url("changelist", query=filters.query()))
        return searching.remember(response, filters.search)

    # One evaluation

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if "patient" not in request.GET:
            self.message_user(request, _("Choose the patient first, then add the evaluation."))
            return see_other(reverse("admin:intake_patient_changelist"))
        return super().add_view(request, form_url, extra_context)

    def patient_of(self, request: HttpRequest) -> Patient:
        """The patient a new evaluation is for, from the address."""
        key = uuid_or_404(request.GET.get("patient", ""))
        patient: Patient | None = Patient.objects.visible_to(request.user).filter(pk=key).first()
        if patient is None:
            raise Http404
        audit.current().saw("patient", [patient.pk])
        return patient

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Evaluation | None = None,
    ) -> Any:
        if obj is not None and obj.needs_appointment:
            return see_other(reverse("admin:intake_evaluationrequest_book", args=[obj.request.pk]))
        if obj is None:
            context |= {"title": _("Add an evaluation"), "patient": self.patient_of(request)}
        else:
            context |= self.about(request, obj)
            if obj.status == Evaluation.Status.CANCELLED:
                context |= self.admin_site.each_context(request)
                return TemplateResponse(request, "admin/intake/evaluation/cancelled.html", context)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def about(self, request: HttpRequest, evaluation: Evaluation) -> dict[str, Any]:
        """What stands around a form on the page of a visit: whose it is, how its form stands, its history."""
        response = evaluation.responses.standing().values_list("pk", flat=True).first()
        state = form_state(evaluation, timezone.now())
        readable = request.user.has_perm(REVIEWS) and state.code == "form-sent"
        may_change = super().has_change_permission(request)
        back = searching.filters_back(request).query()
        review_url = reverse("admin:intake_questionnaireresponse_review", args=[response]) if readable else ""
        return {
            "back": back,
            "title": _("Evaluation"),
            "opts": self.opts,
            "evaluation": evaluation,
            "patient": evaluation.patient,
            "state": state,
            "may_send": request.user.has_perm(SENDS_LINKS),
            "may_change": may_change,
            "may_cancel": may_change and not is_closed(evaluation),
            "invite_url": self.url("invite", evaluation.pk),
            "end_link_url": self.url("end_link", evaluation.pk) if state.link_lives else "",
            "tablet_url": self.url("tablet", evaluation.pk) if may_tablet(state) else "",
            "review_url": f"{review_url}?{urlencode({'back': back})}" if review_url and back else review_url,
            "events": list(evaluation.booking_events.select_related("by", "physio")),
            "reminders": reminders.of_visit(evaluation),
            "shares": shares_of(evaluation, titles=False),
            "share_url": self.url("lessons", evaluation.pk),
        }

    def form_page(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponseBase:
        """Somebody else may book the same time between the check and the write: then it is judged anew.

        The second look finds what was booked meanwhile, so the form comes back with all that was typed and
        the message beside the time.
        """
        for _attempt in range(TRIES - 1):
            try:
                return super().form_page(request, object_id, form_url, context)
            except diary.Taken:
                pass
        return super().form_page(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Evaluation, form: Any, change: bool) -> None:
        if change:
            tell = bool(form.cleaned_data.get("tell"))
            journey.move_evaluation(evaluation=obj, by=audit.staff(member(request)), mail=tell)
        else:
            obj.patient = self.patient_of(request)
            send = bool(form.cleaned_data.get("send"))
            journey.book_evaluation(evaluation=obj, by=audit.staff(member(request)), send=send)

    def response_add(
        self, request: HttpRequest, obj: Evaluation, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(request, told_of_booking(form_state(obj, timezone.now())), messages.SUCCESS)
        return see_other(self.url("change", obj.pk))

    def response_change(self, request: HttpRequest, obj: Evaluation) -> HttpResponse:
        self.message_user(request, _("Saved."), messages.SUCCESS)
        back = searching.filters_back(request).query()
        return see_other(self.url("change", obj.pk, query=urlencode({"back": back}) if back else ""))

    @sends_a_link
    def invite_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Send the link, or a new one in the place of an earlier one; without an address, show it once."""
        key = uuid_or_404(object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            evaluation = self.get_queryset(request).filter(pk=key).first()
            if evaluation is None:
                raise Http404
            state = form_state(evaluation, timezone.now())
            if state.by_hand and request.POST.get("do") == "hand-over":
                context = {
                    **self.admin_site.each_context(request),
                    **self.about(request, evaluation),
                    "title": _("A link to hand over"),
                    "link": journey.hand_over(evaluation=evaluation, by=access.by),
                }
                return TemplateResponse(request, "admin/intake/evaluation/hand_over.html", context)
            try:
                check_invite(state)
            except NotAllowed as problem:
                self.message_user(request, problem.message, messages.ERROR)
            else:
                journey.invite(evaluation=evaluation, by=access.by)
                self.message_user(
                    request, _("The link is on its way. An earlier link has ended."), messages.SUCCESS
                )
            return see_other(self.url("change", key))

        return self.audited(request, "evaluation.invited", answer, [key])

    @sends_a_link
    def end_link_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """End the link to the form: it went astray, or somebody else has it. Answers stay."""
        key = uuid_or_404(object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            evaluation = self.get_queryset(request).filter(pk=key).first()
            if evaluation is None:
                raise Http404
            if journey.end_link(evaluation=evaluation, by=access.by):
                told = _("Ended. The link opens nothing any more, also where the form is open now.")
                self.message_user(request, told, messages.SUCCESS)
            else:
                self.message_user(request, _("No link was open."), messages.INFO)
            return see_other(self.url("change", key))

        return self.audited(request, "evaluation.end-link-page", answer, [key])

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask whether, then cancel. Answers, reviews and the link stay for when it is booked again."""
        key = self.open_to(request, object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            evaluation = self.visit(request, key)
            if evaluation.status != Evaluation.Status.BOOKED:
                self.message_user(request, _("This visit is not booked any more."), messages.INFO)
                return see_other(self.url("change", key))
            try:
                check_cancel(evaluation)
            except NotAllowed as problem:
                self.message_user(request, problem.message, messages.ERROR)
                return see_other(self.url("change", key))
            form = CancelForm(request.POST if request.method == "POST" else None)
            if not evaluation.patient.email or diary.ends(evaluation) <= timezone.now():
                del form.fields["tell"]
            if form.is_bound and form.is_valid():
                journey.cancel_evaluation(
                    evaluation=evaluation,
                    reason=form.cleaned_data["reason"],
                    by=access.by,
                    mail=form.cleaned_data.get("tell", False),
                )
                self.message_user(request, _("Cancelled. Nothing was deleted."), messages.SUCCESS)
                return see_other(self.url("change", key))
            return self.visit_page(request, "cancel", evaluation, form, _("Cancel the visit"))

        return self.audited(request, "evaluation.cancel-page", answer, [key])

    def rebook_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """A new time for a cancelled visit: the same evaluation, so its answers and its link go on."""
        key = self.open_to(request, object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            evaluation = self.visit(request, key)
            if evaluation.status != Evaluation.Status.CANCELLED:
                self.message_user(request, _("This visit is booked already."), messages.INFO)
                return see_other(self.url("change", key))
            initial = {"physio": evaluation.physio_id, "minutes": evaluation.minutes}
            for _attempt in range(TRIES):
                form = RebookForm(request.POST if request.method == "POST" else None, initial=initial)
                if not evaluation.patient.email:
                    del form.fields["tell"]
                if not (form.is_bound and form.is_valid()):
                    break
                try:
                    journey.rebook_evaluation(
                        evaluation=evaluation,
                        physio=form.cleaned_data["physio"],
                        starts_at=form.cleaned_data["starts_at"],
                        minutes=form.cleaned_data["minutes"],
                        by=access.by,
                        mail=form.cleaned_data.get("tell", False),
                    )
                except diary.Taken:
                    continue
                self.message_user(request, _("Booked again. What was answered is kept."), messages.SUCCESS)
                return see_other(self.url("change", key))
            return self.visit_page(request, "rebook", evaluation, form, _("Book the visit again"))

        return self.audited(request, "evaluation.rebook-page", answer, [key])

    @sends_a_link
    def lessons_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Take back a link to shared lessons, without a word of which they are."""
        key = uuid_or_404(object_id)

        def answer(access: audit.Access) -> HttpResponseBase:
            evaluation = self.visit(request, key)
            text = request.POST.get("share", "")
            share = (
                evaluation.lesson_shares.defer("lessons").filter(pk=uuid_or_404(text)).first()
                if text
                else None
            )
            if share is not None:
                journey.take_back_lessons(share=share, by=access.by)
                told = _("Taken back. The link opens nothing any more.")
                self.message_user(request, told, messages.SUCCESS)
            return see_other(self.url("change", key))

        return self.audited(request, "evaluation.lessons-page", answer, [key])

    def reminders_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Switch the reminders of one visit off or on again."""
        key = self.open_to(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def answer(access: audit.Access) -> HttpResponseBase:
            off = request.POST.get("do") != "on"
            journey.switch_reminders(evaluation=self.visit(request, key), off=off, by=access.by)
            told = _("No more reminders of this visit.") if off else _("Reminders are on again.")
            self.message_user(request, told, messages.SUCCESS)
            return see_other(self.url("change", key))

        return self.audited(request, "evaluation.reminders-page", answer, [key])

    def visit_page(
        self, request: HttpRequest, name: str, evaluation: Evaluation, form: forms.BaseForm, title: str
    ) -> HttpResponseBase:
        context = {
            **self.admin_site.each_context(request),
            **self.about(request, evaluation),
            "title": title,
            "form": form,
        }
        return TemplateResponse(request, f"admin/intake/evaluation/{name}.html", context)

    def open_to(self, request: HttpRequest, object_id: str) -> UUID:
        """The key in the address, for who may change bookings. Raises `PermissionDenied` or `Http404`."""
        if not super().has_change_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD", "POST"):
            raise Http404
        return uuid_or_404(object_id)

    def visit(self, request: HttpRequest, key: UUID) -> Evaluation:
        """The evaluation, locked while it is changed. Raises `Http404` for an unknown one."""
        rows = self.get_queryset(request)
        if request.method == "POST":
            rows = rows.select_for_update(of=("self",))
        evaluation: Evaluation | None = rows.filter(pk=key).first()
        if evaluation is None or evaluation.needs_appointment:
            raise Http404
        return evaluation


def told_of_booking(state: FormState) -> str:
    """What the desk is told once a visit is booked. Never an address: messages travel in cookies."""
    if state.code == "queued":
        return _("The evaluation is booked. The invitation is on its way.")
    if state.by_hand:
        return _("The evaluation is booked. There is no e-mail address: hand the link over.")
    return _("The evaluation is booked. The invitation was not sent.")


def chips(filters: Filters, counts: Counts, sees_answers: bool) -> tuple[Chip, ...]:
    """The filters, each alone; mine and search stay as they are."""

    def chip(label: str, number: int | None, way: str = "", **changes: str) -> Chip:
        wanted = {"status": "", "direction": "", **changes}
        current = (filters.status, filters.direction) == (wanted["status"], wanted["direction"])
        return Chip(label, number, filters.changed(**wanted).query(), current, way)

    found = [
        chip(_("All"), counts.all),
        chip(_("Urgent"), counts.urgent, status="urgent"),
        chip(_("To review"), counts.to_review, status="to-review"),
        chip(_("In review"), counts.in_review, status="in-review"),
    ]
    if sees_answers:
        found += [
            chip(_("Up the chain"), counts.with_up, "up", direction="up"),
            chip(_("Down the chain"), counts.with_down, "down", direction="down"),
        ]
    return (
        *found,
        chip(_("Needs appointment"), counts.needs_appointment, status=NEEDS_APPOINTMENT),
        chip(_("Reviewed"), counts.reviewed, status="reviewed"),
        *([chip(_("To close"), counts.to_close, status=TO_CLOSE)] if sees_answers else []),
        chip(_("Form not sent"), counts.not_sent, status="not-sent"),
    )


def days(filters: Filters) -> dict[str, str]:
    """The address of each neighbouring day, of the days to come and of those past."""
    if filters.any_day:
        filters = filters.changed(status="")
    found = {
        "coming": filters.changed(day=COMING, search="").query(),
        "past": filters.changed(day=PAST, search="").query(),
        "today": filters.changed(day=filters.today, search="").query(),
    }
    if not isinstance(filters.day, str):
        found["before"] = filters.changed(day=filters.day - timedelta(days=1)).query()
        found["after"] = filters.changed(day=filters.day + timedelta(days=1)).query()
    return found
