"""After the evaluation: the page that says what was found, closes it, and opens it again."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from intake import audit, journey
from intake.admin import searching
from intake.admin.audited import AuditedAdmin, member, see_other, uuid_or_404
from intake.patients.models import REVIEWS, only_reads
from intake.patients.wording import moment
from intake.responses.models import QuestionnaireResponse
from intake.review import outcomes, versions
from intake.review.decide import NotAllowed, allowed
from intake.review.keys import number_or_none
from intake.review.measures import MEASURES, SIDES
from intake.review.models import REOPENS, Closing, NotTestedReason, Result
from intake.review.outcome_page import closings_of, outcome_page, place_choices
from intake.review.outcomes import Seen, Typed, TypedLink, TypedOutcome
from intake.review.queue import TO_CLOSE, Filters
from intake.review.sharing import shares_of

_OF_FINDING: Final = re.compile(r"(result|reason|note)-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Problem:
    """What the page has to show after a POST that did not do what was asked.

    fields: message by field name. message: what stands in the way, of `act` ("save", "close" or "reopen").
    typed: what was typed and is not kept. reason: the one typed for opening again.
    """

    act: str = ""
    message: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    typed: Typed | None = None
    reason: str = ""


def typed_in(post: QueryDict) -> Typed:
    """The fields of the page as they were sent; what it does not have is left out."""
    found: dict[int, dict[str, str]] = {}
    for name in post:
        match = _OF_FINDING.fullmatch(name)
        if match:
            found.setdefault(int(match[2]), {})[match[1]] = post.get(name, "")
    return Typed(
        outcomes={key: TypedOutcome(**words) for key, words in found.items()},
        values={
            (kind, side): post.get(f"{kind}-{side}", "")
            for kind in MEASURES
            for side in SIDES
            if f"{kind}-{side}" in post
        },
        link=TypedLink(post.get("starts", ""), post.get("shows", ""), post.get("words", "")),
        taken_back=frozenset(
            number for text in post.getlist("mistake") if (number := number_or_none(text)) is not None
        ),
        seen=Seen.read(post.get("seen", "")),
    )


def _refusal(standing: outcomes.Standing) -> str:
    """Why nothing can be recorded."""
    try:
        outcomes.check_record(standing)
    except NotAllowed as refused:
        return refused.message
    return ""


class OutcomeDesk(AuditedAdmin):
    """The page after the evaluation, for the admin of an intake."""

    def outcome_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """GET reads and writes nothing but the trail. POST does one thing, named by `do`.

        Who may not review but may open again sees when it was closed, and nothing of the patient.
        """
        reviews = request.user.has_perm(REVIEWS)
        if not reviews and not request.user.has_perm(REOPENS):
            raise PermissionDenied
        key = uuid_or_404(object_id)
        back = searching.filters_back(request)
        if request.method in ("GET", "HEAD"):
            return self.show_outcome(request, key, back, Problem())
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        do = request.POST.get("do", "")
        try:
            if do == "reopen":
                return self.reopen_evaluation(request, key, back)
            if not reviews:
                raise Http404
            if do not in ("save", "close"):
                raise BadRequest("an unknown action")
            return self.record_outcome(request, key, back, close=do == "close")
        except versions.Replaced as replaced:
            return self.show_newest(request, replaced, back, do)

    # Reading

    def show_outcome(
        self, request: HttpRequest, key: UUID, back: Filters, problem: Problem
    ) -> HttpResponseBase:
        user = member(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("After the evaluation"),
            "opts": self.opts,
            "back": back.query(),
            "to_close": Filters(
                day=timezone.localdate(), today=timezone.localdate(), status=TO_CLOSE
            ).query(),
            "problem": problem,
        }

        def whole(access: audit.Access) -> HttpResponseBase:
            try:
                page = outcome_page(user=user, response_id=key, typed=problem.typed, problems=problem.fields)
            except QuestionnaireResponse.DoesNotExist:
                raise Http404 from None
            if page.response.replaced_at is not None:
                return self.back_to_outcome(versions.current_of(page.response.pk), back)
            access.saw("patient", [page.patient.pk])
            access.saw("finding", [row.key for row in page.findings])
            if page.before:
                access.saw("response", [page.before.response])
                access.saw("finding", page.before.keys)
            writes = not only_reads(user)
            may = {
                "write": writes,
                "record": writes and allowed(outcomes.check_record, page.standing),
                "reopen": writes
                and allowed(outcomes.check_reopen, page.standing)
                and request.user.has_perm(REOPENS),
            }
            told = problem
            if problem.fields and not may["record"]:
                told = replace(problem, message=_refusal(page.standing), fields={})
            choices = {
                "results": Result.choices,
                "reasons": NotTestedReason.choices,
                "places": place_choices(),
            }
            return TemplateResponse(
                request,
                "admin/intake/questionnaireresponse/outcome.html",
                {
                    **context,
                    **choices,
                    "page": page,
                    "elsewhere": self.url("outcome", key) if request.path != self.url("outcome", key) else "",
                    "shares": shares_of(page.evaluation),
                    "may": may,
                    "problem": told,
                    # What was typed and cannot be kept any more is listed; fields would ask for more of it.
                    "open": may["record"],
                },
            )

        def closings(_access: audit.Access) -> HttpResponseBase:
            try:
                lines = closings_of(user=user, response_id=key)
            except Closing.DoesNotExist:
                raise Http404 from None
            return TemplateResponse(
                request,
                "admin/intake/questionnaireresponse/closed.html",
                {**context, "closings": lines, "reference": QuestionnaireResponse(pk=key).reference},
            )

        if request.user.has_perm(REVIEWS):
            return self.audited(request, "outcome.read", whole, [key])
        return self.audited(request, "closing.read", closings, [key])

    def show_newest(
        self, request: HttpRequest, replaced: versions.Replaced, back: Filters, do: str
    ) -> HttpResponseBase:
        """The version that stands instead of the one that something was posted to, with what was typed."""
        if not request.user.has_perm(REVIEWS):
            raise Http404
        message = _(
            "The patient sent changed answers on %(at)s. This is the newest version, with what you typed "
            "where it still fits. Look at it, then save here."
        ) % {"at": moment(replaced.at)}
        typed = typed_in(request.POST)
        by = audit.staff(member(request))
        with audit.audited("finding.read", by=by, objects={"finding": list(typed.outcomes)}):
            same = {key: versions.same_finding(key, replaced.current) for key in typed.outcomes}
        outcomes = {found: typed.outcomes[key] for key, found in same.items() if found is not None}
        typed = replace(typed, outcomes=outcomes, taken_back=frozenset(), seen=Seen())
        problem = Problem(do, message, {}, typed if do != "reopen" else None, request.POST.get("reason", ""))
        return self.show_outcome(request, replaced.current, back, problem)

    # Writing

    def written(
        self, request: HttpRequest, key: UUID, do: Callable[[QuestionnaireResponse, audit.Actor], object]
    ) -> None:
        """Do one thing to the intake inside the trail. Raises `Http404` for one this user may not see."""

        def answer(access: audit.Access) -> HttpResponseBase:
            if request.user.has_perm(REVIEWS):
                rows = self.get_queryset(request).filter(pk=key)
                response = rows.defer("answers", "document").first()
            else:
                closing = Closing.objects.visible_to(request.user).filter(response=key)
                last = closing.select_related("response").order_by("number").last()
                response = last.response if last else None
            if response is None:
                raise Http404
            do(response, access.by)
            return see_other(request.path)

        self.audited(request, "outcome.written", answer, [key], unless_told=True)

    def back_to_outcome(self, key: UUID, back: Filters) -> HttpResponseBase:
        query = QueryDict(mutable=True)
        if back.query():
            query["back"] = back.query()
        return see_other(self.url("outcome", key, query=query.urlencode()))

    def record_outcome(
        self, request: HttpRequest, key: UUID, back: Filters, *, close: bool
    ) -> HttpResponseBase:
        """Keep what was typed, then close if asked to. A refused closing keeps it too."""
        typed, act = typed_in(request.POST), "close" if close else "save"
        try:
            self.written(
                request,
                key,
                lambda response, by: journey.record_outcome(response=response, typed=typed, by=by),
            )
        except outcomes.NotRecorded as refused:
            return self.show_outcome(request, key, back, Problem(act, "", refused.problems, typed))
        except NotAllowed as refused:
            return self.show_outcome(request, key, back, Problem(act, refused.message, {}, typed))
        if not close:
            self.message_user(request, _("Saved. It counts once the evaluation is closed."), messages.SUCCESS)
            return self.back_to_outcome(key, back)
        try:
            self.written(
                request, key, lambda response, by: journey.close_evaluation(response=response, by=by)
            )
        except outcomes.AlreadyClosed as refused:
            self.message_user(request, refused.message, messages.INFO)
            return self.back_to_outcome(key, back)
        except NotAllowed as refused:
            return self.show_outcome(request, key, back, Problem(act, refused.message))
        self.message_user(request, _("The evaluation is closed. Thank you."), messages.SUCCESS)
        return self.back_to_outcome(key, back)

    def reopen_evaluation(self, request: HttpRequest, key: UUID, back: Filters) -> HttpResponseBase:
        if not request.user.has_perm(REOPENS):
            raise PermissionDenied
        reason = request.POST.get("reason", "")
        try:
            self.written(
                request,
                key,
                lambda response, by: journey.reopen_evaluation(response=response, reason=reason, by=by),
            )
        except NotAllowed as refused:
            problem = Problem("reopen", refused.message, reason=reason)
            return self.show_outcome(request, key, back, problem)
        self.message_user(request, _("The evaluation is open again."), messages.SUCCESS)
        if not request.user.has_perm(REVIEWS):
            return see_other(reverse("admin:index"))
        return self.back_to_outcome(key, back)
