"""THE STORY: what crosses stages, from the invitation to the closed evaluation.

Every function here is one transaction with one row in the audit trail, takes keywords only, names who acts.
Mail is queued in the same transaction, so it leaves only if the write stands.
"""

import copy
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.expressions import ArraySubquery
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Subquery, UUIDField
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from education.clinic_info.models import ClinicInfo, PrivacyNotice
from education.lessons.models import Lesson
from intake import audit, trail
from intake.conditions import Answers, Value
from intake.export.bundle import bundle_of
from intake.export.record import read as read_record
from intake.export.sheets import pdf_of_record
from intake.kept import Given, Kept
from intake.patients import (
    asking,
    calendar,
    codes,
    diary,
    erasure,
    links,
    register,
    reminders,
    retention,
    tablet,
)
from intake.patients.models import (
    LINK_OF_REQUEST,
    AccessCode,
    AccessEvent,
    BookingEvent,
    Erasure,
    Evaluation,
    EvaluationRequest,
    Invitation,
    LessonShare,
    Patient,
    PatientSession,
    Reminder,
    TabletCode,
)
from intake.questionnaires.definition import Definition
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.pages import Page, enabled
from intake.responses import amend, draft, earlier, unsent
from intake.responses import shown as showing
from intake.responses.answers import check, missing, prune, read_answers, to_fhir_items, to_json
from intake.responses.compare import Difference
from intake.responses.models import QuestionnaireResponse, ResponseQuerySet
from intake.review import contacts, decide, handing_over, outcomes, sharing, versions, weekly
from intake.review.booking import check_cancel, form_state
from intake.review.models import Closing, RedFlagContact, Review
from intake.screening import record, replay
from intake.screening.models import RedFlag
from intake.screening.screen import URGENT, Raised, Screening, screen
from intake.screening.suggest import parse_suggestable, suggest
from intake.trail import WeekReviewed

# The names of the jobs in `intake.tasks`, which stand above this module and call it.
SEND_INVITATION: Final = "send_invitation"
MAIL_ON_CALL: Final = "mail_on_call"
SETTLE_DRAFT: Final = "settle_draft"
TELL_OF_VISIT: Final = "tell_of_visit"
SEND_REMINDER: Final = "send_reminder"
SEND_LESSONS: Final = "send_lessons"
SEND_CODE: Final = "send_code"
RENEW_LINK: Final = "renew_link"
SOUND_ALARM: Final = "sound_alarm"
RETENTION: Final = "retention"
# The question whose tick says that the privacy notice was seen.
PRIVACY_SEEN: Final = "consent.privacy"

SETTLE_AFTER: Final = timedelta(minutes=3)

# ---- the invitation


def invite(*, evaluation: Evaluation, by: audit.Actor, mail: bool = True) -> Invitation:
    """A new link for the evaluation; an earlier live one ends. The mail with it is queued.

    mail=False queues none: the caller hands the link over another way, by `make_link`.

    A form that was begun goes on with the questionnaire version it was begun with.
    """
    with audit.audited("invitation.made", by=by, objects={"evaluation": [evaluation.pk]}) as access:
        return _invite(evaluation, access, mail=mail)


def _invite(evaluation: Evaluation, access: audit.Access, *, mail: bool) -> Invitation:
    now = timezone.now()
    evaluation.invitations.filter(revoked_at=None, ended_at=None).update(revoked_at=now)
    begun = evaluation.responses.order_by("-started_at").first()
    invitation: Invitation = Invitation.objects.create(
        evaluation=evaluation,
        questionnaire=begun.questionnaire if begun else active_questionnaire(),
        created_at=now,
        created_by_id=access.by.user.pk if access.by.user else None,
        expires_at=evaluation.link_ends_at,
    )
    access.saw("invitation", [invitation.pk])
    if mail:
        app.configure_task(SEND_INVITATION).defer(invitation_id=str(invitation.pk))
    return invitation


def hand_over(*, evaluation: Evaluation, by: audit.Actor) -> str:
    """The address of a new link for a patient without e-mail; it is shown once, and an earlier link ends."""
    with audit.audited("invitation.handed-over", by=by, objects={"evaluation": [evaluation.pk]}):
        invitation = invite(evaluation=evaluation, by=by, mail=False)
        link = make_link(invitation_id=invitation.pk, by=by)
        Invitation.objects.filter(pk=invitation.pk).update(sent_at=timezone.now())
    return link


def make_link(*, invitation_id: UUID, by: audit.Actor) -> str:
    """The invitation's address with a fresh token; one made before opens nothing any more.

    Raises `Invitation.DoesNotExist` for one that was replaced, has ended or has expired meanwhile.
    """
    with audit.audited("invitation.link", by=by, objects={"invitation": [invitation_id]}):
        invitation = Invitation.objects.select_for_update().get(
            pk=invitation_id, revoked_at=None, ended_at=None, expires_at__gt=timezone.now()
        )
        token = links.new_token()
        invitation.token_hash = links.hash_token(token)
        invitation.save(update_fields=["token_hash"])
    return settings.SITE_URL + reverse("intake:open", args=[token])


def deliver_invitation(*, invitation_id: UUID) -> bool:
    """The job: make the link, send it by e-mail, note that it was sent. False when nobody can be sent to.

    Run twice it sends a second mail whose link replaces the first: a link that was lost is worse.
    """
    by = audit.system("send_invitation")
    with audit.audited("invitation.read", by=by, objects={"invitation": [invitation_id]}):
        invitation = (
            Invitation.objects.select_related("evaluation__patient", "evaluation__physio")
            .filter(pk=invitation_id, revoked_at=None, ended_at=None, expires_at__gt=timezone.now())
            .exclude(evaluation__status=Evaluation.Status.CANCELLED)
            .first()
        )
        if invitation is None or not invitation.evaluation.patient.email:
            return False
        evaluation = invitation.evaluation
        address = evaluation.patient.email
        sequence = diary.sequence(evaluation)
    context = {
        "link": make_link(invitation_id=invitation_id, by=by),
        "evaluation": evaluation,
        "clinic": ClinicInfo.current(),
    }
    if evaluation.needs_appointment:
        # Nothing of hers stands in it: what is typed at the request may be somebody else's address.
        subject, template = _("We got your request"), "email/evaluation_asked.txt"
        context["days"] = LINK_OF_REQUEST.days
    else:
        subject, template = _("A few questions before your visit"), "email/invitation.txt"
        context["physio"] = evaluation.physio.formal_name
    mail = EmailMessage(subject=subject, body=render_to_string(template, context), to=[address])
    if not evaluation.needs_appointment:
        _attach_visit(mail, evaluation, sequence)
    mail.send()
    with audit.audited("invitation.sent", by=by, objects={"invitation": [invitation_id]}):
        Invitation.objects.filter(pk=invitation_id).update(sent_at=timezone.now())
    return True


def end_link(*, evaluation: Evaluation, by: audit.Actor) -> bool:
    """Staff end the link to the form of one visit; False where none was open. What was answered stays."""
    with audit.audited("invitation.withdrawn", by=by, objects={"evaluation": [evaluation.pk]}) as access:
        ended = links.withdraw(evaluation, timezone.now())
        access.saw("invitation", ended)
        access.note(links=len(ended))
    return bool(ended)


def end_all_links(*, by: audit.Actor) -> links.Withdrawn:
    """Every link that patients hold ends, also to shared lessons; whoever is at work behind one is out."""
    with audit.audited("links.all-ended", by=by) as access:
        ended = links.withdraw_all(timezone.now())
        access.saw("invitation", ended.invitations)
        access.saw("lesson-share", ended.shares)
        access.note(invitations=len(ended.invitations), shares=len(ended.shares))
    return ended


def open_links(*, by: audit.Actor) -> links.OpenLinks:
    """How many links are out, and how many dates and codes were wrong within the hour."""
    with audit.audited("links.counted", by=by):
        return links.count_open(timezone.now())


def ask_for_link(*, token: str, address: str | None) -> bool:
    """Somebody at a link that is over wants a new one. What is done here is the same for every token.

    False where too many were asked for from this address, for whatever token. Whether there is anything to
    send is for the job to see, so that nobody learns it from an answer's time.
    """
    may = links.may_ask_for_link(address)
    if may:
        app.configure_task(RENEW_LINK).defer(token_hash=links.hash_token(token).hex())
    return may


