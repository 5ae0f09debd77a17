"""The links of invitations and of shared lessons, the date of birth that opens them, and the session after.

Source of every number here: security requirements R1-R7 and R10.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import BinaryField, Q, QuerySet, Subquery
from django.utils import timezone

from education.edition.models import Edition
from education.visitors import limits
from intake import audit
from intake.kept import Given, Kept
from intake.patients.models import (
    AccessCode,
    AccessEvent,
    Evaluation,
    Invitation,
    LessonShare,
    PatientSession,
    Reminder,
)

ENDS_ALL_LINKS: Final = "intake.end_all_links"
TOKEN_BYTES: Final = 32
# Wrong dates of birth and wrong codes, together.
WRONG: Final = (AccessEvent.Kind.WRONG_DATE, AccessEvent.Kind.WRONG_CODE)
WRONG_BEFORE_REST: Final = 5
REST: Final = timedelta(minutes=15)
WRONG_BEFORE_END: Final = 10
END_WINDOW: Final = timedelta(hours=24)
WRONG_PER_ADDRESS: Final = 30
ADDRESS_WINDOW: Final = timedelta(hours=1)
# From all addresses at all links together: nobody mistypes that often, so somebody tries.
WRONG_OF_ALL: Final = 100
RENEWALS_AN_HOUR: Final = 20
# Looks at links that open nothing. No one guesses a link; each look is a line of the trail.
MISSES_AN_HOUR: Final = 60


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Links that staff ended: their keys."""

    invitations: list[UUID]
    shares: list[UUID]


@dataclass(frozen=True, slots=True)
class OpenLinks:
    """How many links are out. wrong: dates and codes within the last hour, at all links together."""

    invitations: int
    shares: int
    wrong: int

    @property
    def is_alarming(self) -> bool:
        return self.wrong >= WRONG_OF_ALL


def new_token() -> str:
    """256 random bits as URL-safe text. Shown once, never stored."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """The SHA-256 that is stored in a token's place."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def find_live(token: str, *, lock: bool = False) -> Invitation | None:
    """The invitation of a live link. Unknown, expired, replaced and ended links are all None, alike.

    Links of reminders open the invitation that stood when they were sent, like the one of its own mail. Both
    are looked for at once: an unknown link takes no more time than one that is over (R5).
    """
    invitations = Invitation.objects.select_related("evaluation__patient", "evaluation__physio")
    if lock:
        invitations = invitations.select_for_update(of=("self",))
    hashed = hash_token(token)
    mailed = Invitation.objects.filter(token_hash=hashed).order_by().values("pk")
    reminded = Reminder.objects.filter(token_hash=hashed).order_by().values("invitation")
    invitation: Invitation | None = invitations.filter(pk__in=mailed.union(reminded, all=True)).first()
    return invitation if invitation is not None and is_open(invitation) else None


def find_over(hashed: bytes) -> Invitation | None:
    """The invitation of a link that is over while its visit is still to come, with its evaluation locked.

    None for a link that nobody had, that still opens the form, whose visit is cancelled or has begun, and
    where staff ended the last one: then only they send another.
    """
    mine = Q(token_hash=hashed) | Q(reminders__token_hash=hashed)
    found = Invitation.objects.filter(mine).values("evaluation")
    evaluation = Evaluation.objects.select_for_update().filter(pk__in=found).first()
    if evaluation is None or evaluation.status == Evaluation.Status.CANCELLED:
        return None
    if (evaluation.starts_at or evaluation.link_ends_at) <= timezone.now():
        return None
    invitation: Invitation = (
        Invitation.objects.filter(mine).select_related("evaluation__patient", "evaluation__physio")[:1].get()
    )
    return None if is_open(invitation) or is_withdrawn(evaluation) else invitation


def is_withdrawn(evaluation: Evaluation) -> bool:
    """Whether staff ended the last link of a visit. One that another replaced is not the last."""
    last = evaluation.invitations.order_by("-created_at", "pk").values_list("revoked_at", flat=True).first()
    return last is not None


def withdraw(evaluation: Evaluation, now: datetime) -> list[UUID]:
    """End the links to one visit's form, those of its reminders too. Returns the invitations that ended.

    Sessions end with their link at their next request, codes at their next try.
    """
    return _withdraw(evaluation.invitations.all(), now)


