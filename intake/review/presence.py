"""Who else has an intake open: read from the audit trail, where every look already is. Nothing is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.aggregates import BoolAnd
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, CharField, DateTimeField, Exists, F, Max, OuterRef, Q, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from intake.audit import AuditEvent
from intake.kept import Given
from intake.review.decide import full_name

# A review takes minutes; whoever looked longer ago has most likely gone on.
RECENT: Final = timedelta(minutes=10)
LOOKS: Final = ("review.read", "review.written")


@dataclass(frozen=True, slots=True)
class Other:
    """A colleague who had the page open lately; at: the last time. reads: by an emergency access alone."""

    name: str
    at: datetime
    reads: bool = False


def _colleagues() -> ArraySubquery:
    who = get_user_model()._default_manager.filter(pk=Cast(OuterRef("actor_id"), BigIntegerField()))
    return ArraySubquery(
        AuditEvent.objects.filter(
            at__gt=Given("recently", DateTimeField()), actor_kind="staff", action__in=LOOKS
        )
        .exclude(actor_id=Given("reader", CharField(max_length=64)))
        .annotate(opened=KT("objects_seen__response__0"))
        # Whoever was removed a minute ago reviews nothing any more.
        .filter(Exists(who.filter(is_active=True)), opened=Cast(OuterRef("pk"), CharField()))
        .values("actor_id")
        .annotate(last_look=Max("at"), reads=BoolAnd(Q(detail__has_key="break_glass")))
        .order_by("-last_look")
        .values(
            json=JSONObject(
                first=Subquery(who.values("first_name")),
                last=Subquery(who.values("last_name")),
                at=F("last_look"),
                reads=F("reads"),
            )
        )
    )


# For a kept queryset of intakes, with the values of `but_not`: who opened each lately, as `{"first", "last",
# "at", "reads"}`. It reads the last minutes of the trail by its index on time, however long the trail is.
COLLEAGUES: Final = _colleagues()


def but_not(user: AbstractBaseUser) -> dict[str, Any]:
    """Everybody but this user, as of now."""
    return {"reader": str(user.pk), "recently": timezone.now() - RECENT}


def read(rows: Iterable[dict[str, Any]]) -> tuple[Other, ...]:
    """What `COLLEAGUES` brought, latest first."""
    return tuple(
        Other(full_name(row["first"], row["last"]), datetime.fromisoformat(row["at"]), row["reads"])
        for row in rows
    )