def renew_link(*, token_hash: str) -> bool:
    """The job: queue a new link for the visit of one that is over, to the address the clinic has.

    An invitation that lives already gets another mail, so whoever has the form open goes on. False when there
    is nothing to send: an unknown link, a visit that is cancelled or has begun, no address, or enough mail.
    """
    with audit.audited("link.renewal-refused", by=audit.system(RENEW_LINK)) as access:
        over = links.find_over(bytes.fromhex(token_hash))
        if over is None:
            return False
        evaluation = over.evaluation
        access.saw("evaluation", [evaluation.pk])
        email = evaluation.patient.email
        if not email or not asking.may_mail(email):
            return False
        access.action = "link.renewed"
        living = evaluation.invitations.filter(
            revoked_at=None, ended_at=None, expires_at__gt=timezone.now()
        ).first()
        if living is None:
            _invite(evaluation, access, mail=True)
        else:
            access.saw("invitation", [living.pk])
            app.configure_task(SEND_INVITATION).defer(invitation_id=str(living.pk))
    return True


# ---- before there is a booking


def ask_for_evaluation(*, asked: EvaluationRequest, mail: bool = True) -> EvaluationRequest:
    """Keep a request for a first evaluation. With an e-mail address a link to the form is queued to it.

    The same for everybody: whether she is known is not looked up. mail=False queues none: the caller hands
    the link over another way.
    """
    with audit.audited(
        "evaluation-request.made", by=audit.ANONYMOUS, objects={"evaluation-request": [asked.pk]}
    ) as access:
        evaluation = asking.keep(asked)
        access.saw("patient", [evaluation.patient_id])
        access.saw("evaluation", [evaluation.pk])
        if mail and asked.email and asking.may_mail(asked.email):
            _invite(evaluation, access, mail=True)
    return asked


def book_request(
    *,
    asked: EvaluationRequest,
    patient: Patient | None,
    physio: AbstractBaseUser,
    starts_at: datetime,
    minutes: int,
    by: audit.Actor,
    mail: bool = False,
) -> Evaluation:
    """Book the evaluation that was asked for; its intake and its link stay with it.

    patient: the known one she turned out to be, who gets the evaluation. mail: tell her, if she has an e-mail
    address: with the invitation, or with the time alone where a link that lives or the form that was sent
    makes one needless. Raises `asking.AlreadyClosed` when somebody else was faster, `diary.Taken` when the
    physio has a visit then; nothing is stored or queued then.
    """
    objects: dict[str, Iterable[object]] = {"evaluation-request": [asked.pk]}
    with audit.audited("evaluation-request.booked", by=by, objects=objects) as access:
        evaluation = asking.book(
            asked, patient=patient, physio=physio, starts_at=starts_at, minutes=minutes, by=user_of(by)
        )
        access.saw("patient", [evaluation.patient_id])
        access.saw("evaluation", [evaluation.pk])
        if mail and evaluation.patient.email:
            state = form_state(evaluation, timezone.now())
            if state.code == "form-sent" or state.link_lives:
                _tell_of_visit(evaluation)
            else:
                invite(evaluation=evaluation, by=by)
    return evaluation


def close_request(*, asked: EvaluationRequest, by: audit.Actor) -> None:
    """Close a request that leads to no evaluation. Raises `asking.AlreadyClosed`."""
    objects: dict[str, Iterable[object]] = {"evaluation-request": [asked.pk]}
    with audit.audited("evaluation-request.closed", by=by, objects=objects):
        asking.close(asked, by=user_of(by))


# ---- the visit


def book_evaluation(*, evaluation: Evaluation, by: audit.Actor, send: bool) -> None:
    """Book a visit. send: queue the invitation with it, if the patient has an e-mail address.

    Raises `diary.Taken`; nothing is stored or queued then.
    """
    with audit.audited("evaluation.booked", by=by, objects={"evaluation": [evaluation.pk]}) as access:
        register.add_evaluation(evaluation, by=user_of(by))
        access.saw("patient", [evaluation.patient_id])
        if send and evaluation.patient.email:
            invite(evaluation=evaluation, by=by)


def move_evaluation(*, evaluation: Evaluation, by: audit.Actor, mail: bool) -> bool:
    """Keep a booked visit's new time, physio or length. mail: tell the patient. False if nothing changed.

    Raises `diary.Taken`; nothing is stored then.
    """
    with audit.audited("evaluation.moved", by=by, objects={"evaluation": [evaluation.pk]}) as access:
        moved = register.change_evaluation(evaluation, by=user_of(by))
        access.note(changed=moved)
        if moved and mail:
            _tell_of_visit(evaluation)
    return moved


def cancel_evaluation(*, evaluation: Evaluation, reason: str, by: audit.Actor, mail: bool) -> None:
    """The visit does not take place; nothing is deleted.

    Raises `register.NotBooked`, or `decide.NotAllowed` where what was found is closed.
    """
    with audit.audited("evaluation.cancelled", by=by, objects={"evaluation": [evaluation.pk]}):
        check_cancel(evaluation)
        register.cancel(evaluation, reason=reason, by=user_of(by))
        if mail:
            _tell_of_visit(evaluation)


def rebook_evaluation(
    *,
    evaluation: Evaluation,
    physio: AbstractBaseUser,
    starts_at: datetime,
    minutes: int,
    by: audit.Actor,
    mail: bool,
) -> None:
    """A cancelled visit gets a new time; its answers, its review and its link go on.

    Raises `register.NotCancelled` or `diary.Taken`; nothing is stored then.
    """
    with audit.audited("evaluation.rebooked", by=by, objects={"evaluation": [evaluation.pk]}):
        register.rebook(evaluation, physio=physio, starts_at=starts_at, minutes=minutes, by=user_of(by))
        if mail:
            _tell_of_visit(evaluation)


def hand_over_work(
    *, physio: AbstractBaseUser, to: AbstractBaseUser, by: audit.Actor, mail: bool
) -> handing_over.OpenWork:
    """Another physio takes over the open reviews and the visits to come; what was decided keeps its name.

    mail: tell the patients of visits to come, whose mail names the physio. Raises `decide.NotAllowed` naming
    the time where the other one has a visit then; nothing is stored or queued then.
    """
    with audit.audited(
        "work.handed-over", by=by, objects={"staff": [physio.pk, to.pk]}, old=physio.pk, new=to.pk
    ) as access:
        work = handing_over.open_work(physio)
        evaluations = handing_over.evaluations_of(physio)
        access.saw("evaluation", [one.pk for one in evaluations])
        access.note(reviews=work.reviews, visits=work.visits)
        other = handing_over.clash_with(evaluations, to)
        if other is not None:
            raise decide.NotAllowed(handing_over.words(other), "to")
        try:
            for evaluation in evaluations:
                register.hand_over(evaluation, to=to, by=user_of(by))
                if mail and evaluation.starts_at is not None and evaluation.starts_at > timezone.now():
                    _tell_of_visit(evaluation)
        except diary.Taken:
            raise decide.NotAllowed(_("Their times have just changed. Look again."), "to") from None
    return work


def count_open_work(*, physio: AbstractBaseUser, by: audit.Actor) -> handing_over.OpenWork:
    """How much waits for a physio, for whoever may remove the account: numbers, nobody's name."""
    with audit.audited("work.counted", by=by, objects={"staff": [physio.pk]}) as access:
        work = handing_over.open_work(physio)
        access.note(reviews=work.reviews, visits=work.visits)
    return work


def _tell_of_visit(evaluation: Evaluation) -> None:
    """Queue the mail that says how the booking stands now."""
    app.configure_task(TELL_OF_VISIT).defer(
        evaluation_id=str(evaluation.pk), sequence=diary.sequence(evaluation)
    )


