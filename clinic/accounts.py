"""Who is signed in, and what they may do, in one question a request."""

import time
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib import auth
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import Group, Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.backends import db
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Concat
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from clinic.models import Session
from clinic.roles import permissions_of
from intake.kept import Given, Kept

# In the session: when its sign-in was, in seconds.
BEGAN_AT: Final = "began_at"
# What counts as a second factor; recovery codes only stand in for one.
FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What `with_rights` adds to a row.
RIGHTS: Final = ("roles", "by_name", "is_enrolled", "opened_key", "opened_until")


def with_rights(rows: QuerySet[Any, Any], account: str = "") -> Any:
    """The rows with what an account may do: its roles by name, and permissions of its own, as
    `app_label.codename`.

    account: where the rows are not accounts themselves, the field that leads to one. is_enrolled: it has a
    second factor. And with the emergency access that it has opened and not ended (`clinic.people.emergency`).
    """
    key = OuterRef(account or "pk")
    name = Concat("content_type__app_label", Value("."), "codename", output_field=CharField())
    emergencies = f"{account}__emergencies" if account else "emergencies"
    return rows.annotate(
        roles=ArraySubquery(Group.objects.filter(user=key).order_by().values_list("name")),
        by_name=ArraySubquery(Permission.objects.filter(user=key).order_by().values_list(name)),
        is_enrolled=Exists(Authenticator.objects.filter(user=key, type__in=FACTORS)),
        opened=FilteredRelation(emergencies, condition=Q(**{f"{emergencies}__ended_at": None})),
        opened_key=F("opened__pk"),
        opened_until=F("opened__ends_at"),
    )


_ACCOUNT: Final = Kept(
    lambda: with_rights(get_user_model()._default_manager.filter(pk=Given("key", BigIntegerField())))
)
_SESSION: Final = Kept(
    lambda: with_rights(
        Session.objects.filter(
            session_key=Given("key", CharField(max_length=40)),
            expire_date__gt=Given("now", DateTimeField()),
        ).select_related("account"),
        "account",
    )
)


class AccountBackend(ModelBackend):
    """Django's accounts. Whoever is signed in comes with all permissions, read anew for every request.

    What a role may do is code (`clinic.roles`), so only which roles somebody has is asked.
    """

    def get_user(self, user_id: Any) -> Any:
        user = _at_hand(user_id) or next(iter(_ACCOUNT.rows((), key=user_id)), None)
        if user is None or not self.user_can_authenticate(user):
            return None
        # A superuser has those too that nobody gave.
        if not user.is_superuser:
            user._perm_cache = {*user.by_name, *chain.from_iterable(map(permissions_of, user.roles))}
        user.emergency, user.emergency_ends_at = user.opened_key, user.opened_until
        return user


class SessionStore(db.SessionStore):
    """Django's sessions in the database, which know when they end for want of use, and when they began."""

    # When the stored session ends unless somebody does something.
    ends_at: datetime | None = None
    # Whose it was when it was read, with their rights.
    account: Any = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        found = _SESSION.rows((), key=self.session_key, now=timezone.now())
        if not found:
            self._session_key = None
            return None
        row = found[0]
        self.ends_at, self.account = row.expire_date, row.account
        if row.account is not None:
            for name in RIGHTS:
                setattr(row.account, name, getattr(row, name))
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        session: Any = super().create_model_instance(data)
        session.account_id = data.get(SESSION_KEY)
        return session

    def save(self, must_create: bool = False) -> None:
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # untyped
        if SESSION_KEY in data:
            data.setdefault(BEGAN_AT, time.time())
        super().save(must_create)


# The session that somebody is being looked up for, no longer than that takes.
_looking: ContextVar[Any] = ContextVar("session", default=None)


def _at_hand(user_id: Any) -> Any:
    """The account that came with the session, if that is the one that is looked for."""
    account = getattr(_looking.get(), "account", None)
    return account if account is not None and account.pk == user_id else None


def signed_in(request: HttpRequest) -> Any:
    """As Django finds who is signed in, without another question for what came with the session."""
    token = _looking.set(request.session)
    try:
        return auth.get_user(request)
    finally:
        _looking.reset(token)


class AccountMiddleware(AuthenticationMiddleware):
    """`request.user`, looked for when a page first asks."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        user: Any = SimpleLazyObject(partial(signed_in, request))
        request.user = user
