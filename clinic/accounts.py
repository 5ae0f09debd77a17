"""Who is signed in, and what they may do, in one question a request each."""

import time
from datetime import datetime
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
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
from django.utils import timezone

from intake.kept import Given, Kept

# In the session: when its sign-in was, in seconds.
BEGAN_AT: Final = "began_at"
# What counts as a second factor; recovery codes only stand in for one.
FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def _account() -> QuerySet[Any, Any]:
    """One account with the permissions of its roles and its own, as `app_label.codename`.

    is_enrolled: it has a second factor. And with the emergency access that it has opened and not ended
    (`clinic.people.emergency`).
    """

    def names(**whose: OuterRef) -> ArraySubquery:
        name = Concat("content_type__app_label", Value("."), "codename", output_field=CharField())
        return ArraySubquery(Permission.objects.filter(**whose).order_by().values_list(name))

    return (
        get_user_model()
        ._default_manager.filter(pk=Given("key", BigIntegerField()))
        .annotate(
            by_role=names(group__user=OuterRef("pk")),
            by_name=names(user=OuterRef("pk")),
            is_enrolled=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)),
            opened=FilteredRelation("emergencies", condition=Q(emergencies__ended_at=None)),
            opened_key=F("opened__pk"),
            opened_until=F("opened__ends_at"),
        )
    )


_ACCOUNT: Final = Kept(_account)
_SESSION: Final = Kept(
    lambda: Session.objects.filter(
        session_key=Given("key", CharField(max_length=40)),
        expire_date__gt=Given("now", DateTimeField()),
    )
)


class AccountBackend(ModelBackend):
    """Django's accounts. Whoever is signed in comes with all permissions, read anew for every request."""

    def get_user(self, user_id: Any) -> Any:
        for user in _ACCOUNT.rows((), key=user_id):
            if self.user_can_authenticate(user):
                # A superuser has those too that nobody gave.
                if not user.is_superuser:
                    user._perm_cache = {*user.by_role, *user.by_name}
                user.emergency, user.emergency_ends_at = user.opened_key, user.opened_until
                return user
        return None


class SessionStore(db.SessionStore):
    """Django's sessions in the database, which know when they end for want of use, and when they began."""

    # When the stored session ends unless somebody does something.
    ends_at: datetime | None = None

    def _get_session_from_db(self) -> Any:
        found = _SESSION.rows((), key=self.session_key, now=timezone.now())
        if found:
            self.ends_at = found[0].expire_date
            return found[0]
        self._session_key = None
        return None

    def save(self, must_create: bool = False) -> None:
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # untyped
        if SESSION_KEY in data:
            data.setdefault(BEGAN_AT, time.time())
        super().save(must_create)