def tell_of_visit(*, evaluation_id: UUID, sequence: int) -> bool:
    """The job: mail the visit's time, or that it is cancelled. The link that is out goes on working.

    False when nobody can be told, when it is over, or when it changed again: then a later job tells.
    """
    by = audit.system(TELL_OF_VISIT)
    with audit.audited("evaluation.read", by=by, objects={"evaluation": [evaluation_id]}):
        evaluation = (
            Evaluation.objects.select_related("patient", "physio")
            .filter(pk=evaluation_id, starts_at__gt=timezone.now())
            .first()
        )
        if evaluation is None or not evaluation.patient.email or diary.sequence(evaluation) != sequence:
            return False
        has_link = evaluation.invitations.filter(
            revoked_at=None, ended_at=None, sent_at__isnull=False
        ).exists()
        form_open = has_link and not _is_sent(evaluation)
        lasts = list(evaluation.booking_events.order_by("-at", "-pk")[:2])
        is_first = bool(lasts) and lasts[0].kind == BookingEvent.Kind.BOOKED
        is_same_time = len(lasts) == 2 and lasts[0].starts_at == lasts[1].starts_at
        physio_changed = (
            is_same_time
            and lasts[0].kind == BookingEvent.Kind.MOVED
            and lasts[0].physio_id != lasts[1].physio_id
        )
    cancelled = evaluation.status == Evaluation.Status.CANCELLED
    context = {"evaluation": evaluation, "clinic": ClinicInfo.current(), "form_open": form_open}
    if cancelled:
        subject, template = _("Your visit is cancelled"), "email/visit_cancelled.txt"
    elif is_first:
        subject, template = _("Your visit is booked"), "email/visit_moved.txt"
        context["is_first"] = True
    elif physio_changed:
        subject, template = _("Another physio sees you"), "email/visit_moved.txt"
        context["physio_changed"] = True
    else:
        subject, template = _("Your visit has a new time"), "email/visit_moved.txt"
    mail = EmailMessage(
        subject=subject, body=render_to_string(template, context), to=[evaluation.patient.email]
    )
    _attach_visit(mail, evaluation, sequence)
    mail.send()
    return True


def _attach_visit(mail: EmailMessage, evaluation: Evaluation, sequence: int) -> None:
    """The visit as a calendar file, for whoever keeps appointments on the phone."""
    content = calendar.visit_file(evaluation, sequence=sequence, now=timezone.now())
    mail.attach(calendar.NAME, content.decode(), calendar.TYPE)


def calendar_file(*, evaluation: Evaluation) -> bytes:
    """The visit as a calendar file, as it stands now."""
    return calendar.visit_file(evaluation, sequence=diary.sequence(evaluation), now=timezone.now())


# ---- reminders


def remind() -> int:
    """The job, every few minutes: claim what is due, each in its own transaction with the job that mails it.

    Returns how many were claimed. Two at once, or one killed half-way, claim nothing twice (ADR 0022).
    """
    now, by = timezone.now(), audit.system("remind")
    claimed = 0
    for kind, key in reminders.due(now):
        with audit.audited("reminder.queued", by=by, objects={"evaluation": [key]}, kind=kind) as access:
            reminder = reminders.claim(kind, key, now)
            if reminder is None:
                access.action = "reminder.not-due"
                continue
            app.configure_task(SEND_REMINDER).defer(reminder_id=str(reminder.pk))
            claimed += 1
    return claimed


def send_reminder(*, reminder_id: UUID) -> bool:
    """The job: send one reminder, if it is still needed. False when it is not, or was sent before.

    The mail leaves while its row is locked, and that it left stands in the same transaction. When the mail
    server is away all of it is undone and the job tries again, until it would come too late.
    """
    by, now = audit.system(SEND_REMINDER), timezone.now()
    with audit.audited("reminder.sent", by=by, objects={"reminder": [reminder_id]}) as access:
        reminder = reminders.take(reminder_id)
        if reminder is None:
            access.action = "reminder.settled-before"
            return False
        access.saw("evaluation", [reminder.evaluation_id])
        if not reminders.is_needed(reminder):
            access.action = "reminder.not-needed"
            reminders.settle(reminder, Reminder.State.NOT_NEEDED, now)
            return False
        if now >= reminders.too_late_at(reminder.kind, reminder.starts_at):
            access.action = "reminder.failed"
            reminders.settle(reminder, Reminder.State.FAILED, now)
            return False
        if not reminders.is_good_hour(now):
            access.action = "reminder.put-off"
            app.configure_task(SEND_REMINDER, schedule_at=reminders.next_good_hour(now)).defer(
                reminder_id=str(reminder_id)
            )
            return False
        reminders.settle(reminder, Reminder.State.SENT, now)
        _mail_reminder(reminder)
    return True


def _mail_reminder(reminder: Reminder) -> None:
    evaluation = reminder.evaluation
    token, stop = reminders.new_links(reminder)
    context = {
        "link": settings.SITE_URL + reverse("intake:open", args=[token]),
        "stop": settings.SITE_URL + reverse("intake:stop_reminders", args=[stop]),
        "evaluation": evaluation,
        "clinic": ClinicInfo.current(),
    }
    mail = EmailMessage(
        subject=_("Your form before the visit is still open"),
        body=render_to_string("email/reminder.txt", context),
        to=[evaluation.patient.email],
        # A copy that a crash at the wrong moment let through twice is one mail to most mail programs.
        headers={"Message-ID": f"<reminder.{reminder.pk}@{urlsplit(settings.SITE_URL).hostname}>"},
    )
    _attach_visit(mail, evaluation, diary.sequence(evaluation))
    mail.send()


def may_stop_reminders(*, token: str) -> bool:
    """Whether this is the way to stop reminders out of one of our mails. Looking changes nothing."""
    with audit.audited("reminder.stop-viewed", by=audit.ANONYMOUS) as access:
        reminder = reminders.find_stop(token)
        if reminder is not None:
            access.saw("reminder", [reminder.pk])
    return reminder is not None


def stop_reminders(*, token: str) -> bool:
    """Whoever got the mail wants no more of them before this visit. False for an unknown token."""
    with audit.audited("reminder.stopped", by=audit.ANONYMOUS) as access:
        reminder = reminders.find_stop(token)
        if reminder is None:
            access.action = "reminder.stop-unknown"
            return False
        access.saw("evaluation", [reminder.evaluation_id])
        reminders.switch(reminder.evaluation, off=True)
    return True


def switch_reminders(*, evaluation: Evaluation, off: bool, by: audit.Actor) -> None:
    """The front desk switches the reminders of one visit off or on again."""
    with audit.audited("reminder.switched", by=by, objects={"evaluation": [evaluation.pk]}, off=off):
        reminders.switch(evaluation, off=off)


def _is_sent(evaluation: Evaluation) -> bool:
    sent = (QuestionnaireResponse.Status.COMPLETED, QuestionnaireResponse.Status.AMENDED)
    return bool(evaluation.responses.filter(status__in=sent).exists())


# ---- the patient

LinkOutcome = links.Opened | links.Mismatch | links.OtherDevice | links.NotLive
CodeOutcome = codes.Asked | codes.TooMany


def open_link(
    *, token: str, birth_date: date, address: str | None, device_token: str, shared: bool = False
) -> LinkOutcome | CodeOutcome:
    """Judge one date of birth typed at a link. A right one opens a session on this device.

    Where answers are stored that another device wrote, a code is queued to the patient's e-mail address
    first; `links.OtherDevice` where she has none. shared: the link is one to shared lessons, and its session
    opens nothing else.
    """
    with audit.audited("link.tried", by=audit.ANONYMOUS) as access:
        outcome = links.try_birth_date(
            token=token, birth_date=birth_date, address=address, device_token=device_token, shared=shared
        )
        if isinstance(outcome, links.OtherDevice) and outcome.invitation.evaluation.patient.email:
            asked = codes.ask(outcome.invitation, device_token)
            _queue_code(access, asked)
            return asked
        _note_outcome(access, outcome)
    return outcome


def _watch(outcome: object) -> None:
    """Queue a mail to whoever is on call when wrong dates and codes come by the hundred (R4)."""
    wrong = isinstance(outcome, links.Mismatch | codes.WrongCode)
    if wrong and links.is_alarming(timezone.now()) and links.may_sound_alarm():
        app.configure_task(SOUND_ALARM).defer()


def sound_alarm() -> None:
    """The job: say by mail that somebody tries dates of birth, in numbers alone."""
    found = open_links(by=audit.system(SOUND_ALARM))
    context = {"found": found, "page": settings.SITE_URL + reverse("admin:links")}
    EmailMessage(
        subject=_("Many wrong dates of birth at patients’ links"),
        body=render_to_string("email/alarm.txt", context),
        to=[settings.ON_CALL_EMAIL],
    ).send()


