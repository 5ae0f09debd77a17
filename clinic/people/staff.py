"""Who works here: from the invitation to the day somebody leaves. Accounts are never deleted.

Every function here is one transaction with one row in the audit trail, takes keywords only, names who acts.
Whoever changes who may do what waits for others who do (`_alone`), and is looked at anew then: of two owners
who take each other's role at once, one stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from clinic import roles
from clinic.accounts import FACTORS
from clinic.door import factors, throttle
from clinic.models import LINK_OF_STAFF, StaffInvitation, User
from education.clinic_info.models import ClinicInfo
from intake import audit, journey
from intake.patients.links import hash_token, new_token
from intake.review.decide import NotAllowed
from intake.review.handing_over import OpenWork

# The name of the job in `clinic.tasks`, which stands above this module and calls it.
SEND_STAFF_INVITATION: Final = "send_staff_invitation"
# What reviews need: whoever holds it can take over from somebody who leaves.
REVIEWERS: Final = (roles.PHYSIO.name,)


class NotLive(Exception):
    """The link is unknown, used, over or taken back: which one, nobody is told."""


@dataclass(frozen=True, slots=True)
class Person:
    """One member of staff as the list shows them. role: empty for none. factor: a second one is set up."""

    user: User
    role: str
    factor: bool

    @property
    def other_address(self) -> str:
        """The e-mail address, where it is not the name to sign in with."""
        same = User.normalize_username(self.user.email) == self.user.get_username()
        return "" if same else self.user.email


# ---- reading


def people() -> list[Person]:
    """All accounts: those who work here first, by name."""
    has_factor = Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS))
    found = User.objects.annotate(has_factor=has_factor).prefetch_related("groups")
    return [
        Person(user, role_of(user), user.has_factor)
        for user in found.order_by("-is_active", "last_name", "first_name", "pk")
    ]


def role_of(user: User) -> str:
    """The name of the role, or empty."""
    return next((group.name for group in user.groups.all() if group.name in roles.NAMES), "")


def is_last_owner(user: User) -> bool:
    """Whether the clinic would have no owner without this one, who stays for that."""
    return role_of(user) == roles.OWNER.name and not _owners().exclude(pk=user.pk).exists()


def pending() -> list[StaffInvitation]:
    """Invitations that wait for an answer, also those whose time is over."""
    return list(StaffInvitation.objects.filter(accepted_at=None, revoked_at=None))


def successors(user: User) -> list[User]:
    """Who can take over from this physio."""
    others = User.objects.filter(is_active=True, groups__name__in=REVIEWERS).exclude(pk=user.pk)
    return list(others.order_by("last_name", "first_name", "pk"))


def find_live(token: str, *, lock: bool = False) -> StaffInvitation | None:
    """The invitation that this link still opens."""
    rows = StaffInvitation.objects.filter(
        token_hash=hash_token(token), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return (rows.select_for_update() if lock else rows).first()


def is_taken(email: str) -> bool:
    """Whether somebody has this address, whatever its capitals, as an address or to sign in with."""
    known = User.objects.filter(email__iexact=email) | User.objects.filter(username__iexact=email)
    return known.exists()


# ---- invitations


def invite(*, email: str, role: str, by: audit.Actor) -> StaffInvitation:
    """Ask somebody to work here; the mail with the link is queued. Raises `NotAllowed` naming the field."""
    with audit.audited("staff.invited", by=by, role=role) as access, _alone(by):
        return _invite(email, role, access)


def invite_first_owner(*, email: str) -> StaffInvitation:
    """Ask a clinic's first owner, who invites everybody else. Raises `NotAllowed` where there is one."""
    owner = roles.OWNER.name
    with audit.audited("staff.invited", by=audit.system("invite_owner"), role=owner) as access:
        _wait()
        if _owners().exists():
            raise NotAllowed(_("There is an owner already. Owners invite others at /staff/people/."))
        for waiting in StaffInvitation.objects.filter(role=owner, accepted_at=None, revoked_at=None):
            waiting.revoked_at = timezone.now()
            waiting.save(update_fields=["revoked_at"])
        return _invite(email, owner, access)


