"""Every field is health, personal or neither, by name; what is about patients is behind the audit guard."""

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models

from intake.audit import PatientData

CLASSES = ("health", "personal", "none")
TABLE: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("fields.toml").read_text(encoding="utf-8")
)

# Tables with personal fields that the guard does not cover, and why they may stand outside of it.
NOT_ABOUT_PATIENTS = {
    "clinic.User": "accounts of the staff",
    "clinic.User_groups": "accounts of the staff",
    "clinic.User_user_permissions": "accounts of the staff",
    "mfa.Authenticator": "second factors of the staff; secrets are encrypted",
    "account.EmailAddress": "a table of allauth that nothing here writes",
    "account.EmailConfirmation": "a table of allauth that nothing here writes",
    "clinic.StaffInvitation": "who is asked to work here",
    "clinic.EmergencyAccess": "which owner read what, by her own words, never a patient's name",
    "clinic.Session": "sign-ins of the staff; a patient's session is a PatientSession",
    "intake.Questionnaire": "who of the staff approved it",
    "intake.Rule": "who of the staff approved it",
    "education.Lesson": "who of the staff approved it",
    "education.Subscriber": "readers of the newsletter, wholly apart from patients",
    "education.Issue": "who of the staff sent it off",
    "education.Delivery": "which issue went to which reader of the newsletter",
    "education.RecentUse": "a keyed hash of an address and when, kept for two days",
    "wagtailadmin.EditingSession": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailadmin.FormState": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailusers.UserProfile": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailimages.Image": "who of the staff wrote, changed or looks at texts of the library",
    "wagtaildocs.Document": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.ModelLogEntry": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.Revision": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.UploadedFile": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.WorkflowState": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.TaskState": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.Page": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.PageLogEntry": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.Comment": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.CommentReply": "who of the staff wrote, changed or looks at texts of the library",
    "wagtailcore.PageSubscription": "who of the staff wrote, changed or looks at texts of the library",
    "education.ChainLink": "who of the staff has it open",
    "admin.LogEntry": "what the staff changed; it holds no patient's name, see tests/integration/intake",
    "intake.AuditEvent": "the trail itself: who saw which record, by ids, never a name or an answer",
    "intake.WeekReviewed": "who of the staff read what a week of the trail adds up to",
    "procrastinate.ProcrastinateJob": "keys of records, never a name or an answer",
}

# Tables without a model of ours or of a package.
NO_MODEL = {"django_migrations"}


def all_models() -> list[type[models.Model]]:
    return list(apps.get_models(include_auto_created=True))


def fields_of(model: type[models.Model]) -> set[str]:
    return {field.name for field in (*model._meta.local_fields, *model._meta.local_many_to_many)}


def classified(label: str, *kinds: str) -> list[str]:
    return [name for kind in kinds for name in TABLE.get(label, {}).get(kind, [])]


@pytest.mark.parametrize("model", all_models(), ids=lambda model: model._meta.label)
def test_every_field_is_classified_once_and_exists(model: type[models.Model]):
    label = model._meta.label
    assert label in TABLE, f"classify the fields of {label} in tests/architecture/fields.toml"
    assert set(TABLE[label]) <= set(CLASSES)
    named = classified(label, *CLASSES)
    assert sorted(named) == sorted(set(named)), f"{label}: a field is classified twice"
    assert set(named) == fields_of(model), label


@pytest.mark.parametrize("kind", ["none", "personal", "health"])
def test_a_field_without_a_class_or_with_two_would_be_found(kind: str, monkeypatch: pytest.MonkeyPatch):
    label = "intake.EvaluationRequest"
    model = apps.get_model(label)
    for wrong in (TABLE[label][kind][1:], [*TABLE[label][kind], "no_such_field"], TABLE[label][kind] * 2):
        monkeypatch.setitem(TABLE, label, TABLE[label] | {kind: wrong})
        with pytest.raises(AssertionError):
            test_every_field_is_classified_once_and_exists(model)
        monkeypatch.undo()


def test_no_model_that_is_gone_is_classified():
    assert TABLE.keys() == {model._meta.label for model in all_models()}


def test_what_is_about_patients_is_behind_the_guard():
    guarded = {model._meta.label for model in all_models() if issubclass(model, PatientData)}
    about_people = {label for label in TABLE if classified(label, "health", "personal")}
    assert about_people - guarded == NOT_ABOUT_PATIENTS.keys()


def test_health_stands_only_in_guarded_tables():
    with_health = {label for label in TABLE if classified(label, "health")}
    guarded = {model._meta.label for model in all_models() if issubclass(model, PatientData)}
    assert with_health <= guarded
    # Asked the other way round too: a guarded table without a patient's data would be a mistake here.
    assert {label for label in guarded if not classified(label, "health", "personal")} == set()


@pytest.mark.django_db
def test_every_table_of_the_database_is_one_of_these():
    with connection.cursor() as cursor:
        tables = {info.name for info in connection.introspection.get_table_list(cursor)}
    assert tables - NO_MODEL == {model._meta.db_table for model in all_models()}


def test_every_guarded_table_is_scoped_by_what_the_user_may_see():
    """What has no `visible_to` of its own is reached only through a row that has one."""
    from intake.patients.models import ScopedQuerySet

    scoped = {
        model._meta.label
        for model in all_models()
        if issubclass(model, PatientData) and issubclass(type(model._default_manager.all()), ScopedQuerySet)
    }
    guarded = {model._meta.label for model in all_models() if issubclass(model, PatientData)}
    assert guarded - scoped == {
        "intake.AccessEvent",
        "intake.PatientSession",
        "intake.RedFlagEvent",
        "intake.TabletTry",
    }