def withdraw_all(now: datetime) -> Withdrawn:
    """The same for every link that patients hold, also to shared lessons."""
    return Withdrawn(_withdraw(Invitation.objects.all(), now), _withdraw(LessonShare.objects.all(), now))


def count_open(now: datetime) -> OpenLinks:
    """How many links would end if all did, and what was tried at them."""
    wrong = AccessEvent.objects.filter(kind__in=WRONG, at__gt=now - ADDRESS_WINDOW)
    return OpenLinks(
        _unended_links(Invitation.objects.all(), now).count(),
        _unended_links(LessonShare.objects.all(), now).count(),
        wrong.count(),
    )


def _withdraw(rows: QuerySet[Any], now: datetime) -> list[UUID]:
    # Locked in one order, so that two who end all of them at once do not wait for each other for ever.
    keys = list(_unended_links(rows, now).order_by("pk").select_for_update().values_list("pk", flat=True))
    rows.filter(pk__in=keys).update(revoked_at=now)
    return keys


def _unended_links(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Those that open something, or will once their mail is made."""
    return rows.filter(revoked_at=None, ended_at=None, expires_at__gt=now)


def find_share(token: str, *, lock: bool = False) -> LessonShare | None:
    """The share of a live link to lessons; None as in `find_live`. Neither finds a link of the other."""
    shares = LessonShare.objects.select_related("evaluation__patient", "evaluation__physio")
    if lock:
        shares = shares.select_for_update(of=("self",))
    share: LessonShare | None = shares.filter(token_hash=hash_token(token)).first()
    return share if share is not None and is_open(share) else None


def is_open(link: Invitation | LessonShare) -> bool:
    """Whether a link opens anything. A session asks so at every request: the link's end is its own."""
    return link.is_live(timezone.now()) and link.evaluation.status != Evaluation.Status.CANCELLED


@dataclass(frozen=True, slots=True)
class Opened:
    """The date fitted: cookies to set. Both are random text whose hashes are stored."""

    session: PatientSession
    session_token: str
    device_token: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The date did not fit, or the link rests. Both show one page; nobody learns which it was."""


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """The date fitted, but answers are stored and this is not the device they were typed on."""

    invitation: Invitation


@dataclass(frozen=True, slots=True)
class NotLive:
    """No such link any more. One page for every reason."""


def try_birth_date(
    *,
    token: str,
    birth_date: date,
    address: str | None,
    device_token: str,
    shared: bool = False,
) -> Opened | Mismatch | OtherDevice | NotLive:
    """Judge one try. Runs under a lock on the link, so parallel guesses are counted one by one.

    address: the visitor's IP address, for the limit per address. device_token: what the device cookie holds,
    empty on a new device. shared: the link is one to shared lessons. Nothing stored is shown to a device that
    did not write it (R6); a link to lessons shows nothing of the kind.
    """
    link = find_share(token, lock=True) if shared else find_live(token, lock=True)
    if link is None:
        return NotLive()
    return _judge(link, birth_date, address, device_token)


def try_again(
    *, session: PatientSession, birth_date: date, address: str | None, device_token: str
) -> Opened | Mismatch | OtherDevice | NotLive:
    """The same for a session that was idle too long, which stands in the place of its link."""
    invitation = lock_live(session.invitation_id)
    return NotLive() if invitation is None else _judge(invitation, birth_date, address, device_token)


def lock_live(invitation_id: UUID | None) -> Invitation | None:
    """The invitation under its lock, for whatever counts tries; None once its link is over."""
    invitations = Invitation.objects.select_related("evaluation__patient", "evaluation__physio")
    invitation: Invitation = invitations.select_for_update(of=("self",)).get(pk=invitation_id)
    return invitation if is_open(invitation) else None


def _judge(
    link: Invitation | LessonShare, birth_date: date, address: str | None, device_token: str
) -> Opened | Mismatch | OtherDevice:
    now = timezone.now()
    if not is_right_date(link, birth_date, address, now):
        return Mismatch()
    if isinstance(link, Invitation) and _has_stored_answers(link) and not is_known_device(link, device_token):
        _note(link, AccessEvent.Kind.OTHER_DEVICE, address, now)
        return OtherDevice(link)
    return open_session(invitation=link, address=address, device_token=device_token)


def is_right_date(
    link: Invitation | LessonShare, birth_date: date, address: str | None, now: datetime
) -> bool:
    """Whether the date fits, and is judged at all. A wrong one is counted; the caller locked the link."""
    if refused_at_rest(link, address, now):
        return False
    if birth_date == link.evaluation.patient.birth_date:
        return True
    count_wrong(link, AccessEvent.Kind.WRONG_DATE, address, now)
    return False


def may_ask_for_link(address: str | None) -> bool:
    """Counts one "Send me a new one" from this IP address; False after twenty within the hour."""
    return limits.allow("link.renewal", address, limit=RENEWALS_AN_HOUR, within=ADDRESS_WINDOW)


def may_miss(address: str | None) -> bool:
    """Counts one look from this IP address at a link that opens nothing; False after sixty in an hour."""
    return limits.allow("link.miss", address, limit=MISSES_AN_HOUR, within=ADDRESS_WINDOW)


def refused_at_rest(link: Invitation | LessonShare, address: str | None, now: datetime) -> bool:
    """Whether this try is not judged at all: the link rests, or too much was wrong from this address."""
    if not _rests(link, now) and not _address_is_tired(address, now):
        return False
    _note(link, AccessEvent.Kind.REFUSED_AT_REST, address, now)
    return True


def count_wrong(link: Invitation | LessonShare, kind: str, address: str | None, now: datetime) -> None:
    """One more wrong date or code; the tenth within a day ends the link. The caller holds its lock."""
    _note(link, kind, address, now)
    wrong = link.events.filter(kind__in=WRONG, at__gt=now - END_WINDOW).count()
    if wrong >= WRONG_BEFORE_END:
        link.ended_at = now
        link.save(update_fields=["ended_at"])
        _note(link, AccessEvent.Kind.ENDED, address, now)


def is_alarming(now: datetime) -> bool:
    """Whether so many dates and codes were wrong within the hour that somebody should look."""
    wrong = AccessEvent.objects.filter(kind__in=WRONG, at__gt=now - ADDRESS_WINDOW)
    return wrong.order_by().values("pk")[:WRONG_OF_ALL].count() >= WRONG_OF_ALL


def may_sound_alarm() -> bool:
    """True once an hour, however many tries go on."""
    return limits.allow("link.alarm", "all links", limit=1, within=ADDRESS_WINDOW)


def open_session(
    *,
    invitation: Invitation | LessonShare,
    address: str | None,
    device_token: str,
    on_tablet: bool = False,
) -> Opened:
    """Start a patient session on this device; the device keeps its token so that it is known again.

    invitation: or a share of lessons, whose session opens nothing but them.
    """
    now = timezone.now()
    session_token, device = new_token(), device_token or new_token()
    session = PatientSession.objects.create(
        **_of(invitation),
        token_hash=hash_token(session_token),
        device_hash=hash_token(device),
        started_at=now,
        last_seen_at=now,
        on_tablet=on_tablet,
    )
    if invitation.opened_at is None:
        invitation.opened_at = now
        invitation.save(update_fields=["opened_at"])
    _note(invitation, AccessEvent.Kind.OPENED, address, now)
    return Opened(session, session_token, device)


def find_session(session_token: str) -> PatientSession | None:
    """The live session of a cookie: not ended, not idle for 30 minutes, not older than 4 hours, link live.

    Only one that an invitation opened.
    """
    session = _unended(session_token, "invitation")
    return session if session is not None and seconds_left(session) > 0 else None


def find_shared_session(session_token: str) -> PatientSession | None:
    """The live session of a cookie, as above; only one that a link to shared lessons opened."""
    session = _unended(session_token, "share")
    return session if session is not None and seconds_left(session) > 0 else None


def find_idle(session_token: str, device_token: str) -> PatientSession | None:
    """The session of an invitation that was idle, or open, too long, on the device it began on.

    None for one that somebody ended, whose link is over, or that is live. The clinic's tablet
    is no device that a session began on.
    """
    session = _unended(session_token, "invitation")
    if session is None or seconds_left(session) > 0:
        return None
    return session if bytes(session.device_hash) == hash_token(device_token) else None


def _unended(session_token: str, link: str) -> PatientSession | None:
    """A cookie's session while its link is live, however old."""
    if not session_token:
        return None
    found: list[PatientSession] = _SESSIONS[link].rows([], token=hash_token(session_token))
    return found[0] if found and is_open(found[0].link) else None


def _sessions(link: str) -> QuerySet[PatientSession]:
    """The session with a token that one kind of link opened, with the people of its visit.

    edition: the library's, so that a page that shows something of it need not ask.
    """
    sessions: QuerySet[PatientSession] = PatientSession.objects.select_related(
        f"{link}__evaluation__patient", f"{link}__evaluation__physio"
    )
    return sessions.filter(
        **{f"{link}__isnull": False}, token_hash=Given("token", BinaryField()), ended_at=None
    ).annotate(edition=Subquery(Edition.objects.values("mark")[:1]))


# Asked at every request of a patient.
_SESSIONS: Final = {link: Kept(partial(_sessions, link)) for link in ("invitation", "share")}


def seconds_left(session: PatientSession) -> float:
    """How long a session lasts if nothing more comes of it."""
    end = min(
        session.last_seen_at + _idle(session),
        session.started_at + settings.PATIENT_SESSION_LIMIT,
    )
    return (end - timezone.now()).total_seconds()


def _idle(session: PatientSession) -> timedelta:
    idle: timedelta = settings.TABLET_SESSION_IDLE if session.on_tablet else settings.PATIENT_SESSION_IDLE
    return idle


def touch_session(session: PatientSession) -> None:
    """The patient is still there. Written at most once a minute; on the tablet, every four seconds."""
    now = timezone.now()
    if now - session.last_seen_at >= _idle(session) / 30:
        PatientSession.objects.filter(pk=session.pk).update(last_seen_at=now)
        session.last_seen_at = now


def end_session(session: PatientSession) -> None:
    """Save and leave: the cookie opens nothing any more."""
    PatientSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now())