def _invite(email: str, role: str, access: audit.Access) -> StaffInvitation:
    if is_taken(email):
        raise NotAllowed(_("Somebody with this e-mail address works here already."), "email")
    if StaffInvitation.objects.filter(email__iexact=email, accepted_at=None, revoked_at=None).exists():
        raise NotAllowed(_("This address is invited already. Send that invitation again."), "email")
    now = timezone.now()
    invitation: StaffInvitation = StaffInvitation.objects.create(
        email=email,
        role=role,
        created_at=now,
        created_by_id=access.by.user.pk if access.by.user else None,
        expires_at=now + LINK_OF_STAFF,
    )
    access.saw("staff-invitation", [invitation.pk])
    app.configure_task(SEND_STAFF_INVITATION).defer(invitation_id=str(invitation.pk))
    return invitation


def invite_again(*, invitation_id: UUID, by: audit.Actor) -> StaffInvitation:
    """A new link with its whole time; the one before opens nothing from now on. Raises `NotLive`."""
    with (
        audit.audited("staff.invited-again", by=by, objects={"staff-invitation": [invitation_id]}),
        _alone(by),
    ):
        invitation = _waiting(invitation_id)
        invitation.token_hash = invitation.sent_at = None
        invitation.expires_at = timezone.now() + LINK_OF_STAFF
        invitation.save(update_fields=["token_hash", "sent_at", "expires_at"])
        app.configure_task(SEND_STAFF_INVITATION).defer(invitation_id=str(invitation.pk))
    return invitation


def take_back(*, invitation_id: UUID, by: audit.Actor) -> StaffInvitation:
    """The link opens nothing any more. Raises `NotLive`."""
    with (
        audit.audited("staff.invitation-taken-back", by=by, objects={"staff-invitation": [invitation_id]}),
        _alone(by),
    ):
        invitation = _waiting(invitation_id)
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
    return invitation


def _waiting(invitation_id: UUID) -> StaffInvitation:
    waiting = StaffInvitation.objects.filter(pk=invitation_id, accepted_at=None, revoked_at=None)
    invitation = waiting.select_for_update().first()
    if invitation is None:
        raise NotLive
    return invitation


def deliver_invitation(*, invitation_id: UUID) -> bool:
    """The job: make the link, mail it, note that it was sent. False when it waits for nobody any more.

    Run twice it sends a second mail whose link replaces the first.
    """
    by = audit.system(SEND_STAFF_INVITATION)
    token = new_token()
    try:
        with audit.audited("staff.invitation-link", by=by, objects={"staff-invitation": [invitation_id]}):
            invitation = _waiting(invitation_id)
            invitation.token_hash = hash_token(token)
            invitation.save(update_fields=["token_hash"])
    except NotLive:
        return False
    context = {
        "link": settings.SITE_URL + reverse("join", args=[token]),
        "clinic": ClinicInfo.current(),
        "hours": int(LINK_OF_STAFF.total_seconds()) // 3600,
    }
    EmailMessage(
        subject=_("You are invited to work with us"),
        body=render_to_string("email/staff_invitation.txt", context),
        to=[invitation.email],
    ).send()
    StaffInvitation.objects.filter(pk=invitation_id).update(sent_at=timezone.now())
    return True


def join(*, token: str, first_name: str, last_name: str, password: str) -> User:
    """Make the account behind the link; nobody is signed in by it. Raises `NotLive`."""
    with audit.audited("staff.joined", by=audit.ANONYMOUS) as access:
        invitation = find_live(token, lock=True)
        if invitation is None or is_taken(invitation.email):
            raise NotLive
        user = User(
            username=User.normalize_username(invitation.email),
            email=invitation.email,
            first_name=first_name,
            last_name=last_name,
            is_staff=True,
        )
        user.set_password(password)
        user.save(force_insert=True)
        user.groups.set([Group.objects.get(name=invitation.role)])
        invitation.user, invitation.accepted_at = user, timezone.now()
        invitation.save(update_fields=["user", "accepted_at"])
        access.saw("staff", [user.pk])
        access.saw("staff-invitation", [invitation.pk])
        access.note(role=invitation.role)
    return user


# ---- changes


def rename(*, user: User, first_name: str, last_name: str, title: str, by: audit.Actor) -> bool:
    """Another name or title. False when all stays as it is."""
    old = {"first_name": user.first_name, "last_name": user.last_name, "title": user.title}
    new = {"first_name": first_name, "last_name": last_name, "title": title}
    if old == new:
        return False
    with audit.audited("staff.renamed", by=by, objects={"staff": [user.pk]}, old=old, new=new), _alone(by):
        User.objects.filter(pk=user.pk).update(**new)
    return True


