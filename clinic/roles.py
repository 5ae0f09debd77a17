"""The roles as code: who may do what. `manage.py sync_roles` writes them to the database."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from clinic import editor


@dataclass(frozen=True, slots=True)
class Role:
    """A role, what it is for, and its permissions as `app_label.codename`."""

    name: str
    description: str
    permissions: tuple[str, ...]


_ADD_PATIENTS: Final = (
    "intake.view_patient",
    "intake.add_patient",
    "intake.change_patient",
    "intake.view_evaluation",
    "intake.add_evaluation",
    "intake.change_evaluation",
    "intake.view_evaluationrequest",
    "intake.change_evaluationrequest",
    "intake.view_invitation",
    "intake.send_invitation",
    "intake.see_worklist",
)

# Keeping accounts, and breaking the glass.
SEES_PEOPLE: Final = "clinic.view_user"
INVITES: Final = "clinic.add_user"
CHANGES_PEOPLE: Final = "clinic.change_user"
BREAKS_GLASS: Final = "clinic.open_emergency"

_SEE_LIBRARY: Final = (
    editor.ENTER,
    "education.view_lesson",
    "education.view_chainlink",
    "education.view_source",
    "education.view_author",
    "education.view_category",
    "education.view_clinicinfo",
)
_KEEP_LIBRARY: Final = (
    *_SEE_LIBRARY,
    *(
        f"education.{action}_{model}"
        for model in ("lesson", "chainlink", "source", "author", "category")
        for action in ("add", "change", "delete")
    ),
    "education.change_clinicinfo",
    "education.view_privacynotice",
    "education.add_privacynotice",
)

PHYSIO: Final = Role(
    "physio",
    "Reads every intake of the clinic, decides on findings, records calls, finishes reviews, "
    "approves clinical content.",
    (
        *_ADD_PATIENTS,
        "intake.review_intake",
        "intake.reopen_evaluation",
        "intake.see_figures",
        "intake.end_all_links",
        "intake.view_questionnaire",
        "intake.view_rule",
        "intake.approve_clinical_content",
        *_SEE_LIBRARY,
        *(
            f"education.{action}_{model}"
            for model in ("lesson", "chainlink")
            for action in ("change", "publish")
        ),
    ),
)
FRONT_DESK: Final = Role(
    "front desk",
    "Adds patients, evaluations and invitations. Sees that an intake is urgent, never the answer behind it.",
    _ADD_PATIENTS,
)
_NEWSLETTER: Final = (
    "education.view_subscriber",
    "education.change_subscriber",
    "education.view_issue",
    "education.add_issue",
    "education.change_issue",
    "education.send_issue",
)

EDITOR: Final = Role(
    "editor",
    "Keeps lessons, the newsletter, questionnaires and rules. Sees no patient.",
    ("intake.view_questionnaire", "intake.view_rule", *_KEEP_LIBRARY, *_NEWSLETTER),
)
OWNER: Final = Role(
    "owner",
    "Keeps staff accounts and content, sees the clinic's figures, may open a closed evaluation again. "
    "Sees no patient but one who asks for a copy or to be erased, and for an hour after breaking the glass.",
    (
        "intake.reopen_evaluation",
        "intake.see_figures",
        "intake.end_all_links",
        "intake.see_trail",
        "intake.keep_privacy",
        "intake.view_questionnaire",
        "intake.view_rule",
        *_NEWSLETTER,
        *_KEEP_LIBRARY,
        SEES_PEOPLE,
        INVITES,
        CHANGES_PEOPLE,
        BREAKS_GLASS,
    ),
)

# What an owner may read for an hour after breaking the glass, and only read (`clinic.people.emergency`).
EMERGENCY: Final = (
    "intake.see_worklist",
    "intake.review_intake",
    "intake.view_patient",
    "intake.view_evaluation",
    "intake.view_invitation",
)

ROLES: Final = (PHYSIO, FRONT_DESK, EDITOR, OWNER)
NAMES: Final = tuple(role.name for role in ROLES)
_PERMISSIONS: Final = {role.name: role.permissions for role in ROLES}


def permissions_of(name: str) -> tuple[str, ...]:
    """What a role may do, as `app_label.codename`; nothing for a group that is no role."""
    return _PERMISSIONS.get(name, ())


@transaction.atomic
def sync() -> dict[str, int]:
    """Make the groups say what `ROLES` says. Returns the number of permissions each role has.

    Raises `LookupError` naming a permission that does not exist.
    """
    known = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    counts: dict[str, int] = {}
    for role in ROLES:
        unknown = [name for name in role.permissions if name not in known]
        if unknown:
            raise LookupError(f"role {role.name}: unknown permission {unknown[0]}")
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set([known[name] for name in role.permissions])
        counts[role.name] = len(role.permissions)
    editor.sync()
    return counts
