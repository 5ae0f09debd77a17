"""What a line of the trail says beside who, what and which, in words: `why: not for their role`.

Lines are for ever, so their keys and values are short and never change; what they mean stands here.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from education.clinic_info.models import ClinicInfo
from intake.patients.models import AccessEvent, Erasure, Patient, Reminder
from intake.review.trail_words import CLINICAL, ROLES
from intake.review.who_acted import Staff

# Shown in another way than as a word: an emergency access is a mark on the line.
UNSAID: Final = frozenset({"break_glass"})

# What a key is called; `patient:key` where it is something else in actions that begin so.
KEYS: Final[dict[str, Any]] = {
    "changed": gettext_lazy("changed"),
    "confirmed": gettext_lazy("answers confirmed"),
    "created": gettext_lazy("new"),
    "differs": gettext_lazy("that differ"),
    "event": gettext_lazy("what happened"),
    "factor": gettext_lazy("factor"),
    "factors": gettext_lazy("factors removed"),
    "findings": gettext_lazy("compared"),
    "first": gettext_lazy("from number"),
    "form": gettext_lazy("as"),
    "forms": gettext_lazy("as"),
    "ignored": gettext_lazy("fields of another part"),
    "in_force_on": gettext_lazy("in force from"),
    "invitations": gettext_lazy("links to forms ended"),
    "kind": gettext_lazy("kind"),
    "lines": gettext_lazy("lines"),
    "links": gettext_lazy("links ended"),
    "new": gettext_lazy("version"),
    "number": gettext_lazy("number"),
    "off": gettext_lazy("switched off"),
    "old": gettext_lazy("version before"),
    "outcome": gettext_lazy("outcome"),
    "page": gettext_lazy("part of the form"),
    "privacy_notice": gettext_lazy("privacy notice seen, version"),
    "reason": gettext_lazy("reason"),
    "reviews": gettext_lazy("reviews"),
    "revision": gettext_lazy("revision"),
    "role": gettext_lazy("role"),
    "rows": gettext_lazy("entries"),
    "rule": gettext_lazy("rule"),
    "runs": gettext_lazy("intakes"),
    "shares": gettext_lazy("links to lessons ended"),
    "step": gettext_lazy("at"),
    "updated": gettext_lazy("changed"),
    "url": gettext_lazy("address"),
    "visits": gettext_lazy("visits"),
    "week": gettext_lazy("week of"),
    "weeks": gettext_lazy("weeks"),
    "whole": gettext_lazy("whole"),
    "why": gettext_lazy("why"),
    "wrong": gettext_lazy("lines that are wrong"),
    "access:page": gettext_lazy("page"),
    "intake:changed": gettext_lazy("answers changed"),
    "patient:whole": gettext_lazy("with the record"),
    "reminder:kind": gettext_lazy("when"),
}

# What a value is called, by the same keys. Others are shown as they are.
VALUES: Final[dict[str, dict[str, Any]]] = {
    "event": dict(AccessEvent.Kind.choices),
    "factor": {
        "totp": gettext_lazy("authenticator app"),
        "passkey": gettext_lazy("passkey"),
        "recovery": gettext_lazy("recovery code"),
    },
    "form": {
        "page": gettext_lazy("a page"),
        "pdf": gettext_lazy("a PDF"),
        "text": gettext_lazy("text"),
    },
    "forms": {"pdf": gettext_lazy("a PDF"), "json": gettext_lazy("a file for another clinic")},
    "outcome": {
        "Asked": gettext_lazy("a code was sent"),
        "Found": gettext_lazy("the code was right"),
        "Mismatch": gettext_lazy("wrong date of birth, or the link rests"),
        "NoCode": gettext_lazy("no such code"),
        "NotLive": gettext_lazy("the link is over or unknown"),
        "Opened": gettext_lazy("opened"),
        "OtherDevice": gettext_lazy("another device, and no address for a code"),
        "TooMany": gettext_lazy("too many tries"),
        "WrongCode": gettext_lazy("wrong code"),
    },
    "patient:reason": dict(Erasure.Reason.choices),
    "reminder:kind": dict(Reminder.Kind.choices),
    "role": ROLES,
    "step": {
        "password": gettext_lazy("the password"),
        "factor": gettext_lazy("the second factor"),
    },
    "why": {
        "role": gettext_lazy("not for their role"),
        "not there": gettext_lazy("there is no such page or record"),
    },
}

# Pages of the staff that may be refused, by the beginning of their name.
PAGES: Final[dict[str, Any]] = {
    "account": gettext_lazy("their own account"),
    "app_list": gettext_lazy("lists of the staff site"),
    "autocomplete": gettext_lazy("suggestions while typing"),
    "education_issue": gettext_lazy("issues of the newsletter"),
    "education_subscriber": gettext_lazy("readers of the newsletter"),
    "emergency": gettext_lazy("emergency access"),
    "figures": gettext_lazy("the clinic’s figures"),
    "index": gettext_lazy("the staff site"),
    "intake_evaluation": gettext_lazy("a visit"),
    "intake_evaluation_add": gettext_lazy("a new visit"),
    "intake_evaluation_briefs": gettext_lazy("the briefs of a day"),
    "intake_evaluation_changelist": gettext_lazy("the worklist"),
    "intake_evaluation_lessons": gettext_lazy("lessons for a visit"),
    "intake_evaluation_tablet": gettext_lazy("the clinic’s tablet"),
    "intake_evaluationrequest": gettext_lazy("who needs an appointment"),
    "intake_patient": gettext_lazy("patients"),
    "intake_questionnaire": gettext_lazy("questionnaires"),
    "intake_questionnaireresponse": gettext_lazy("an intake"),
    "intake_questionnaireresponse_brief": gettext_lazy("a brief"),
    "intake_questionnaireresponse_lessons": gettext_lazy("lessons for a patient"),
    "intake_questionnaireresponse_outcome": gettext_lazy("after an evaluation"),
    "intake_questionnaireresponse_review": gettext_lazy("a review"),
    "intake_rule": gettext_lazy("rules"),
    "join": gettext_lazy("an invitation of staff"),
    "jsi18n": gettext_lazy("words for scripts"),
    "links": gettext_lazy("patients’ links"),
    "login": gettext_lazy("signing in"),
    "logout": gettext_lazy("signing out"),
    "password_change": gettext_lazy("a new password"),
    "people": gettext_lazy("people of the staff"),
    "privacy": gettext_lazy("copies and erasure"),
    "prove": gettext_lazy("a fresh factor"),
    "trail": gettext_lazy("who looked"),
    "trail_week": gettext_lazy("the week’s review of the trail"),
    "urgent": gettext_lazy("what is urgent"),
}

# Whose fields the names of changed fields are, by the beginning of the action.
FIELDS_OF: Final[dict[str, type[Model]]] = {
    "clinic": ClinicInfo,
    "patient": Patient,
    "staff": get_user_model(),
}
# Actions whose `old` and `new` are accounts.
OF_ACCOUNTS: Final = frozenset({"work.handed-over"})
# Actions whose `old` and `new` are roles.
OF_ROLES: Final = frozenset({"staff.role-changed"})


def told(action: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """What a line says beside who, what and which, without anything about somebody's health."""
    hidden = CLINICAL.get(action, frozenset())
    return {name: value for name, value in detail.items() if name not in hidden}