def _queue_code(access: audit.Access, asked: CodeOutcome | links.NotLive) -> None:
    access.note(outcome=type(asked).__name__)
    if isinstance(asked, codes.Asked) and asked.code is not None:
        access.action = "code.asked"
        access.saw("invitation", [asked.code.invitation_id])
        app.configure_task(SEND_CODE).defer(code_id=asked.code.pk)


def is_code_asked(*, device_token: str) -> bool:
    """Whether this browser waits for a code. Looking changes nothing."""
    with audit.audited("code.viewed", by=audit.ANONYMOUS) as access:
        code = codes.find_asked(device_token)
        if code is not None:
            access.saw("invitation", [code.invitation_id])
    return code is not None


def ask_code_again(*, device_token: str, address: str | None) -> CodeOutcome | links.NotLive:
    """Queue another code for the browser that asked for one; the one before works no more."""
    with audit.audited("code.not-asked", by=audit.ANONYMOUS) as access:
        asked = codes.ask_again(device_token, address)
        _queue_code(access, asked)
    return asked


def open_with_code(
    *, device_token: str, code: str, address: str | None
) -> links.Opened | codes.WrongCode | links.NotLive:
    """Judge one code. The right one opens a session, and the device is known from then on."""
    with audit.audited("code.tried", by=audit.ANONYMOUS) as access:
        outcome = codes.try_code(device_token=device_token, code=code, address=address)
        _note_outcome(access, outcome)
    return outcome


def deliver_code(*, code_id: int) -> bool:
    """The job: make the code, mail it, note that it was sent. False when nobody needs it any more.

    Run twice it sends a second mail whose code replaces the first, as with an invitation.
    """
    by = audit.system(SEND_CODE)
    with audit.audited("code.made", by=by, objects={"access-code": [code_id]}) as access:
        made = codes.make_digits(code_id)
        if made is None:
            access.action = "code.not-needed"
            return False
        code, digits = made
        access.saw("invitation", [code.invitation_id])
        address = code.invitation.evaluation.patient.email
    context = {
        "code": digits,
        "minutes": int(AccessCode.LIFE.total_seconds()) // 60,
        "clinic": ClinicInfo.current(),
    }
    EmailMessage(
        subject=_("Your code"), body=render_to_string("email/access_code.txt", context), to=[address]
    ).send()
    with audit.audited("code.sent", by=by, objects={"access-code": [code_id]}):
        codes.note_sent(code_id)
    return True


def start_tablet(*, evaluation: Evaluation, by: audit.Actor) -> tablet.Started:
    """A code for the clinic's tablet; one that was started for this visit before ends.

    Links that are out go on working. Where none lives, an invitation is made that nobody gets by mail.
    """
    with audit.audited("tablet.started", by=by, objects={"evaluation": [evaluation.pk]}) as access:
        tablet.end_codes(evaluation)
        now = timezone.now()
        invitation = evaluation.invitations.filter(revoked_at=None, ended_at=None, expires_at__gt=now).first()
        if invitation is None:
            invitation = _invite(evaluation, access, mail=False)
            invitation.sent_at = now
        if invitation.token_hash is None:
            # The mail that may be on its way brings a token of its own.
            invitation.token_hash = links.hash_token(links.new_token())
        invitation.save(update_fields=["token_hash", "sent_at"])
        access.saw("invitation", [invitation.pk])
        return tablet.start(invitation, by=user_of(by))


def is_on_tablet(*, digits: str = "", token: str = "", address: str | None = None) -> bool:
    """Whether a code of the tablet works: what was typed, or scanned. Wrong digits are counted."""
    with audit.audited("tablet.tried", by=audit.ANONYMOUS) as access:
        code = _tablet_code(digits, token, address)
        access.note(outcome="NoCode" if code is None else "Found")
        if code is not None:
            access.saw("invitation", [code.invitation_id])
    return code is not None


def open_on_tablet(
    *, digits: str = "", token: str = "", birth_date: date, address: str | None
) -> links.Opened | links.Mismatch | tablet.NoCode:
    """Judge a code and the date of birth. The right ones open a session that ends after 2 idle minutes."""
    with audit.audited("tablet.tried", by=audit.ANONYMOUS) as access:
        code = _tablet_code(digits, token, address)
        if code is None:
            access.note(outcome="NoCode")
            return tablet.NoCode()
        access.saw("invitation", [code.invitation_id])
        outcome = tablet.open_with(code, birth_date=birth_date, address=address)
        access.note(outcome=type(outcome).__name__)
        _watch(outcome)
        if isinstance(outcome, links.Opened):
            access.action = "tablet.opened"
            access.by = audit.patient(code.invitation_id)
            access.saw("evaluation", [code.invitation.evaluation_id])
    return outcome


def _tablet_code(digits: str, token: str, address: str | None) -> TabletCode | None:
    return tablet.find_scanned(token, lock=True) if token else tablet.find_typed(digits, address)


def sent_on_tablet(*, session_token: str, submit_key: str) -> bool:
    """Whether this key sent the form of a session of the tablet that is over: its answer did not arrive."""
    try:
        key = UUID(submit_key)
    except ValueError:
        return False
    with audit.audited("tablet.sent-again", by=audit.ANONYMOUS) as access:
        session = tablet.find_ended(session_token)
        if session is None or session.invitation is None:
            return False
        access.saw("invitation", [session.invitation.pk])
        return amend.sent_with(session.invitation, key)


def open_again(
    *, session: PatientSession, birth_date: date, address: str | None, device_token: str
) -> LinkOutcome:
    """Judge one date of birth typed where a session was idle too long. A right one opens another."""
    with audit.audited("session.tried", by=audit.ANONYMOUS) as access:
        outcome = links.try_again(
            session=session, birth_date=birth_date, address=address, device_token=device_token
        )
        _note_outcome(access, outcome)
    return outcome


# What a try at a link or a code that led to nothing is called in the trail, by what happened at the link.
_TRIED: Final = {
    AccessEvent.Kind.WRONG_DATE: "link.wrong-date",
    AccessEvent.Kind.REFUSED_AT_REST: "link.rested",
    AccessEvent.Kind.ENDED: "link.ended",
    AccessEvent.Kind.WRONG_CODE: "code.wrong",
    AccessEvent.Kind.OTHER_DEVICE: "link.other-device",
}


def _note_outcome(access: audit.Access, outcome: LinkOutcome | codes.WrongCode) -> None:
    access.note(outcome=type(outcome).__name__)
    _watch(outcome)
    access.action = _TRIED.get(access.detail.get("event", ""), access.action)
    if isinstance(outcome, links.Opened):
        session = outcome.session
        access.action = "session.opened" if session.invitation is not None else "lessons.opened"
        access.by = audit.patient(session.link.pk)
        access.saw("evaluation", [session.link.evaluation_id])
        if session.share is not None:
            access.saw("lesson-share", [session.share.pk])


def leave(*, session: PatientSession) -> None:
    """Save and leave: the session ends; the draft stays."""
    with audit.audited("session.left", by=audit.patient(session.link.pk)):
        links.end_session(session)


# ---- what was answered before an earlier visit


@dataclass(frozen=True, slots=True)
class EarlierIntake:
    """What the patient sent for another visit. is_open: her device may see it; if not, a code opens it."""

    response: QuestionnaireResponse
    is_open: bool


def find_earlier(*, session: PatientSession) -> EarlierIntake | None:
    """The newest intake of the session's patient for another visit. Its answers are not read here."""
    before = QuestionnaireResponse.objects.sent_before(session.link.evaluation)
    found = before.select_related("questionnaire").defer("answers", "document", "questionnaire__definition")
    response = found.first()
    if response is None:
        return None
    return EarlierIntake(response, links.may_see_earlier(session, response.evaluation_id))


