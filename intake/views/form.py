"""The form itself: task list, pages, advice, check, send, thanks."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from education.clinic_info.models import ClinicInfo
from intake import journey
from intake.conditions import Answers
from intake.patients.wording import clock
from intake.questionnaires.pages import Page, pages
from intake.responses import amend, draft, earlier, skeleton, wording
from intake.responses import shown as showing
from intake.responses.answers import missing
from intake.responses.blocks import to_text
from intake.responses.forms import PageForm, page_form
from intake.responses.models import QuestionnaireResponse
from intake.responses.prefill import known_limits, with_known
from intake.responses.summary import summarize
from intake.review.keys import number_or_none
from intake.screening.screen import Screening
from intake.views import page_pieces
from intake.views import visit as visits
from intake.views.birth_date import AGAIN, BOXES
from intake.views.visit import Visit, any_page, patient_page

AUTOSAVE_HEADER = "X-Autosave"
# Its value where the script presses the button: it follows no redirect, so it is told where to go.
CONTINUE = "continue"
# "Save and leave" has the browser drop its copies.
KEPT_HEADERS = frozenset({"Clear-Site-Data"})
# What a page sends besides answers.
CONTROLS = frozenset(
    {
        *("csrfmiddlewaretoken", "earlier", "leave", "switch", "view", "whose"),
        *(showing.FIELD, AGAIN, *BOXES),
    }
)


def see_other(name: str, *args: str, query: str = "") -> HttpResponse:
    """The same of a page by its name."""
    return visits.see_other(reverse(name, args=args) + query)


@require_safe
@patient_page
def tasks(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Hello, and the parts of the form with their state."""
    if visit.is_sent:
        return redirect("intake:sent")
    if visit.is_too_late:
        return redirect("intake:status")
    if visit.advice_waits:
        return redirect("intake:advice")
    done = sum(part.state == "done" for part in visit.parts)
    upcoming = next((part for part in visit.parts if part.state != "done"), None)
    return render(
        request,
        "intake/tasks.html",
        {
            "visit": visit,
            "parts": visit.parts,
            "done": done,
            "next": upcoming,
            "left": draft.minutes_left(visit.parts),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def page(request: HttpRequest, visit: Visit, slug: str) -> HttpResponse:
    """One page. POST saves it; with the autosave header it answers JSON and judges nothing."""
    how = request.headers.get(AUTOSAVE_HEADER) if request.method == "POST" else None
    return goes_on(request, answer_page(request, visit, slug, is_autosave=how not in (None, CONTINUE)))


def goes_on(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The same answer; where the script pressed the button, a redirect becomes `{"next": path}`."""
    if request.headers.get(AUTOSAVE_HEADER) != CONTINUE or not isinstance(answer, HttpResponseRedirectBase):
        return answer
    told = JsonResponse({"next": answer.url})
    told.cookies = answer.cookies
    for name in KEPT_HEADERS & answer.headers.keys():
        told.headers[name] = answer.headers[name]
    return told


def answer_page(request: HttpRequest, visit: Visit, slug: str, *, is_autosave: bool) -> HttpResponse:
    here = next((one for one in visit.path if one.slug == slug), None)
    if here is None:
        return answer_unasked(request, visit, slug, is_autosave=is_autosave)
    if visit.is_sent:
        return JsonResponse({"sent": True}, status=409) if is_autosave else redirect("intake:sent")
    if request.method != "POST":
        # What is posted after the visit began is still looked at, because it may need help today.
        if visit.is_too_late:
            return redirect("intake:status")
        if visit.advice_waits:
            return redirect("intake:advice")
        offer = earlier_offer(visit, here)
        if offer is not None and request.GET.get("earlier") != "change":
            return show_earlier(request, visit, here, offer)
        return show_page(request, visit, here, form_for(request, visit, here, offer=offer), offer=offer)
    if "earlier" in request.POST and not is_autosave:
        return confirm_earlier(request, visit, here)
    form = form_for(request, visit, here)
    shown = showing.read(here, request.POST.get(showing.FIELD, ""))
    if is_autosave:
        return autosave(request, visit, here, form, shown)
    form, newer = with_newer(request, visit, here, form, shown)
    complete = form.is_valid()
    how = journey.Save.COMPLETE if complete else journey.Save.PARTIAL
    try:
        saved = save(request, visit, here, form, how, shown, leave_out=newer)
    except draft.AlreadySent:
        return see_other("intake:sent")
    if saved.advice:
        # Shown in this very answer: on a bad line the next request may never come.
        return show_advice(request, visit, saved.screening)
    moved = Moved.of(visit, (*newer, *saved.met.newer), saved.met.replaced)
    if form.problems:
        # Also for "Save and leave" and the other way to mark the body: what does not fit would be lost.
        return show_page(request, visit, here, form, stored=saved.answers, moved=moved)
    if "leave" in request.POST:
        return leave_now(visit)
    if moved:
        # The same page, as it stands now: nobody goes on from answers that she has not seen.
        if complete:
            form = form_for(request, visit, here, stored=saved.answers)
        return show_page(request, visit, here, form, stored=saved.answers, moved=moved)
    if "switch" in request.POST:
        as_list = "1" if request.POST["switch"] == "list" else "0"
        return see_other("intake:page", here.slug, query=f"?list={as_list}{change_query(request, '&')}")
    if not complete:
        return show_page(request, visit, here, form, stored=saved.answers)
    return go_on(request, visit, saved, here)


def answer_unasked(request: HttpRequest, visit: Visit, slug: str, *, is_autosave: bool) -> HttpResponse:
    """A page that is not asked: what was typed on it before an answer elsewhere took it away is kept.

    It counts again when the page is asked again; only sending the form leaves it out.
    """
    here = next((one for one in pages(visit.definition) if one.slug == slug), None)
    if here is None or request.method != "POST":
        raise Http404
    if visit.is_sent:
        return JsonResponse({"sent": True}, status=409) if is_autosave else see_other("intake:sent")
    own = {item.link_id for item in here.item.walk()}
    form = page_form(visit.definition, here, visit.answers, data=request.POST, enabled=visit.on | own)
    shown = showing.read(here, request.POST.get(showing.FIELD, ""))
    if is_autosave:
        return autosave(request, visit, here, form, shown)
    try:
        saved = save(request, visit, here, form, journey.Save.PARTIAL, shown)
    except draft.AlreadySent:
        return see_other("intake:sent")
    if saved.advice:
        return show_advice(request, visit, saved.screening)
    if "leave" in request.POST:
        return leave_now(visit)
    return render(request, "intake/not_asked.html", {"visit": visit, "page": here})


def go_on(request: HttpRequest, visit: Visit, saved: journey.PageSaved, here: Page) -> HttpResponse:
    """On to the next page, or back to the check page where one answer was changed."""
    if "change" in request.GET:
        return see_other("intake:check")
    following = page_after(visit, saved, here)
    return see_other("intake:page", following.slug) if following else see_other("intake:check")


def earlier_offer(visit: Visit, here: Page) -> earlier.Offer | None:
    """What the patient may confirm on a page that she has not begun."""
    begun = visit.response.saved_pages if visit.response else []
    if earlier.is_begun(here, visit.answers, begun) or (found := visit.earlier) is None:
        return None
    return journey.offer_earlier(
        found=found,
        definition=visit.definition,
        page=here,
        answers=visit.answers,
        hide=visit.hidden,
        by=visit.actor,
    )


def show_earlier(request: HttpRequest, visit: Visit, here: Page, offer: earlier.Offer) -> HttpResponse:
    number = visit.path.index(here) + 1
    context = {
        "visit": visit,
        "page": here,
        "offer": offer,
        "number": number,
        "total": len(visit.path),
        "back": back_link(request, visit.path[number - 2] if number > 1 else None),
        "change": f"?earlier=change{change_query(request, '&')}",
    }
    return render(request, "intake/earlier.html", context)


def confirm_earlier(request: HttpRequest, visit: Visit, here: Page) -> HttpResponse:
    """Still true: what was shown is this form's answer from now on; what is left of the page is asked."""
    offer = earlier_offer(visit, here)
    again = f"?{change_query(request, '')}".removesuffix("?")
    if offer is None or visit.earlier is None or request.POST["earlier"] != offer.mark:
        return see_other("intake:page", here.slug, query=again)
    try:
        saved = journey.save_page(
            invitation=visit.invitation,
            page=here,
            fields=offer.answers.keys(),
            answers=offer.answers,
            by=visit.actor,
            save=journey.Save.COMPLETE if offer.whole else journey.Save.PARTIAL,
            confirmed=visit.earlier.response,
            working=visit.working,
        )
    except draft.AlreadySent:
        return see_other("intake:sent")
    if saved.advice:
        return show_advice(request, visit, saved.screening)
    if not offer.whole:
        return see_other("intake:page", here.slug, query=again)
    return go_on(request, visit, saved, here)


@dataclass(frozen=True, slots=True)
class Moved:
    """Questions of a page that another device, or another tab, answered while it was open, in patient words.

    newer: what came from there stays. replaced: what was typed here took its place.
    """

    newer: tuple[str, ...]
    replaced: tuple[str, ...]

    @classmethod
    def of(cls, visit: Visit, newer: Collection[str], replaced: Collection[str]) -> "Moved | None":
        """None where nothing moved."""
        if not newer and not replaced:
            return None

        def named(link_ids: Collection[str]) -> tuple[str, ...]:
            items = [visit.definition.item(link_id) for link_id in link_ids]
            return tuple(dict.fromkeys(wording.question_label(visit.definition, item) for item in items))

        return cls(named(newer), named(replaced))


def with_newer(
    request: HttpRequest, visit: Visit, here: Page, form: PageForm, shown: showing.Shown | None
) -> tuple[PageForm, tuple[str, ...]]:
    """The form with what came from elsewhere in the place of what nobody touched on it, and which that is.

    So it is judged, and shown again, as the draft will stand.
    """
    if shown is None or visit.response is None:
        return form, ()
    fields = form.link_ids - form.problems.keys()
    met = showing.meet(here, shown, visit.response.written, visit.answers, fields, form.valid_answers)
    if not met.newer:
        return form, ()
    data = request.POST.copy()
    for link_id in met.newer:
        data.setlist(link_id, [to_text(value) for value in visit.answers.get(link_id, ())])
    return form_for(request, visit, here, data=data), met.newer


def save(
    request: HttpRequest,
    visit: Visit,
    here: Page,
    form: PageForm,
    how: journey.Save,
    shown: showing.Shown | None,
    *,
    leave_out: Collection[str] = (),
) -> journey.PageSaved:
    """Store what fits. Names that the page does not ask for are dropped, and counted in the trail (R38)."""
    return journey.save_page(
        invitation=visit.invitation,
        page=here,
        fields=form.link_ids - form.problems.keys() - set(leave_out),
        answers=form.valid_answers,
        by=visit.actor,
        save=how,
        ignored=len(request.POST.keys() - form.link_ids - CONTROLS),
        shown=shown,
        working=visit.working,
    )


def leave_now(visit: Visit) -> HttpResponse:
    """Save and leave: what was saved stays, the cookie opens nothing, the browser drops its copies."""
    journey.leave(session=visit.session)
    if visit.on_tablet:
        return visits.forget_patient(see_other("intake:tablet", query="?left=1"))
    left = "intake:left" if visit.session.invitation is not None else "education:lessons"
    return visits.forget_patient(see_other(left))


@require_POST
@any_page
def stay(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The patient is still there: the session lasts on, which looking it up has done already."""
    return JsonResponse({"seconds": visit.seconds_left})


@require_POST
@any_page
def leave(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Save and leave, from a page without questions."""
    return leave_now(visit)


def form_for(
    request: HttpRequest,
    visit: Visit,
    here: Page,
    *,
    data: QueryDict | None = None,
    stored: Answers | None = None,
    offer: earlier.Offer | None = None,
) -> PageForm:
    """The page as it was sent, or for a page that is only looked at as it is stored.

    data: instead of what was sent. stored: the draft as it is now, shown instead of either. offer: earlier
    answers that stand in the boxes, to be changed.
    """
    answers = visit.answers if stored is None else stored
    if offer is not None:
        answers = {**answers, **offer.answers}
    known = with_known(visit.definition, answers, visit.patient, timezone.localdate())
    sent = request.POST if data is None else data
    return page_form(
        visit.definition,
        here,
        known,
        enabled=visit.on if known == visit.answers else None,
        data=sent if request.method == "POST" and stored is None else None,
        hide=visit.hidden,
        as_list=request.GET.get("list") == "1",
        limits=known_limits(visit.definition, visit.patient, timezone.localdate()),
    )


def show_page(
    request: HttpRequest,
    visit: Visit,
    here: Page,
    form: PageForm,
    *,
    stored: Answers | None = None,
    moved: Moved | None = None,
    offer: earlier.Offer | None = None,
) -> HttpResponse:
    """stored: the draft, where it was saved since the visit was read."""
    number = visit.path.index(here) + 1
    before = visit.path[number - 2] if number > 1 else None
    return page_pieces.answer(
        request,
        visit,
        {
            "page": here,
            "form": form,
            "questions": skeleton.draw(form),
            "shown": showing.seal(here, visit.answers if stored is None else stored, form.stored),
            "moved": moved,
            "number": number,
            "total": len(visit.path),
            "back": back_link(request, before),
            "saved_at": clock(visit.response.updated_at) if visit.response else "",
            "offer": offer,
        },
    )


def back_link(request: HttpRequest, before: Page | None) -> str:
    """Where Back goes: to the check page when one answer is being changed, else one page back on the path."""
    if "change" in request.GET:
        return reverse("intake:check")
    return reverse("intake:page", args=[before.slug]) if before else reverse("intake:tasks")


def change_query(request: HttpRequest, joint: str) -> str:
    return f"{joint}change=1" if "change" in request.GET else ""


def page_after(visit: Visit, saved: journey.PageSaved, here: Page) -> Page | None:
    """The next page on the path as it is after this save: an answer can add or remove pages."""
    path = draft.path_of(visit.definition, saved.answers, saved.screening.hides, saved.on)
    slugs = [one.slug for one in path]
    place = slugs.index(here.slug) + 1 if here.slug in slugs else len(path)
    return path[place] if place < len(path) else None


def autosave(
    request: HttpRequest, visit: Visit, here: Page, form: PageForm, shown: showing.Shown | None
) -> HttpResponse:
    """Keeps what fits of a page that is being typed; says when."""
    try:
        saved = save(request, visit, here, form, journey.Save.AUTOSAVE, shown)
    except draft.AlreadySent:
        return JsonResponse({"sent": True}, status=409)
    return JsonResponse({"saved_at": clock(saved.saved_at), "seconds": visit.seconds_left})


@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def advice(request: HttpRequest, visit: Visit) -> HttpResponse:
    """What to do today. One of its two buttons has to be pressed before the form goes on."""
    response = visit.response
    if response is None or not visit.screening.is_urgent:
        return redirect("intake:tasks")
    if request.method != "POST":
        return show_advice(request, visit, visit.screening)
    mistake = request.POST.get("answer") == "mistake"
    journey.advice_seen(response=response, by=visit.actor, mistake=mistake)
    if response.is_sent:
        return see_other("intake:sent")
    if mistake:
        first = journey.page_of_first_flag(visit.definition, visit.screening, visit.path)
        return see_other("intake:page", first.slug) if first else see_other("intake:tasks")
    return see_other("intake:tasks")


def show_advice(request: HttpRequest, visit: Visit, screening: Screening) -> HttpResponse:
    return render(request, "intake/advice.html", advice_context(visit, screening))


def advice_context(visit: Visit, screening: Screening) -> dict[str, Any]:
    """The one text of the highest tier, and the extra lines of every flag raised."""
    notice = screening.notice
    clinic = ClinicInfo.current()
    if notice is None:
        return {"visit": visit, "clinic": clinic}
    return {
        "visit": visit,
        "clinic": clinic,
        "tier": notice.tier,
        "message": notice.message.replace("{clinic_phone}", clinic.phone_display),
        "lines": [line.replace("{clinic_phone}", clinic.phone_display) for line in notice.extra_lines],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@patient_page
def check(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Check your answers, then send them. Sending twice is sending once."""
    return goes_on(request, answer_check(request, visit))


def answer_check(request: HttpRequest, visit: Visit) -> HttpResponse:
    confirmed = request.POST.get("confirm") == "yes"
    key = sent_key(request)
    to_send = journey.find_to_send(visit.invitation, key) if key is not None and confirmed else None
    if to_send is not None:
        visit.working = to_send
    if visit.response is not None and visit.is_sent:
        if request.method != "POST":
            return redirect("intake:sent")
        return answer_sent(request, visit, visit.response)
    if visit.is_too_late:
        return see_other("intake:status") if request.method == "POST" else redirect("intake:status")
    revision = number_or_none(request.POST.get("revision", ""))
    # What is sent is looked through there.
    if (key is None or not confirmed) and visit.advice_waits:
        return redirect("intake:advice")
    if key is None:
        sending = request.method == "POST"
        return show_check(request, visit, uuid.uuid4(), confirmed=confirmed, sending=sending, again=sending)
    if not confirmed:
        return show_check(request, visit, key, confirmed=False, sending=True)
    try:
        done = journey.submit(
            invitation=visit.invitation,
            submit_key=key,
            by=visit.actor,
            revision=revision,
            sending=to_send,
        )
    except draft.Overtaken:
        # What she confirmed is not what would be sent: she reads it again, and ticks the box again.
        return show_check(request, Visit(visit.session), key, confirmed=False, sending=True, moved=True)
    except journey.AdviceWaits:
        return redirect("intake:advice")
    except journey.NotComplete:
        return show_check(request, visit, key, confirmed=True, sending=True)
    except journey.NothingChanged:
        return show_check(request, visit, key, confirmed=True, sending=True)
    except journey.KeyTaken:
        return show_check(request, visit, uuid.uuid4(), confirmed=True, sending=True, again=True)
    except amend.ChangeRefused:
        return see_other("intake:status")
    if not done.already:
        return end_on_tablet(request, Visit(visit.session)) if visit.on_tablet else see_other("intake:sent")
    return answer_sent(request, Visit(visit.session), done.response)


def sent_key(request: HttpRequest) -> uuid.UUID | None:
    """The key that the page was given and sends back; None where it was only looked at, and for junk."""
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None


def answer_sent(request: HttpRequest, visit: Visit, response: QuestionnaireResponse) -> HttpResponse:
    """The tab that sent the form goes on to the thanks page, however often; any other is told so (R8)."""
    key = sent_key(request)
    if key is not None and amend.sent_with(visit.invitation, key):
        return end_on_tablet(request, visit) if visit.on_tablet else see_other("intake:sent")
    return show_sent(request, visit, response, already=True)


def end_on_tablet(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Thanks, and what to do today if that is so: in this very answer, because nothing opens any more."""
    context = {**advice_context(visit, visit.screening), "urgent": visit.screening.is_urgent, "blank": True}
    response = render(request, "intake/tablet_done.html", context)
    journey.leave(session=visit.session)
    return visits.forget_patient(response)


def show_check(
    request: HttpRequest,
    visit: Visit,
    key: uuid.UUID,
    *,
    confirmed: bool,
    sending: bool,
    again: bool = False,
    moved: bool = False,
) -> HttpResponse:
    """again: nothing is wrong but the key that came, so that sending once more is all there is to do.

    moved: answers were changed elsewhere since the page was shown.
    """
    lacking = missing(visit.definition, visit.answers)
    response = visit.response
    changed = amend.differences(response, visit.answers) if response and response.is_change else ()
    sections = summarize(visit.definition, visit.answers, visit.path, lacking, hide=visit.hidden)
    return render(
        request,
        "intake/check.html",
        {
            "visit": visit,
            "sections": sections,
            "lacking": [(section, line) for section in sections for line in section.lines if line.needed],
            "changed": changed,
            "key": key,
            "confirmed": confirmed,
            "sending": sending,
            "again": again,
            "moved": moved,
            "back": reverse("intake:page", args=[visit.path[-1].slug]) if visit.path else "",
        },
    )


@require_safe
@patient_page
def sent(request: HttpRequest, visit: Visit) -> HttpResponse:
    """It is sent: what happens next and lessons, or, where help is needed today, that first and no lesson."""
    if visit.response is None or not visit.is_sent:
        return redirect("intake:tasks" if visit.sent is None else "intake:status")
    return show_sent(request, visit, visit.response)


def show_sent(
    request: HttpRequest, visit: Visit, response: QuestionnaireResponse, *, already: bool = False
) -> HttpResponse:
    """already: something was sent again, from another tab, and was not taken."""
    context: dict[str, Any] = {
        **advice_context(visit, visit.screening),
        "response": response,
        "reference": response.reference,
        "already": already,
    }
    status = 409 if already else 200
    if visit.screening.is_urgent:
        return render(request, "intake/sent_urgent.html", context, status=status)
    context["lessons"] = journey.lessons_for(response, urgent=False)
    return render(request, "intake/sent.html", context, status=status)