def is_known_device(invitation: Invitation, device_token: str) -> bool:
    """Whether this device opened an invitation to the same evaluation before."""
    if not device_token:
        return False
    return PatientSession.objects.filter(
        invitation__evaluation=invitation.evaluation_id, device_hash=hash_token(device_token)
    ).exists()


def may_see_earlier(session: PatientSession, evaluation_id: UUID) -> bool:
    """Whether this device may see what the same patient sent for an earlier evaluation (R6).

    It opened that one's invitation too, or a code that went to the patient's mail was typed on it.
    """
    if session.invitation is None:
        return False
    return bool(
        PatientSession.objects.filter(
            invitation__evaluation=evaluation_id, device_hash=session.device_hash
        ).exists()
        or AccessCode.objects.filter(
            invitation__evaluation__patient=session.invitation.evaluation.patient_id,
            device_hash=session.device_hash,
            used_at__isnull=False,
        ).exists()
    )


def rests(invitation: Invitation) -> bool:
    """Whether the link rests now after too many wrong dates or codes; staff see so."""
    return _rests(invitation, timezone.now())


def _rests(link: Invitation | LessonShare, now: datetime) -> bool:
    """Five wrong dates or codes within 15 minutes rest the link for 15 minutes from the fifth."""
    latest = list(
        link.events.filter(kind__in=WRONG, at__gt=now - 2 * REST)
        .order_by("-at")
        .values_list("at", flat=True)[:WRONG_BEFORE_REST]
    )
    if len(latest) < WRONG_BEFORE_REST:
        return False
    return bool(latest[0] - latest[-1] <= REST and now - latest[0] < REST)


def _address_is_tired(address: str | None, now: datetime) -> bool:
    if not address:
        return False
    line = limits.line_of(address)
    wrong = AccessEvent.objects.filter(address__range=line, kind__in=WRONG, at__gt=now - ADDRESS_WINDOW)
    return wrong.count() >= WRONG_PER_ADDRESS


def _has_stored_answers(invitation: Invitation) -> bool:
    return bool(
        Evaluation.objects.filter(
            Q(pk=invitation.evaluation_id) & Q(responses__isnull=False) & ~Q(responses__answers={})
        ).exists()
    )


def _of(link: Invitation | LessonShare) -> dict[str, Invitation | LessonShare]:
    """The column in which a link's sessions and events name it."""
    return {"invitation" if isinstance(link, Invitation) else "share": link}


def _note(link: Invitation | LessonShare, kind: str, address: str | None, now: datetime) -> None:
    AccessEvent.objects.create(**_of(link), kind=kind, at=now, address=address)
    # Of a wrong date that ended the link, the end is what counts.
    access = audit.current()
    if kind != AccessEvent.Kind.OPENED:
        access.note(event=kind)
    access.saw("invitation" if isinstance(link, Invitation) else "lesson-share", [link.pk])