def offer_earlier(
    *,
    found: EarlierIntake,
    definition: Definition,
    page: Page,
    answers: Answers,
    hide: Collection[str],
    by: audit.Actor,
) -> earlier.Offer | None:
    """What the patient may confirm on one page of her form; None where her device may not see it."""
    if not found.is_open:
        return None
    anew = frozenset(
        question
        for rule in record.active_rules().rules
        if rule.kind in ("red-flag", "precaution")
        for sided in rule.sides
        for question in sided.questions
    )
    before = found.response
    if before.authored is None or not earlier.may_offer(page, anew):
        return None
    with audit.audited("earlier.read", by=by, objects={"response": [before.pk]}, page=page.link_id):
        return earlier.offer(
            definition,
            page,
            answers,
            before=before.questionnaire.tree(),
            said=read_answers(before.answers),
            sent_at=before.authored,
            anew=anew,
            hide=hide,
        )


def ask_code_for_earlier(*, session: PatientSession, device_token: str) -> CodeOutcome | links.NotLive:
    """Queue a code that lets this device to what the patient sent before, as for a form begun elsewhere."""
    with audit.audited("code.not-asked", by=audit.patient(session.link.pk)) as access:
        invitation = links.lock_live(session.invitation_id)
        asked = links.NotLive() if invitation is None else codes.ask(invitation, device_token)
        _queue_code(access, asked)
    return asked


@dataclass(frozen=True, slots=True)
class Working:
    """What a patient is at work on. response: draft, change or sent; None before the first save.

    active: the rules that run now, read with it; None where nothing was. has_earlier: she sent an intake for
    another visit.
    """

    response: QuestionnaireResponse | None = None
    active: record.ActiveRules | None = None
    has_earlier: bool | None = None


def _working() -> ResponseQuerySet:
    asked: ResponseQuerySet = draft.worked_on().with_earlier().annotate(active=ArraySubquery(record.ACTIVE))
    return asked


_WORKING: Final = Kept(_working)


def find_working(invitation: Invitation) -> Working:
    """What every page of the form begins with, in one statement."""
    found = _WORKING.rows([], evaluation=invitation.evaluation_id)
    response = draft.chosen(found)
    if response is None:
        return Working()
    return Working(response, record.active_rules(found[-1].active), found[-1].has_earlier)


@dataclass(frozen=True, slots=True)
class Sending(Working):
    """What is about to be sent, under its locks. key_of: the evaluation that was sent with this key, if one.

    flagged: it has red flags, raised or withdrawn.
    """

    key_of: UUID | None = None
    flagged: bool = False


def _to_send() -> ResponseQuerySet:
    keyed = QuestionnaireResponse.objects.filter(submit_key=Given("key", UUIDField()))
    flags = RedFlag.objects.filter(response=OuterRef("pk"))
    locked = draft.worked_on().select_for_update(of=("self",))
    asked: ResponseQuerySet = locked.annotate(
        active=ArraySubquery(record.ACTIVE),
        key_of=Subquery(keyed.values("evaluation")[:1]),
        flagged=Exists(flags),
    )
    return asked


_TO_SEND: Final = Kept(_to_send)


def find_to_send(invitation: Invitation, submit_key: UUID) -> Sending:
    """What sending begins with, in one statement; what it finds stays locked until the transaction ends."""
    found = _TO_SEND.rows([], evaluation=invitation.evaluation_id, key=submit_key)
    response = draft.chosen(found)
    if response is None:
        return Sending()
    last = found[-1]
    return Sending(response, record.active_rules(last.active), key_of=last.key_of, flagged=last.flagged)


class Save(Enum):
    """How a page came to be saved.

    COMPLETE: "Save and continue", nothing wrong. PARTIAL: the same button, but something is missing or does
    not fit; what fits is kept. AUTOSAVE: while typing. Red flags are looked for at the button; while typing a
    finger may slip, so those answers alert only if no button follows within minutes (ADR 0009).
    """

    COMPLETE = "page.saved"
    PARTIAL = "page.saved-in-part"
    AUTOSAVE = "page.autosaved"


@dataclass(frozen=True, slots=True)
class PageSaved:
    """What one saved page led to.

    saved_at: when the draft was stored. answers: all answers so far. on: the linkIds that they enable.
    screening: what they raise. advice: an emergency or same-day flag stands whose advice the patient has not
    seen; show it before anything else. met: what came from another device meanwhile.
    """

    response: QuestionnaireResponse
    saved_at: datetime
    answers: dict[str, tuple[Value, ...]]
    on: frozenset[str]
    screening: Screening
    advice: bool
    met: showing.Met


def save_page(
    *,
    invitation: Invitation,
    page: Page,
    fields: Collection[str],
    answers: Answers,
    by: audit.Actor,
    save: Save = Save.COMPLETE,
    ignored: int = 0,
    confirmed: QuestionnaireResponse | None = None,
    shown: showing.Shown | None = None,
    working: Working | None = None,
) -> PageSaved:
    """Store one page and look for red flags over all answers so far.

    fields: linkIds that stood on the page and whose answers are replaced; with `shown`, what the page showed,
    only those that were changed on it. ignored: how many names were sent that it does not ask for. confirmed:
    the earlier intake whose answers these are. working: the draft as the caller read it; one that is not that
    any more is read again, under a lock. The trail keeps which version of the privacy notice stood behind the
    tick that it was seen. Raises `draft.AlreadySent`.
    """
    with audit.audited(save.value, by=by, savepoint=False, page=page.link_id) as access:
        if ignored:
            access.note(ignored=ignored)
        if confirmed is not None:
            access.saw("response", [confirmed.pk])
            access.note(confirmed=len(fields))
        notice = None
        if PRIVACY_SEEN in fields and True in answers.get(PRIVACY_SEEN, ()):
            notice = PrivacyNotice.current().version
            access.note(privacy_notice=notice)
        store = partial(
            draft.store_page,
            page=page,
            fields=fields,
            answers=answers,
            complete=save is Save.COMPLETE,
            shown=shown,
            privacy_version=notice,
        )
        read = working.response if working is not None else None
        # A change stands on what was sent, whose row is locked before its own.
        response = _locked_draft(invitation) if read is None or read.is_change else copy.copy(read)
        try:
            met = store(response)
        except draft.Overtaken:
            response = _locked_draft(invitation)
            met = store(response)
        access.saw("response", [response.pk])
        definition = response.questionnaire.tree()
        active = (working.active if working is not None else None) or record.active_rules()
        together = read_answers(response.answers)
        on = enabled(definition, together)
        screening = record.screen_draft(definition, together, active, on)
        urgent = [one for one in screening.red_flags if one.rule.is_urgent]
        advice = False
        if save is not Save.AUTOSAVE:
            _alert(_sync_draft(response, definition, urgent, active))
            advice = screening.is_urgent and (
                advice_waits(response) or record.is_called_a_mistake(response.stands)
            )
        elif urgent:
            _settle_later(response)
    return PageSaved(response, response.updated_at, together, on, screening, advice, met)


def _locked_draft(invitation: Invitation) -> QuestionnaireResponse:
    """The evaluation's response, made if need be, under a lock: two tabs wait for each other."""
    standing = draft.standing_response(invitation, lock=True)
    if standing is None:
        draft.start_draft(invitation)
        standing = draft.standing_response(invitation, lock=True)
    if standing is None:
        raise RuntimeError("the draft that was just made is gone")
    return standing


def _sync_draft(
    response: QuestionnaireResponse,
    definition: Definition,
    urgent: list[Raised],
    active: record.ActiveRules,
) -> list[RedFlag]:
    """The red flags of a draft. Those of a change stand on what was sent, which none of them takes back."""
    keep_before = response.started_at if response.is_change else None
    return record.sync_red_flags(response.stands, definition, urgent, active, keep_before=keep_before)


def _alert(opened: list[RedFlag]) -> None:
    """Queue one notice to whoever is on call for the emergency and same-day flags that stand open anew."""
    urgent = [flag for flag in opened if flag.tier in URGENT]
    if urgent:
        app.configure_task(MAIL_ON_CALL).defer(flag_ids=[flag.pk for flag in urgent])


def _settle_later(response: QuestionnaireResponse) -> None:
    """Queue one look at a draft whose typed answers raise an urgent flag, in case no button follows."""
    try:
        with transaction.atomic():
            app.configure_task(
                SETTLE_DRAFT,
                schedule_in={"seconds": int(SETTLE_AFTER.total_seconds())},
                queueing_lock=f"settle-{response.pk}",
            ).defer(response_id=str(response.pk))
    except AlreadyEnqueued:
        pass


