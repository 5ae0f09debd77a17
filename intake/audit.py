"""Who read or wrote what about a patient, and the guard that refuses SQL on patient tables outside of it.

Every touch of a patient table happens inside `audited(...)` (one row in the trail, in the same transaction,
before anything leaves) or inside `covered()` (a patient at work in the session whose opening wrote the row).
The guard sits on every connection of every process (`clinic.apps`) and refuses everything else.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import pgtrigger
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class UnauditedAccess(RuntimeError):
    """SQL on a patient table outside `audited(...)` or `covered()`. Names the table, never a value."""


class PatientData(models.Model):
    """A table about patients: behind the guard, and scoped by `visible_to(user)` where staff reach it."""

    class Meta:
        abstract = True


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: kind is `staff`, `patient`, `system` or `anonymous`; id is a user, a session or a process.

    break_glass: the key of the emergency access by which somebody reads who may not otherwise.
    """

    kind: str
    id: str = ""
    user: AbstractBaseUser | None = field(default=None, compare=False, repr=False)
    break_glass: int | None = None


ANONYMOUS: Final = Actor("anonymous")


def staff(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """The signed-in member of staff. Raises `ValueError` for anybody else."""
    if not isinstance(user, AbstractBaseUser) or user.pk is None:
        raise ValueError("a member of staff has to be signed in")
    return Actor("staff", str(user.pk), user, getattr(user, "break_glass", None))


def patient(invitation_id: UUID) -> Actor:
    """The patient behind an invitation; known by the invitation, never by name."""
    return Actor("patient", str(invitation_id))


def system(name: str) -> Actor:
    """A job or a command, by its name."""
    return Actor("system", name)


SEES_TRAIL: Final = "intake.see_trail"


class TrailKeys(models.Func):
    """The records of a line as `kind:id`, with `by:id` for the link that a patient came by (ADR 0043)."""

    function = "intake_trail_keys"
    output_field = ArrayField(models.TextField())

    def __init__(self) -> None:
        super().__init__("actor_kind", "actor_id", "objects_seen")

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "intake.audit.TrailKeys", [], {}


class TrailIds(models.Func):
    """The ids of a line's records, whatever their kind: an index of them costs a line little.

    Two kinds may have the same number, so whoever finds lines by it asks for their keys as well.
    """

    function = "jsonb_path_query_array"
    template = "%(function)s(%(expressions)s, '$.*[*]')"
    output_field = models.JSONField()

    def __init__(self) -> None:
        super().__init__("objects_seen")

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "intake.audit.TrailIds", [], {}


class AuditEvent(models.Model):
    """One line of the trail. The app role may insert and read, never change or remove.

    `objects` is `{"evaluation": ["<id>", ...], ...}`: ids only. `detail` holds no health information.
    """

    at = models.DateTimeField(_("at"), db_default=Now())
    actor_kind = models.CharField(_("who"), max_length=12)
    actor_id = models.CharField(_("id of who"), max_length=64, blank=True)
    action = models.CharField(_("action"), max_length=60)
    objects_seen = models.JSONField(_("records"), default=dict)
    detail = models.JSONField(_("detail"), default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        permissions = [("see_trail", "Can see who looked at what")]
        indexes = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(
                fields=["actor_id", "at"], condition=models.Q(actor_kind="staff"), name="audit_staff"
            ),
            models.Index(fields=["action", "at"], name="audit_action"),
            models.Index(
                fields=["actor_id", "at"], condition=models.Q(actor_kind="patient"), name="audit_patient"
            ),
            GinIndex(TrailIds(), name="audit_ids"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_kind} {self.action}"


@dataclass(slots=True)
class Access:
    """What the open context touched; `saw` adds ids, `note` adds a detail without health information.

    recorded: whether it gets a row; False where what was asked for was refused and nothing was stored.
    told: a context inside it has written a row of its own.
    """

    action: str
    by: Actor
    seen: dict[str, list[str]] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    recorded: bool = True
    told: bool = False

    def saw(self, kind: str, ids: Iterable[object]) -> None:
        known = self.seen.setdefault(kind, [])
        known.extend(text for text in map(str, ids) if text not in known)

    def note(self, **detail: Any) -> None:
        self.detail.update(detail)


_open: ContextVar[Access | None] = ContextVar("audit_access", default=None)
_tables: re.Pattern[str] | None = None


def find_patient_tables() -> None:
    """Learn the guarded tables from the models; called once the apps are ready."""
    global _tables
    names = sorted(
        (model._meta.db_table for model in apps.get_models() if issubclass(model, PatientData)),
        key=len,
        reverse=True,
    )
    pattern = r"\b(?:" + "|".join(map(re.escape, names)) + r")\b"
    # SQL does not care about capitals outside of quotes.
    _tables = re.compile(pattern, re.IGNORECASE) if names else None
    _patient_table.cache_clear()


def guard(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """An execute wrapper: refuses a statement on a patient table while no context is open."""
    if _open.get() is None:
        table = _patient_table(sql if isinstance(sql, str) else sql.as_string(context["cursor"].connection))
        if table:
            raise UnauditedAccess(
                f"{table} was touched outside an audited context; open intake.audit.audited(...)"
            )
    return execute(sql, params, many, context)


@lru_cache(maxsize=512)
def _patient_table(sql: str) -> str:
    """The first patient table that a statement names, if one; the same statements come all day."""
    found = _tables.search(sql) if _tables is not None else None
    return found.group() if found else ""


# By hand: it is written with every page of the desk.
_LINE: Final = """INSERT INTO "intake_auditevent" (actor_kind, actor_id, action, objects_seen, detail)
VALUES (%s, %s, %s, %s::jsonb, %s::jsonb)"""


def _write(access: Access) -> None:
    by = access.by
    line = [by.kind, by.id, access.action, json.dumps(access.seen), json.dumps(access.detail)]
    with prepared() as cursor:
        cursor.execute(_LINE, line)


def prepared() -> Any:
    """A cursor, behind the guard like all others, whose statement the database prepares: its text has to be
    the same every time. Where statements are logged it is one that shows them.
    """
    wrapper: Any = connection
    if wrapper.queries_logged:
        return wrapper.cursor()
    cursor: Any = ServerBindingCursor
    wrapper.ensure_connection()
    return wrapper._prepare_cursor(cursor(wrapper.connection))


@contextmanager
def audited(
    action: str,
    *,
    by: Actor,
    objects: dict[str, Iterable[object]] | None = None,
    savepoint: bool = True,
    unless_told: bool = False,
    **detail: Any,
) -> Iterator[Access]:
    """One transaction and one row of the trail, written before the transaction ends.

    action: dotted, such as `worklist.read`. objects: kind -> ids known at the start; add more with `saw`.
    If the row cannot be written the transaction fails, so nothing leaves and nothing is stored. savepoint:
    False where whoever opened the transaction around it asks nothing more after an error. unless_told: no row
    where what was done inside has written its own.
    """
    access = Access(action, by, detail=dict(detail))
    if by.break_glass is not None:
        access.note(break_glass=by.break_glass)
    for kind, ids in (objects or {}).items():
        access.saw(kind, ids)
    token = _open.set(access)
    try:
        with transaction.atomic(savepoint=savepoint):
            yield access
            if access.recorded and not (unless_told and access.told):
                _write(access)
        if access.recorded and isinstance(token.old_value, Access):
            token.old_value.told = True
    finally:
        _open.reset(token)


@contextmanager
def covered() -> Iterator[Access]:
    """A patient at work in her own session: the row written when the session opened covers it.

    One transaction, no row of its own. What the patient changes goes through `journey`, which writes rows.
    """
    access = Access("covered", ANONYMOUS, recorded=False)
    token = _open.set(access)
    try:
        with transaction.atomic():
            yield access
    finally:
        _open.reset(token)


def current() -> Access:
    """The open context, for code that learns what it touches far from where it was opened.

    Raises `UnauditedAccess` outside of one.
    """
    access = _open.get()
    if access is None:
        raise UnauditedAccess("no audited context is open; open intake.audit.audited(...)")
    return access


def is_open() -> bool:
    """Whether an audited context is open here."""
    return _open.get() is not None