def change_role(*, user: User, role: str, by: audit.Actor) -> bool:
    """Another role, from the next request on. False when it is the one held.

    Raises `NotAllowed`: nobody changes their own, an owner has to be left, no physio leaves work behind.
    """
    if role_of(user) == role:
        return False
    with audit.audited("staff.role-changed", by=by, objects={"staff": [user.pk]}) as access, _alone(by):
        old = role_of(user)
        if user.pk == _user(by).pk:
            raise NotAllowed(_("Nobody changes their own role. Ask another owner."), "role")
        _check_owner_left(besides=user)
        if old in REVIEWERS and role not in REVIEWERS and journey.count_open_work(physio=user, by=by):
            raise NotAllowed(_("Reviews or visits wait for them as a physio. Hand those over first."), "role")
        access.note(old=old, new=role)
        # Rights that somebody was given beside a role would outlive it.
        user.user_permissions.clear()
        user.groups.set([Group.objects.get(name=role)])
    return True


def hand_over(*, user: User, to: User, by: audit.Actor, mail: bool) -> OpenWork:
    """Somebody who stays gives open reviews and visits to come to another physio. Raises `NotAllowed`."""
    with audit.audited("work.asked-over", by=by, unless_told=True), _alone(by):
        if to not in successors(user):
            raise NotAllowed(_("Choose who takes over."), "to")
        return journey.hand_over_work(physio=user, to=to, by=by, mail=mail)


def deactivate(
    *, user: User, to: User | None, by: audit.Actor, mail: bool = True, leave: bool = False
) -> OpenWork:
    """Somebody leaves: the account stays, signs nobody in, and every session of it ends.

    to: who takes over open reviews and visits to come. leave: nobody does for now. Raises `NotAllowed` where
    there is such work and neither is said, where the other one has no time then, and for the last owner.
    """
    with audit.audited("staff.deactivated", by=by, objects={"staff": [user.pk]}) as access, _alone(by):
        user.refresh_from_db(fields=["is_active"])
        if not user.is_active:
            raise NotAllowed(_("This account is out of use already."))
        _check_owner_left(besides=user)
        work = journey.count_open_work(physio=user, by=by)
        if work and to is not None:
            if to not in successors(user):
                raise NotAllowed(_("Choose who takes over."), "to")
            work = journey.hand_over_work(physio=user, to=to, by=by, mail=mail)
        elif work and not leave:
            raise NotAllowed(_("Choose who takes over."), "to")
        access.note(role=role_of(user))
        user.is_active = False
        user.save(update_fields=["is_active"])
        factors.end_sessions(user)
    return work


def reactivate(*, user: User, by: audit.Actor) -> None:
    """Somebody comes back, with the role and the password they had. Raises `NotAllowed`."""
    with audit.audited("staff.reactivated", by=by, objects={"staff": [user.pk]}) as access, _alone(by):
        user.refresh_from_db(fields=["is_active"])
        if user.is_active:
            raise NotAllowed(_("This account is in use already."))
        access.note(role=role_of(user))
        user.is_active = True
        user.save(update_fields=["is_active"])


def reset_factor(*, user: User, by: audit.Actor) -> int:
    """Forget somebody's second factors, recovery codes too, and end their sessions; the next sign-in asks for
    a new one, and waits for nothing. Returns how many were forgotten.

    Raises `NotAllowed` for one's own: whoever sits at an open session could so come in for good.
    """
    with audit.audited("staff.factor-reset", by=by, objects={"staff": [user.pk]}) as access, _alone(by):
        if user.pk == _user(by).pk:
            raise NotAllowed(_("Nobody resets their own second factor. Ask another owner."))
        gone = factors.remove_all(user)
        access.note(factors=gone)
        # The wrong codes were of factors that are gone.
        throttle.forget(throttle.SECOND, str(user.pk))
        factors.end_sessions(user)
    return gone


def _user(by: audit.Actor) -> Any:
    return journey.user_of(by)


@contextmanager
def _alone(by: audit.Actor) -> Iterator[None]:
    """One change of who may do what at a time, by somebody who may make it now. Raises `NotAllowed`."""
    _wait()
    if not User.objects.get(pk=_user(by).pk).has_perm(roles.CHANGES_PEOPLE):
        raise NotAllowed(_("You may no longer do this."))
    yield


def _wait() -> None:
    """Until nobody else changes who may do what; they wait for us from here on."""
    Group.objects.select_for_update(no_key=True).get(name=roles.OWNER.name)


def _owners() -> QuerySet[User]:
    return User.objects.filter(is_active=True, groups__name=roles.OWNER.name)


def _check_owner_left(*, besides: User) -> None:
    if is_last_owner(besides):
        raise NotAllowed(_("This is the last owner. Make somebody else an owner first."), "role")
