"""The review of one intake: read, decide, record calls, finish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import UUIDField
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    JsonResponse,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import audit, journey
from intake.admin import searching
from intake.admin.audited import member, see_other, uuid_or_404
from intake.admin.briefs import BriefPages
from intake.admin.exporting import ExportPage
from intake.admin.fields import MOMENT, MomentField
from intake.admin.outcomes import OutcomeDesk
from intake.admin.sharing import SharingDesk
from intake.kept import Given, Kept
from intake.patients.models import REVIEWS, only_reads
from intake.patients.wording import moment
from intake.responses.models import QuestionnaireResponse
from intake.review import contacts, decide, news, versions
from intake.review.decide import NotAllowed
from intake.review.keys import number_or_none
from intake.review.models import Decision, DismissReason, RedFlagContact
from intake.review.outcome_page import place_choices
from intake.review.outcomes import NotRecorded, TypedLink
from intake.review.page import ReviewPage, review_page
from intake.review.queue import Filters, next_to_review
from intake.review.rule_record import rule_record
from intake.review.unfolded import ALL, unfolded
from intake.screening.models import Finding

DECISIONS: Final = {
    "confirm": Decision.CONFIRMED,
    "assess": Decision.PROVISIONAL,
    "dismiss": Decision.REFUTED,
    "undo": Decision.UNCONFIRMED,
}


class ContactForm(forms.Form):
    """Whom the clinic called about the red flags, when, and what came of it.

    flags: which ones stood on the page, so that one that came in meanwhile is not settled unread.
    """

    called = forms.CharField(
        label=gettext_lazy("Called whom"),
        max_length=120,
        widget=forms.TextInput(attrs={"class": "k-in"}),
        error_messages={"required": gettext_lazy("Write whom you called.")},
    )
    called_at = MomentField(label=gettext_lazy("When"))
    outcome = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        choices=RedFlagContact.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what happened.")},
    )
    next_step = forms.CharField(
        label=gettext_lazy("Agreed next step"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "k-in"}),
    )
    flags = forms.CharField(widget=forms.HiddenInput, required=False)


# What something is done to, without the answers.
_INTAKE: Final = Kept(
    lambda responses: (
        responses.filter(pk=Given("key", UUIDField()))
        .select_related("questionnaire", "evaluation")
        .defer("questionnaire__definition", "document", "answers")
    )
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A decision that was not taken: which finding, what was typed, and what to do about it."""

    finding: int
    field: str
    message: str
    note: str
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What the page has to show after a POST that changed nothing."""

    decision: Refused | None = None
    contact: ContactForm | None = None
    finish: str = ""
    link: TypedLink | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


class _ContactProblem(Exception):
    """The form of a call cannot be kept as it is."""

    def __init__(self, form: ContactForm) -> None:
        super().__init__("the contact was not recorded")
        self.form = form


def flag_stamp(key: int, raised_at: datetime) -> str:
    """A flag as it stood: raised again it has another stamp."""
    return f"{key}@{raised_at.timestamp():.6f}"


@admin.register(QuestionnaireResponse)
class ReviewAdmin(BriefPages, ExportPage, OutcomeDesk, SharingDesk):
    """The pages of one intake; there is no list of its own beside the worklist."""

    kind = "response"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("<path:object_id>/review/", self.review_view, "review"),
            self.page("<path:object_id>/news/", self.news_view, "news"),
            self.page("<path:object_id>/outcome/", self.outcome_view, "outcome"),
            self.page("<path:object_id>/lessons/", self.lessons_view, "lessons"),
            *self.brief_urls(),
            *self.export_urls(),
        ]

    def review_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """GET reads and writes nothing but the trail. POST does one thing, named by `do`."""
        if not request.user.has_perm(REVIEWS):
            raise PermissionDenied
        key = uuid_or_404(object_id)
        back = searching.filters_back(request)
        if request.method in ("GET", "HEAD"):
            return self.show(request, key, back, Problem())
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        try:
            return self.do(request, key, back, request.POST.get("do", ""))
        except versions.Replaced as replaced:
            return self.show_replaced(request, replaced, back)

    def news_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """What an open page does not show yet: `{"words", "label", "href", "seen"}`; 204 for nothing.

        seen: what to ask for next time; absent where nothing newer can come.
        """
        if not request.user.has_perm(REVIEWS):
            raise PermissionDenied
        key = uuid_or_404(object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        seen = number_or_404(request.GET.get("seen", "0"))
        try:
            found = news.news(user=member(request), response_id=key, seen=seen)
        except QuestionnaireResponse.DoesNotExist:
            raise Http404 from None
        if found is None:
            return HttpResponse(status=204)
        back = searching.filters_back(request)
        if isinstance(found, news.Replaced):
            href, label = self.address(found.current, back), _("Open the newest version")
            return JsonResponse({"words": found.words, "label": label, "href": href})
        # With a query of its own the browser reads the page anew, rather than scroll on the old one.
        href = self.address(key, back, show=str(found.finding), news=str(found.key))
        return JsonResponse(
            {
                "words": found.words,
                "label": _("Show it"),
                "href": f"{href}#finding-{found.finding}",
                "seen": found.key,
            }
        )

    def do(self, request: HttpRequest, key: UUID, back: Filters, do: str) -> HttpResponseBase:
        if do in DECISIONS:
            return self.decide(request, key, back, DECISIONS[do])
        acts: dict[str, Callable[[HttpRequest, UUID, Filters], HttpResponseBase]] = {
            "contact": self.record_contact,
            "finish": self.finish,
            "reopen": self.reopen,
            "link": self.add_link,
        }
        if do not in acts:
            raise BadRequest("an unknown action")
        return acts[do](request, key, back)

    # Reading

    def show(self, request: HttpRequest, key: UUID, back: Filters, problem: Problem) -> HttpResponseBase:
        user = member(request)
        reads = only_reads(user)
        adding = TypedLink() if problem.link is None and request.GET.get("add") else problem.link

        def answer(access: audit.Access) -> HttpResponseBase:
            try:
                page = review_page(user=user, response_id=key)
            except QuestionnaireResponse.DoesNotExist:
                raise Http404 from None
            access.saw("patient", [page.patient.pk])
            access.saw("response", [page.response.pk, *(one.key for one in page.history.versions)])
            access.saw("red-flag", [flag.key for flag in page.flags])
            refused = problem.decision.finding if problem.decision else None
            listed = unfolded(page, request.GET.get("show", ""), refused)
            access.saw("finding", listed.drawn)
            record = None
            if listed.rule is not None:
                record = rule_record(user, listed.rule.rule)
                access.saw("rule", [listed.rule.rule])
            context = {
                **self.admin_site.each_context(request),
                "title": _("Review"),
                "opts": self.opts,
                "page": page,
                "listed": listed,
                "record": record,
                "back": back.query(),
                "here": f"{urlencode({'back': back.query()})}&" if back.query() else "",
                "posts_to": self.posts_to(request, page, back),
                "may": {
                    "write": not reads,
                    "decide": not reads and decide.allowed(decide.check_open, page.standing),
                    "finish": not reads and decide.allowed(decide.check_finish, page.standing),
                    "reopen": not reads and decide.allowed(decide.check_reopen, page.standing),
                },
                "reasons": DismissReason.choices,
                "problem": problem,
                "refused_on": next((card for card in page.findings if card.key == refused), None),
                "adding": None if reads else adding,
                "places": place_choices() if adding is not None else (),
                "contact": asked_anew(problem.contact, page)
                if problem.contact
                else contact_form(page)
                if page.urgent_flags and not reads
                else None,
            }
            return TemplateResponse(request, "admin/intake/questionnaireresponse/review.html", context)

        return self.audited(request, "review.read", answer, [key])

    def show_replaced(
        self, request: HttpRequest, replaced: versions.Replaced, back: Filters
    ) -> HttpResponseBase:
        """The newest version instead of the one that something was posted to, with all that was typed."""
        message = _(
            "The patient sent changed answers on %(at)s, while your page was open. "
            "This is the newest version. Read what changed, then decide here."
        ) % {"at": moment(replaced.at)}
        do = request.POST.get("do", "")
        if do == "contact":
            form = ContactForm(request.POST)
            form.add_error(None, message)
            return self.show(request, replaced.current, back, Problem(contact=form))
        if do not in DECISIONS:
            return self.show(request, replaced.current, back, Problem(finish=message))
        note, reason = request.POST.get("note", ""), request.POST.get("reason", "")
        finding = number_or_404(request.POST.get("finding", ""))
        with audit.audited("finding.read", by=audit.staff(member(request)), objects={"finding": [finding]}):
            same = versions.same_finding(finding, replaced.current)
        if note:
            message = _("%(message)s Your note was: “%(note)s”") % {"message": message, "note": note}
        refused = Refused(same or 0, "", message, note, reason)
        return self.show(request, replaced.current, back, Problem(decision=refused))

    # Writing

    def act(
        self, request: HttpRequest, key: UUID, do: Callable[[QuestionnaireResponse, audit.Actor], None]
    ) -> None:
        """Do one thing to the intake inside the trail. Raises `Http404` for one this user may not see."""

        def answer(access: audit.Access) -> HttpResponseBase:
            found = _INTAKE.rows([self.get_queryset(request)], key=key)
            if not found:
                raise Http404
            do(found[0], access.by)
            return see_other(request.path)

        # What is done writes a line of its own.
        self.audited(request, "review.written", answer, [key], unless_told=True)

    def address(self, key: UUID, back: Filters, **more: str) -> str:
        query = QueryDict(mutable=True)
        query.update(more)
        if back.query():
            query["back"] = back.query()
        return self.url("review", key, query=query.urlencode())

    def posts_to(self, request: HttpRequest, page: ReviewPage, back: Filters) -> str:
        """Where the page's forms post: to this version, also from the address of an earlier one.

        Named, as a form without it keeps the part of the page that stands in the address, and then a browser
        does not put the focus on what went wrong.
        """
        if request.path != self.url("review", page.response.pk):
            return self.address(page.response.pk, back)
        query = {"back": back.query()} if back.query() else {}
        if request.GET.get("show") == ALL:
            query["show"] = ALL
        return f"?{urlencode(query)}" if query else "."

    def back_to(self, key: UUID, back: Filters, anchor: str, **more: str) -> HttpResponseBase:
        return see_other(f"{self.address(key, back, **more)}#{anchor}")

    def decide(self, request: HttpRequest, key: UUID, back: Filters, decision: str) -> HttpResponseBase:
        note, reason = request.POST.get("note", ""), request.POST.get("reason", "")
        finding = number_or_404(request.POST.get("finding", ""))
        try:
            done = journey.decide_finding(
                response=key,
                finding=finding,
                decision=decision,
                reason=reason,
                note=note,
                by=audit.staff(member(request)),
            )
        except (QuestionnaireResponse.DoesNotExist, Finding.DoesNotExist):
            raise Http404 from None
        except NotAllowed as problem:
            refused = Refused(finding, problem.field, problem.message, note, reason)
            return self.show(request, key, back, Problem(decision=refused))
        other = decide.came_meanwhile(done.before, request.POST.get("seen", ""))
        if other is not None and other.by_id != member(request).pk:
            self.message_user(
                request,
                _(
                    "%(name)s decided on this finding while your page was open. "
                    "Both decisions are kept, and yours stands."
                )
                % {"name": other.by},
                messages.WARNING,
            )
        onward = finding if decision == Decision.UNCONFIRMED else done.following
        if not onward:
            return self.back_to(key, back, "finish")
        return self.back_to(key, back, f"finding-{onward}", show=str(onward))

    def record_contact(self, request: HttpRequest, key: UUID, back: Filters) -> HttpResponseBase:
        form = ContactForm(request.POST)

        def do(response: QuestionnaireResponse, by: audit.Actor) -> None:
            if not form.is_valid():
                raise _ContactProblem(form)
            # Under the lock that a page save takes: no flag comes in between this look and the record.
            versions.hold(response.pk)
            shown = set(form.cleaned_data["flags"].split())
            if any(
                flag_stamp(flag.pk, flag.raised_at) not in shown for flag in contacts.waiting_flags(response)
            ):
                form.add_error(
                    None,
                    _("A red flag came in while this page was open. Read it above, then record the call."),
                )
                raise _ContactProblem(form)
            try:
                journey.record_contact(
                    response=response,
                    called=form.cleaned_data["called"],
                    called_at=form.cleaned_data["called_at"],
                    outcome=form.cleaned_data["outcome"],
                    next_step=form.cleaned_data["next_step"],
                    by=by,
                )
            except contacts.ContactRefused as refusal:
                form.add_error(refusal.field, str(refusal))
                raise _ContactProblem(form) from None

        try:
            self.act(request, key, do)
        except _ContactProblem as problem:
            return self.show(request, key, back, Problem(contact=problem.form))
        self.message_user(request, _("The call is recorded."), messages.SUCCESS)
        return self.back_to(key, back, "flags")

    def add_link(self, request: HttpRequest, key: UUID, back: Filters) -> HttpResponseBase:
        """A link the rules missed, marked as the physio's own."""
        link = TypedLink(*(request.POST.get(name, "") for name in ("starts", "shows", "words")))

        def do(response: QuestionnaireResponse, by: audit.Actor) -> None:
            journey.add_link(response=response, link=link, by=by)

        try:
            self.act(request, key, do)
        except NotRecorded as problem:
            return self.show(request, key, back, Problem(link=link, fields=problem.problems))
        except NotAllowed as problem:
            return self.show(request, key, back, Problem(finish=problem.message))
        self.message_user(request, _("The link is added."), messages.SUCCESS)
        return self.back_to(key, back, "added")

    def finish(self, request: HttpRequest, key: UUID, back: Filters) -> HttpResponseBase:
        following: UUID | None = None

        def do(response: QuestionnaireResponse, by: audit.Actor) -> None:
            nonlocal following
            journey.finish_review(response=response, by=by)
            following = next_to_review(member(request), back, but_not=key)

        try:
            self.act(request, key, do)
        except NotAllowed as problem:
            return self.show(request, key, back, Problem(finish=problem.message))
        if following is not None:
            self.message_user(request, _("Review finished. This is the next one."), messages.SUCCESS)
            return self.back_to(following, back, "content-start")
        self.message_user(request, _("Review finished. Nothing else waits in this list."), messages.SUCCESS)
        worklist = reverse("admin:intake_evaluation_changelist")
        return see_other(f"{worklist}?{back.query()}" if back.query() else worklist)

    def reopen(self, request: HttpRequest, key: UUID, back: Filters) -> HttpResponseBase:
        try:
            self.act(
                request, key, lambda response, by: _nothing(journey.reopen_review(response=response, by=by))
            )
        except NotAllowed as problem:
            return self.show(request, key, back, Problem(finish=problem.message))
        self.message_user(request, _("The review is open again."), messages.SUCCESS)
        return self.back_to(key, back, "finish")


def _nothing(_value: object) -> None:
    return None


def number_or_404(text: str) -> int:
    """A row's key from a form. Raises `Http404` for what cannot be one."""
    number = number_or_none(text)
    if number is None:
        raise Http404
    return number


def shown_flags(page: ReviewPage) -> str:
    return " ".join(flag_stamp(flag.key, flag.raised_at) for flag in page.waiting)


def contact_form(page: ReviewPage) -> ContactForm:
    """An empty record of a call, made out to the patient, now."""
    return ContactForm(
        initial={
            "called": str(page.patient),
            "called_at": timezone.localtime().strftime(MOMENT),
            "flags": shown_flags(page),
        }
    )


def asked_anew(form: ContactForm, page: ReviewPage) -> ContactForm:
    """A record that was not kept, with what was typed, beside the flags that stand on this page."""
    form.data = {**dict(form.data.items()), "flags": shown_flags(page)}
    return form