def settle_draft(*, response_id: UUID) -> int:
    """The job: alert for urgent answers that were typed and saved but never sent on. Returns flags opened."""
    by = audit.system("settle_draft")
    with audit.audited("draft.settled", by=by, objects={"response": [response_id]}):
        response = draft.locked(response_id)
        if response is None:
            return 0
        definition = response.questionnaire.tree()
        active = record.active_rules()
        screening = record.screen_draft(definition, read_answers(response.answers), active)
        urgent = [one for one in screening.red_flags if one.rule.is_urgent]
        opened = _sync_draft(response, definition, urgent, active)
        _alert(opened)
    return len(opened)


def advice_waits(response: QuestionnaireResponse) -> bool:
    """Whether an urgent flag stands whose advice the patient has not yet answered with a button."""
    flags = response.stands.red_flags.filter(tier__in=URGENT, withdrawn_at=None, patient_saw_at=None)
    return bool(flags.exists())


def advice_seen(*, response: QuestionnaireResponse, by: audit.Actor, mistake: bool) -> None:
    """The patient pressed "I understand" or "I ticked this by mistake". Either way the flag stays."""
    with audit.audited("advice.seen", by=by, objects={"response": [response.pk]}):
        record.mark_advice_seen(response.stands, mistake=mistake)


@dataclass(frozen=True, slots=True)
class Sent:
    """The intake stands. already: it did before this call (second tab, second tap, reload)."""

    response: QuestionnaireResponse
    already: bool


class NotComplete(Exception):
    """A required answer is missing or an answer does not fit; `link_ids` in the order of the form."""

    def __init__(self, link_ids: list[str]) -> None:
        super().__init__("the form is not complete")
        self.link_ids = link_ids


class AdviceWaits(Exception):
    """An urgent answer stands whose advice the patient has not answered with a button yet."""


class KeyTaken(Exception):
    """Another intake was sent with this key: no page of ours made it for this one."""


class NothingChanged(Exception):
    """The patient sends a change in which every answer is the one she sent before."""


def begin_change(*, invitation: Invitation, by: audit.Actor) -> QuestionnaireResponse:
    """Open what was sent for a change; it stands until the change is sent. Once, however often it is asked.

    Raises `amend.ChangeRefused` once the visit has begun.
    """
    with audit.audited("intake.change-begun", by=by) as access:
        change = amend.begin(invitation)
        access.saw("response", [change.pk])
    return change


def keep_sent(*, invitation: Invitation, by: audit.Actor) -> None:
    """The patient gives up a change: what she sent stays as it is. Without a change nothing happens."""
    with audit.audited("intake.change-dropped", by=by) as access:
        working = draft.standing_response(invitation, lock=True)
        if working is not None and working.is_change:
            amend.stop(working)
            access.saw("response", [working.pk])


def submit(
    *,
    invitation: Invitation,
    submit_key: UUID,
    by: audit.Actor,
    revision: int | None = None,
    sending: Sending | None = None,
) -> Sent:
    """Send the intake: prune, store the record, screen, store findings and red flags, queue mail, audit.

    All in one transaction. The same key again, or another key after it was sent, changes nothing and says so.
    A change replaces what was sent before: decisions that still hold are kept, and it waits for review again.
    revision: of the draft that the patient confirmed. sending: from `find_to_send`, in the transaction that
    this is part of. Raises `NotComplete`, `AdviceWaits` or `KeyTaken`, `draft.Overtaken` where answers were
    changed after that revision, and for a change `NothingChanged` or `amend.ChangeRefused`; nothing is stored
    then, and whoever opened the transaction can go on in it.
    """
    with audit.audited("intake.sent", by=by, savepoint=False) as access:
        sending = sending or find_to_send(invitation, submit_key)
        response = sending.response
        if response is not None and (response.is_sent or sending.key_of == invitation.evaluation_id):
            access.action = "intake.sent-again"
            access.saw("response", [response.pk])
            return Sent(response.stands, already=True)
        said = _Said.of(invitation, sending)
        refused = _why_not(sending, said, revision)
        if refused is None:
            response = response or _locked_draft(invitation)
            # What another tab began meanwhile was not looked at.
            if sending.response is None and response.answers:
                refused = draft.Overtaken()
            else:
                _send(response, sending, said, submit_key, access)
                return Sent(response, already=False)
        access.recorded = False
    # Not within: there an error would undo the transaction of whoever called.
    raise refused


@dataclass(frozen=True, slots=True)
class _Said:
    """The answers of a form that is to be sent, what they enable and what they raise.

    changed: of a change, the answers that are others than those sent before.
    """

    definition: Definition
    answers: dict[str, tuple[Value, ...]]
    on: frozenset[str]
    active: record.ActiveRules
    screening: Screening
    changed: tuple[Difference, ...]

    @classmethod
    def of(cls, invitation: Invitation, sending: Sending) -> "_Said":
        response = sending.response
        definition = (response.questionnaire if response else invitation.questionnaire).tree()
        typed = read_answers(response.answers) if response else {}
        on = enabled(definition, typed)
        answers = prune(definition, typed, on)
        active = sending.active or record.active_rules()
        changed = amend.differences(response, answers) if response and response.is_change else ()
        return cls(definition, answers, on, active, screen(active.rules, answers), changed)


def _why_not(sending: Sending, said: _Said, revision: int | None) -> Exception | None:
    """Why a form cannot be sent, the most pressing reason first."""
    response = sending.response
    if response is not None:
        if said.screening.is_urgent and advice_waits(response):
            return AdviceWaits()
        if revision is not None and response.revision != revision:
            return draft.Overtaken()
        if response.is_change:
            try:
                amend.check_change(response.evaluation, timezone.now())
            except amend.ChangeRefused as refused:
                return refused
    wrong = {problem.link_id for problem in check(said.definition, said.answers)}
    wrong.update(missing(said.definition, said.answers, None, said.on))
    if wrong:
        order = {item.link_id: place for place, item in enumerate(said.definition.walk())}
        return NotComplete(sorted(wrong, key=lambda link_id: order.get(link_id, -1)))
    if sending.key_of is not None:
        return KeyTaken()
    if response is not None and response.is_change and not said.changed:
        return NothingChanged()
    return None


def _send(
    response: QuestionnaireResponse, sending: Sending, said: _Said, submit_key: UUID, access: audit.Access
) -> None:
    """Store what may be sent; the caller holds its lock."""
    now = timezone.now()
    access.saw("response", [response.pk])
    earlier = None
    if response.is_change:
        earlier = amend.replace(response, now)
        access.action = "intake.changed"
        access.saw("response", [earlier.pk])
        access.note(changed=len(said.changed))
    response.status = (
        QuestionnaireResponse.Status.AMENDED if earlier else QuestionnaireResponse.Status.COMPLETED
    )
    response.answers = to_json(said.answers)
    response.authored = response.updated_at = now
    response.submit_key = submit_key
    response.document = fhir_document(response, said.on)
    # Before it counts as sent, so that its place on the worklist is worked out once.
    record.store_findings(response, said.definition, said.screening, said.active)
    draft.store_sent(response)
    if earlier is not None:
        record.move_red_flags(earlier, response)
        versions.carry_verdicts(response)
    if said.screening.red_flags or sending.flagged or earlier is not None:
        _alert(record.sync_red_flags(response, said.definition, said.screening.red_flags, said.active))


def fhir_document(response: QuestionnaireResponse, on: Collection[str] | None = None) -> dict[str, Any]:
    """The FHIR R4 QuestionnaireResponse that is the record. References are ours, never names.

    response: as it is sent, its answers as they are stored. on: what they enable, where the caller has it.
    Raises `ValueError` for a draft.
    """
    questionnaire = response.questionnaire
    if response.authored is None:
        raise ValueError("a draft is no record yet")
    return {
        "resourceType": "QuestionnaireResponse",
        "id": str(response.pk),
        "questionnaire": f"{questionnaire.url}|{questionnaire.version}",
        "status": response.status,
        "subject": {"reference": f"Patient/{response.evaluation.patient_id}"},
        "source": {"reference": f"Patient/{response.evaluation.patient_id}"},
        "authored": response.authored.isoformat(timespec="seconds"),
        "item": to_fhir_items(questionnaire.tree(), response.answers, on),
    }


