"""A patient at work: the session behind the cookie, and what every page of the form needs."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.gzip import gzip_page

from education.edition.models import EDITION
from intake import audit, journey
from intake.conditions import Value
from intake.patients import links
from intake.patients.models import Evaluation, Invitation, Patient, PatientSession
from intake.questionnaires.definition import TYPED_WORDS, Definition
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.models import Questionnaire
from intake.questionnaires.pages import Page, enabled
from intake.responses import amend, draft
from intake.responses.answers import read_answers
from intake.responses.models import QuestionnaireResponse
from intake.screening.screen import Screening
from intake.views import birth_date

P = ParamSpec("P")


@dataclass
class Visit:
    """One request of one patient. Everything is read at most once."""

    session: PatientSession

    @property
    def invitation(self) -> Invitation:
        """Only behind a page of the form: a link to shared lessons has none."""
        if self.session.invitation is None:
            raise RuntimeError("a session of shared lessons asks for the form")
        return self.session.invitation

    @property
    def evaluation(self) -> Evaluation:
        return self.session.link.evaluation

    @property
    def patient(self) -> Patient:
        return self.evaluation.patient

    @cached_property
    def whose(self) -> str:
        """What every form of this visit carries: whose it is, told by no name and no key."""
        return salted_hmac("intake.views.visit.whose", str(self.evaluation.pk)).hexdigest()[:20]

    @property
    def seconds_left(self) -> int:
        """How long the session lasts if the patient does nothing."""
        return int(links.seconds_left(self.session))

    @property
    def on_tablet(self) -> bool:
        """Whether this is the clinic's tablet, which the next patient holds next."""
        return self.session.on_tablet

    @property
    def actor(self) -> audit.Actor:
        return audit.patient(self.session.link.pk)

    @cached_property
    def working(self) -> journey.Working:
        return journey.find_working(self.invitation)

    @property
    def response(self) -> QuestionnaireResponse | None:
        return self.working.response

    @property
    def is_back(self) -> bool:
        """Whether answers were typed in an earlier session, on this device or another, and not yet sent."""
        response = self.response
        return (
            response is not None
            and not self.is_change
            and bool(response.answers)
            and response.started_at < self.session.started_at
        )

    @property
    def is_sent(self) -> bool:
        return self.response is not None and self.response.is_sent

    @property
    def sent(self) -> QuestionnaireResponse | None:
        """What was sent and stands, also while a change of it is begun."""
        return self.response.stands if self.response and self.response.stands.is_sent else None

    @property
    def is_change(self) -> bool:
        return self.response is not None and self.response.is_change

    @cached_property
    def earlier(self) -> journey.EarlierIntake | None:
        """What the patient sent for another visit, while she fills in the form of this one."""
        if self.is_sent or self.is_change:
            return None
        if self.working.has_earlier is False:
            return None
        return journey.find_earlier(session=self.session)

    @cached_property
    def has_begun(self) -> bool:
        """Whether the visit itself has begun: nothing that was sent can be changed any more."""
        return amend.has_begun(self.evaluation, timezone.now())

    @property
    def is_too_late(self) -> bool:
        """Whether this is a change that can no longer be sent."""
        return self.is_change and self.has_begun

    @property
    def advice_waits(self) -> bool:
        """Whether the page that says what to do today has to be answered first."""
        return self.response is not None and self.screening.is_urgent and journey.advice_waits(self.response)

    @cached_property
    def definition(self) -> Definition:
        questionnaire = self.response.questionnaire if self.response else self.invitation.questionnaire
        return questionnaire.tree()

    @cached_property
    def answers(self) -> dict[str, tuple[Value, ...]]:
        return read_answers(self.response.answers) if self.response else {}

    @cached_property
    def on(self) -> frozenset[str]:
        """linkIds that the answers enable."""
        return enabled(self.definition, self.answers)

    @cached_property
    def screening(self) -> Screening:
        return journey.screening_of(self.definition, self.answers, self.working.active, self.on)

    @cached_property
    def hidden(self) -> frozenset[str]:
        """linkIds not shown for comfort: presentation only, answers given there count."""
        return self.screening.hides

    @cached_property
    def path(self) -> tuple[Page, ...]:
        return draft.path_of(self.definition, self.answers, self.hidden, self.on)

    @cached_property
    def parts(self) -> tuple[draft.PartState, ...]:
        response = self.response
        return draft.parts(
            self.definition,
            self.answers,
            response.saved_pages if response else [],
            self.path,
        )


PatientView = Callable[Concatenate[HttpRequest, Visit, P], HttpResponse]