def in_words(action: str, detail: Mapping[str, Any], staff: Staff) -> str:
    """`outcome: wrong code; part of the form: life`; of a change `physio → owner`. staff: who is in it."""
    shown = {name: value for name, value in told(action, detail).items() if name not in UNSAID}
    if shown.get("changed") is True:
        # The action says so.
        del shown["changed"]
    if not shown.get("page", True):
        # An address that is no page, which the reason says.
        del shown["page"]
    if "event" in shown:
        # It says how the try ended, too.
        shown.pop("outcome", None)
    pieces: list[str] = []
    if {"old", "new"} <= shown.keys():
        pieces += _change(action, shown.pop("old"), shown.pop("new"), staff)
    for name, value in shown.items():
        words = _value(action, name, value)
        pieces.append(words if _is_changes(value) else f"{key_words(action, name)}: {words}")
    return "; ".join(pieces)


def _is_changes(value: Any) -> bool:
    """Whether it is `{field: {"old", "new"}}`, which says by itself that something changed."""
    return isinstance(value, Mapping) and all(
        isinstance(one, Mapping) and one.keys() == {"old", "new"} for one in value.values()
    )


def key_words(action: str, name: str) -> str:
    """What a key is called; one that no table knows is called by its own name."""
    return str(_of(KEYS, action, name) or name.replace("_", " ").replace("-", " "))


def _of(table: Mapping[str, Any], action: str, name: str) -> Any:
    """The row of a key: the one for the beginning of the action, or the one for all."""
    return table.get(f"{action.partition('.')[0]}:{name}") or table.get(name)


def page_words(name: str) -> str:
    """A page of the staff by the longest beginning of its name that is known."""
    pieces = name.split("_")
    for end in range(len(pieces), 0, -1):
        found = PAGES.get("_".join(pieces[:end]))
        if found is not None:
            return str(found)
    return name


def _change(action: str, old: Any, new: Any, staff: Staff) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in (name for name in new if old.get(name) != new[name]):
            yield f"{_field(action, name)}: {_arrow(old.get(name), new[name])}"
    elif action in OF_ACCOUNTS:
        yield _arrow(staff.name(str(old)), staff.name(str(new)))
    elif action in OF_ROLES:
        yield _arrow(_value(action, "role", old), _value(action, "role", new))
    elif old in (None, ""):
        yield f"{key_words(action, 'new')}: {new}"
    else:
        yield f"{key_words(action, 'new')}: {_arrow(old, new)}"


def _arrow(old: Any, new: Any) -> str:
    return f"{_plain(old)} → {_plain(new)}"


def _value(action: str, name: str, value: Any) -> str:
    if name == "page":
        of_staff = action == "access.refused"
        return page_words(str(value)) if of_staff else str(value).removeprefix("page.")
    if isinstance(value, str) and name in ("week", "in_force_on"):
        return _day(value)
    words = _of(VALUES, action, name) or {}
    if isinstance(value, Mapping):
        pairs = _is_changes(value)
        return "; ".join(
            f"{_field(action, one)}: {_arrow(it['old'], it['new']) if pairs else _plain(it)}"
            for one, it in value.items()
        )
    if isinstance(value, list):
        return ", ".join(
            str(words.get(str(one), one)) if words else _field(action, str(one)) for one in value
        )
    return str(words[value]) if isinstance(value, str) and value in words else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value in (None, "", [], {}) else str(value)


def _day(text: str) -> str:
    try:
        return date_format(date.fromisoformat(text), "M j, Y")
    except ValueError:
        return text


def _field(action: str, name: str) -> str:
    model = FIELDS_OF.get(action.partition(".")[0])
    try:
        return str(getattr(model._meta.get_field(name), "verbose_name", name)) if model is not None else name
    except FieldDoesNotExist:
        return name