def screening_of(
    definition: Definition,
    answers: Answers,
    active: record.ActiveRules | None,
    on: Collection[str] | None = None,
) -> Screening:
    """What the answers of a draft or a sent intake raise now: for hiding pages and for advice.

    on: what is enabled by the answers, where the caller has it.
    """
    return record.screen_draft(definition, answers, active or record.active_rules(), on)


def page_of_first_flag(definition: Definition, screening: Screening, path: tuple[Page, ...]) -> Page | None:
    """The page with the first answer behind the highest flag, for "I ticked this by mistake"."""
    for raised in screening.red_flags:
        for group in raised.required:
            for link_id, _values in group.matched:
                owner = definition.page_of(link_id)
                for page in path:
                    if owner is not None and page.link_id == owner.link_id:
                        return page
    return None


@dataclass(frozen=True, slots=True)
class OfferedLesson:
    """A lesson for this patient and the answer that is the reason, in the patient's own terms."""

    lesson: Lesson
    because: str


def lessons_for(response: QuestionnaireResponse, *, urgent: bool) -> list[OfferedLesson]:
    """Two to four lessons chosen from the answers alone; none while help is needed today."""
    lessons = {lesson.slug: lesson for lesson in Lesson.objects.live()}
    suggestable = [
        parse_suggestable(
            {
                "slug": lesson.slug,
                "default": lesson.suggest_default,
                "priority": lesson.suggest_priority,
                "suggestWhen": lesson.suggest_when,
                "because": lesson.suggest_because,
            }
        )
        for lesson in lessons.values()
    ]
    answers = prune(response.questionnaire.tree(), read_answers(response.answers))
    return [
        OfferedLesson(lessons[one.slug], one.because) for one in suggest(suggestable, answers, urgent=urgent)
    ]


# ---- the desk


def mail_on_call(*, flag_ids: list[int]) -> bool:
    """The job: tell whoever is on call that an intake needs attention, and nothing else.

    Once per flag, and not where the call was made before the mail could leave.
    """
    by = audit.system("mail_on_call")
    with audit.audited("red-flag.read", by=by, objects={"red-flag": flag_ids}):
        unsent = RedFlag.objects.filter(pk__in=flag_ids, mail_sent_at=None)
        waiting = list(unsent.exclude(state=RedFlag.State.ACKNOWLEDGED).values_list("pk", flat=True))
    if not waiting:
        return False
    EmailMessage(
        subject=_("An intake needs attention"),
        body=render_to_string("email/on_call.txt", {"desk": settings.SITE_URL + reverse("admin:index")}),
        to=[settings.ON_CALL_EMAIL],
    ).send()
    with audit.audited("red-flag.mailed", by=by, objects={"red-flag": waiting}):
        RedFlag.objects.filter(pk__in=waiting).update(mail_sent_at=timezone.now())
    return True


# ---- a patient asks for what is hers


@dataclass(frozen=True, slots=True)
class Exported:
    """reference: of the patient, for the names of files. files: `{"json": ..., "pdf": ...}`, as asked."""

    reference: str
    files: dict[str, bytes]


def export_patient(
    *, patient_id: UUID, by: audit.Actor, forms: Collection[str] = ("json", "pdf"), paper: str = "letter"
) -> Exported:
    """All that is kept about a patient: FHIR as `json`, on paper as `pdf`. Raises `Patient.DoesNotExist`."""
    objects: dict[str, Iterable[object]] = {"patient": [patient_id]}
    with audit.audited("patient.exported", by=by, objects=objects, forms=sorted(forms)):
        record = read_record(patient_id)
        files: dict[str, bytes] = {}
        if "json" in forms:
            files["json"] = json.dumps(bundle_of(record), indent=1).encode()
        if "pdf" in forms:
            clinic = ClinicInfo.objects.first()
            files["pdf"] = pdf_of_record(record, clinic=clinic.name if clinic else "", paper=paper)
    return Exported(record.patient.reference.replace(" ", "-"), files)


# ---- what is not kept for ever


def erase_patient(
    *, patient_id: UUID, reason: str, by: audit.Actor, whole: bool = True, dry_run: bool = False
) -> dict[str, int]:
    """Erase all that is kept about a patient; a tombstone stays. Returns `{table: rows}`.

    whole=False erases what the clinical record does without, and the record itself goes on its day. dry_run
    does it and takes it back. Raises `erasure.KeptByLaw`, which the trail keeps, and `Patient.DoesNotExist`.
    """
    refused: erasure.KeptByLaw | None = None
    counts: dict[str, int] = {}
    with audit.audited("patient.erased", by=by, objects={"patient": [patient_id]}) as access:
        access.note(reason=reason, whole=whole)
        try:
            with transaction.atomic():
                counts = dict(
                    erasure.erase(patient_id, whole=whole, reason=reason, actor_kind=by.kind, actor_id=by.id)
                )
                if dry_run:
                    access.action = "patient.erasure-looked"
                    transaction.set_rollback(True)
        except erasure.KeptByLaw as kept:
            access.action = "patient.erasure-refused"
            refused = kept
        access.note(rows=sum(counts.values()))
    if refused is not None:
        raise refused
    return counts


def retain(
    *,
    dry_run: bool = False,
    stopped: Callable[[], bool] = bool,
    tell: Callable[[str, int], None] = lambda kind, number: None,
) -> dict[str, int]:
    """The job of every night: what has been kept for its time goes. Returns `{kind: rows}`.

    Each batch is a transaction with a line of its own, so a run that is stopped, or killed, loses nothing and
    the next one goes on where it ended. stopped: asked between batches. tell: how many of a kind went so far.
    A patient that cannot be erased is counted as `refused`, and the others are.
    """
    by = audit.system(RETENTION)
    with audit.audited("retention.looked", by=by) as access:
        before = erasure.database_now() - retention.kept()
        if dry_run:
            waiting = _over(before)
            access.note(**waiting)
            return waiting
    gone: dict[str, int] = {}
    steps: list[tuple[str, Callable[[], int]]] = [
        *((kind, partial(retention.remove, kind, before)) for kind in retention.REMOVED),
        *((kind, partial(retention.empty, kind, before)) for kind in retention.EMPTIED),
        ("draft", partial(unsent.remove, before, retention.BATCH)),
    ]
    for kind, step in steps:
        gone[kind] = 0
        while not stopped():
            with audit.audited("retention.removed", by=by) as access:
                number = step()
                access.note(kind=kind, rows=number)
            if not number:
                break
            gone[kind] += number
            tell(kind, gone[kind])
    refused: set[UUID] = set()
    for kind, pages in (("never-came", _never_came(before, refused)), ("record", _records_over())):
        gone[kind] = 0
        for key in (key for page in pages for key in page):
            if stopped():
                break
            try:
                erase_patient(patient_id=key, reason=Erasure.Reason.TIME, by=by)
            except (erasure.KeptByLaw, IntegrityError):
                refused.add(key)
            else:
                gone[kind] += 1
                tell(kind, gone[kind])
    return gone | {"refused": len(refused)}


def _never_came(before: datetime, passed_over: Collection[UUID]) -> Iterator[list[UUID]]:
    while True:
        with audit.audited("retention.looked", by=audit.system(RETENTION)):
            found = retention.never_came(before).exclude(pk__in=passed_over)
            keys = list(found.values_list("pk", flat=True)[: retention.BATCH])
        if not keys:
            return
        yield keys


def _records_over() -> Iterator[list[UUID]]:
    after = None
    while True:
        with audit.audited("retention.looked", by=audit.system(RETENTION)):
            keys, after = erasure.due(after)
        yield keys
        if after is None:
            return


def _over(before: datetime) -> dict[str, int]:
    """How many rows of each kind have been kept for their time."""
    found = {kind: rows(before).count() for kind, rows in {**retention.REMOVED, **retention.EMPTIED}.items()}
    return found | {
        "draft": unsent.over(before).count(),
        "never-came": retention.never_came(before).count(),
        "record": sum(map(len, _records_over())),
    }