def patient_page(view: PatientView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Opens the session of an invitation for a view, or says that it is over.

    Where one was idle too long the date of birth is asked once more, and the view goes on from there.
    """
    return _session_page(view, links.find_session, "intake/session_over.html", comes_back=True)


def lessons_page(view: PatientView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The same for a page of shared lessons, with the session of a link to them and no other."""
    return _session_page(view, links.find_shared_session, "intake/lessons_over.html")


def any_page(view: PatientView[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The same for what both have, with the session of either."""
    return _session_page(view, _find_either, "intake/session_over.html")


def _find_either(session_token: str) -> PatientSession | None:
    return links.find_session(session_token) or links.find_shared_session(session_token)


def _session_page(
    view: PatientView[P],
    find: Callable[[str], PatientSession | None],
    over: str,
    *,
    comes_back: bool = False,
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """The whole view, its template included, runs in one transaction that the session's own audit row covers.

    over: the template that says that there is no such session (any more).
    """

    @wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        with audit.covered():
            token = request.COOKIES.get(settings.PATIENT_COOKIE_NAME, "")
            device = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
            session, opened = find(token), None
            if session is None and comes_back and (idle := links.find_idle(token, device)) is not None:
                answer = birth_date.come_back(request, idle, whose=Visit(idle).whose)
                if isinstance(answer, HttpResponse):
                    return answer
                session, opened = answer.session, answer
            if session is not None:
                setattr(request, EDITION, getattr(session, EDITION, None))
                links.touch_session(session)
                visit = Visit(session)
                # A page that somebody else's link was opened over in this browser: its words are not this
                # patient's.
                if request.method == "POST" and request.POST.get("whose", visit.whose) != visit.whose:
                    return another_form(request, visit)
                # Also where another tab opened the session meanwhile: this form carries no answers to save.
                if request.method == "POST" and request.POST.get(birth_date.AGAIN) == birth_date.LOOK:
                    response: HttpResponse = see_other(request.get_full_path())
                else:
                    response = view(request, visit, *args, **kwargs)
                if isinstance(response, TemplateResponse):
                    response.render()
                # "Save and leave" ends the session that has just begun.
                if opened is not None and settings.PATIENT_COOKIE_NAME not in response.cookies:
                    set_patient_cookies(request, response, opened)
                return response
        if is_tablet(request):
            return cleared(request)
        return session_over(request, over)

    # No page says back what an address asks, so its size tells nothing of what else is in it (ADR 0037).
    return gzip_page(inner)


def is_tablet(request: HttpRequest) -> bool:
    """Whether the last session in this browser was one of the clinic's tablet."""
    return bool(request.COOKIES.get(settings.TABLET_COOKIE_NAME))


def cleared(request: HttpRequest) -> HttpResponse:
    """The blank start of the tablet, wherever in the form somebody goes there without a session."""
    if request.method == "POST":
        # What was sent before the session ended, by a page whose answer did not arrive.
        token = request.COOKIES.get(settings.PATIENT_COOKIE_NAME, "")
        if journey.sent_on_tablet(session_token=token, submit_key=request.POST.get("key", "")):
            return forget_patient(render(request, "intake/tablet_done.html", {"blank": True}))
        return forget_patient(
            render(request, "intake/tablet.html", {"over": True, "blank": True}, status=403)
        )
    return forget_patient(redirect("intake:tablet"))


def forget_patient(response: HttpResponse) -> HttpResponse:
    """The browser drops the session's cookie and the pages it kept, also those behind Back."""
    response.delete_cookie(settings.PATIENT_COOKIE_NAME, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def see_other(url: str) -> HttpResponse:
    """After a POST: go and look there, so that a reload sends nothing again."""
    response = redirect(url)
    response.status_code = 303
    return response


def another_form(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Nothing of the page is saved; the words typed on it are shown, since the way back would lose them."""
    definition = visit.definition if visit.session.invitation is not None else None
    words = typed_words(request, definition) if definition else []
    return render(request, "intake/another_form.html", {"words": words}, status=409)


def session_over(request: HttpRequest, template: str) -> HttpResponse:
    """No session opens this page (any more). What was typed on it is shown here as well.

    Which form it was is not known without a session; the one that is filled in now has the same questions.
    """
    words: list[tuple[str, str]] = []
    if request.method == "POST":
        with suppress(Questionnaire.DoesNotExist):
            words = typed_words(request, active_questionnaire().tree())
    return render(request, template, {"words": words}, status=403)


def typed_words(request: HttpRequest, definition: Definition) -> list[tuple[str, str]]:
    """(question, what was typed) for each answer in somebody's own words that was sent."""
    sent = [(definition.get(name), text) for name, text in request.POST.items()]
    return [
        (item.text, str(text))
        for item, text in sent
        if item is not None and item.type in TYPED_WORDS and str(text).strip()
    ]


def set_patient_cookies(request: HttpRequest, response: HttpResponse, opened: links.Opened) -> None:
    """The session's cookie ends with the browser; the device's stays, so that the same phone may resume."""
    _set_cookie(response, settings.PATIENT_COOKIE_NAME, opened.session_token)
    if opened.session.on_tablet:
        # It is never known again; until its browser is closed it says what it is.
        _set_cookie(response, settings.TABLET_COOKIE_NAME, "1")
    else:
        if is_tablet(request):
            response.delete_cookie(settings.TABLET_COOKIE_NAME, samesite="Lax")
        set_device_cookie(response, opened.device_token)


def set_device_cookie(response: HttpResponse, device_token: str) -> None:
    _set_cookie(response, settings.DEVICE_COOKIE_NAME, device_token, max_age=settings.DEVICE_COOKIE_AGE)


def _set_cookie(response: HttpResponse, name: str, value: str, *, max_age: timedelta | None = None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