def check_trail() -> bool:
    """The job of every night: work the chain behind the trail out anew. Returns whether it is whole.

    Its head leaves this machine by mail, so that an end that was cut off can be told later.
    """
    checked = trail.verify()
    with audit.audited("trail.checked", by=audit.system("check_trail"), lines=checked.lines) as access:
        access.note(whole=checked.whole, wrong=len(checked.wrong))
    EmailMessage(
        subject=_("The audit trail is whole") if checked.whole else _("The audit trail was changed"),
        body=render_to_string("email/trail.txt", {"checked": checked}),
        to=[settings.ON_CALL_EMAIL],
    ).send()
    return checked.whole


def replay_findings(*, told: Callable[[int, int], None]) -> replay.Replayed:
    """Work all findings out anew from stored versions and compare. Nothing but the line of it is written.

    told: called with how many runs are done, and of how many.
    """
    with audit.audited("findings.replayed", by=audit.system("replay_findings")) as access:
        replayed = replay.replay(told)
        access.note(runs=replayed.runs, findings=replayed.findings, differs=len(replayed.differs))
    return replayed


def review_week(*, week: date, by: audit.Actor) -> WeekReviewed:
    """Somebody read what a week of the trail adds up to; week: its Monday. Raises `decide.NotAllowed`."""
    with audit.audited("trail.reviewed", by=by, week=week.isoformat()):
        return weekly.sign(week, by=user_of(by), today=timezone.localdate())


def record_contact(
    *,
    response: QuestionnaireResponse,
    called: str,
    called_at: datetime,
    outcome: str,
    next_step: str,
    by: audit.Actor,
) -> RedFlagContact:
    """Whom the clinic called, when, and what came of it. One that reached somebody acknowledges the flags.

    Raises `contacts.ContactRefused` naming the field.
    """
    with audit.audited("red-flag.contact", by=by, objects={"response": [response.pk]}) as access:
        contact, acknowledged = contacts.record(
            response=response,
            called=called,
            called_at=called_at,
            outcome=outcome,
            next_step=next_step,
            by=user_of(by).pk,
        )
        record.acknowledge(acknowledged)
        access.saw("red-flag", [flag.pk for flag in acknowledged])
    return contact


def decide_finding(
    *, response: UUID, finding: int, decision: str, by: audit.Actor, reason: str = "", note: str = ""
) -> decide.Decided:
    """One verdict on one finding of an intake; `unconfirmed` undoes the last. The first begins the review.

    Raises `decide.NotAllowed` with a message for the physio and the form field it belongs to,
    `versions.Replaced`, and `DoesNotExist` for an intake or a finding that is not there.
    """
    objects: dict[str, Iterable[object]] = {"finding": [finding], "response": [response]}
    with audit.audited("finding.decided", by=by, objects=objects):
        return decide.decide(
            response=response, finding=finding, decision=decision, reason=reason, note=note, by=user_of(by)
        )


def finish_review(*, response: QuestionnaireResponse, by: audit.Actor) -> Review:
    """The physio is done before the visit. Raises `decide.NotAllowed` naming what is left."""
    with audit.audited("review.finished", by=by, objects={"response": [response.pk]}):
        return decide.finish(response, user_of(by))


def reopen_review(*, response: QuestionnaireResponse, by: audit.Actor) -> Review:
    """Open a finished review again; who finished it stays in the trail. Raises `decide.NotAllowed`."""
    with audit.audited("review.reopened", by=by, objects={"response": [response.pk]}):
        return decide.reopen(response, user_of(by))


# ---- after the evaluation


def record_outcome(
    *, response: QuestionnaireResponse, typed: outcomes.Typed, by: audit.Actor
) -> outcomes.Recorded:
    """What the physio found, measured and saw beside the rules. Nothing counts until it is closed.

    Raises `outcomes.NotRecorded` naming the fields, or `decide.NotAllowed`.
    """
    with audit.audited("outcome.recorded", by=by, objects={"response": [response.pk]}):
        return outcomes.record(response=response, typed=typed, by=user_of(by))


def add_link(*, response: QuestionnaireResponse, link: outcomes.TypedLink, by: audit.Actor) -> bool:
    """A physio adds a link the rules missed. False when it stood there already.

    Raises `outcomes.NotRecorded` naming the fields, `decide.NotAllowed` or `versions.Replaced`.
    """
    with audit.audited("link.added", by=by, objects={"response": [response.pk]}):
        versions.hold(response.pk)
        return bool(outcomes.add_link(response=response, link=link, by=user_of(by)))


def close_evaluation(*, response: QuestionnaireResponse, by: audit.Actor) -> Closing:
    """The evaluation is done, and its outcomes count for the rules.

    Raises `decide.NotAllowed` naming what is left.
    """
    with audit.audited("evaluation.closed", by=by, objects={"response": [response.pk]}) as access:
        closing = outcomes.close(response, user_of(by))
        access.saw("evaluation", [closing.response.evaluation_id])
    return closing


def reopen_evaluation(*, response: QuestionnaireResponse, reason: str, by: audit.Actor) -> Closing:
    """Open a closed evaluation again; it counts for no rule until it is closed anew.

    Raises `decide.NotAllowed`.
    """
    with audit.audited("evaluation.reopened", by=by, objects={"response": [response.pk]}) as access:
        closing = outcomes.reopen(response, reason=reason, by=user_of(by))
        access.saw("evaluation", [closing.response.evaluation_id])
    return closing


def share_lessons(
    *, response: QuestionnaireResponse, lessons: Collection[str], by: audit.Actor
) -> LessonShare:
    """Share these lessons with the patient; the mail with a link to them is queued.

    The trail names the share, never a lesson. Raises `sharing.AlreadyShared`, `decide.NotAllowed` or
    `versions.Replaced`; nothing is stored or queued then.
    """
    with audit.audited("lessons.shared", by=by, objects={"response": [response.pk]}) as access:
        share = sharing.share(response=response, lessons=lessons, by=user_of(by))
        access.saw("evaluation", [share.evaluation_id])
        access.saw("lesson-share", [share.pk])
        app.configure_task(SEND_LESSONS).defer(share_id=str(share.pk))
    return share


def send_lessons_again(*, share: LessonShare, by: audit.Actor) -> None:
    """Queue the mail once more; its link replaces the one before. Raises `LessonShare.DoesNotExist`."""
    objects: dict[str, Iterable[object]] = {"lesson-share": [share.pk], "evaluation": [share.evaluation_id]}
    with audit.audited("lessons.sent-again", by=by, objects=objects):
        sharing.locked(share.pk)
        app.configure_task(SEND_LESSONS).defer(share_id=str(share.pk))


def take_back_lessons(*, share: LessonShare, by: audit.Actor) -> bool:
    """The link opens nothing any more, and the patient sees these lessons as shared nowhere."""
    objects: dict[str, Iterable[object]] = {"lesson-share": [share.pk], "evaluation": [share.evaluation_id]}
    with audit.audited("lessons.taken-back", by=by, objects=objects) as access:
        taken = sharing.take_back(share)
        access.note(changed=taken)
    return taken


def deliver_lessons(*, share_id: UUID) -> bool:
    """The job: make the link, mail it, note that it was sent. False when nobody can be sent to.

    Run twice it sends a second mail whose link replaces the first, as with an invitation.
    """
    by = audit.system(SEND_LESSONS)
    token = links.new_token()
    with audit.audited("lessons.link", by=by, objects={"lesson-share": [share_id]}) as access:
        try:
            share = sharing.locked(share_id)
        except LessonShare.DoesNotExist:
            return False
        access.saw("evaluation", [share.evaluation_id])
        address = share.evaluation.patient.email
        if not address:
            return False
        share.token_hash = links.hash_token(token)
        share.save(update_fields=["token_hash"])
    context = {
        "link": settings.SITE_URL + reverse("intake:open_lessons", args=[token]),
        "clinic": ClinicInfo.current(),
        "days": sharing.LINK_OF_LESSONS.days,
    }
    EmailMessage(
        subject=_("We have something for you to read"),
        body=render_to_string("email/lessons_shared.txt", context),
        to=[address],
    ).send()
    with audit.audited("lessons.sent", by=by, objects={"lesson-share": [share_id]}):
        LessonShare.objects.filter(pk=share_id).update(sent_at=timezone.now())
    return True


def user_of(by: audit.Actor) -> AbstractBaseUser:
    """The member of staff behind an actor. Raises `ValueError` for anybody else."""
    if by.user is None:
        raise ValueError("only staff can do this")
    return by.user
