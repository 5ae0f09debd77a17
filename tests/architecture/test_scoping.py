"""Staff reach rows about patients through `visible_to(user)` alone (R18): read from the source."""

import ast
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin

from intake.audit import PatientData
from intake.patients.models import ScopedQuerySet
from tests.conftest import ROOT

# `in_keeping_of`: whoever a patient asks for a copy or to be erased, and nobody else.
SCOPES = {"visible_to", "in_keeping_of"}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
# What draws pages for staff, and the roof. None of it may ask for rows of its own accord.
THIN = ("intake/admin", "intake/views", "intake/templatetags", "clinic")
# What asks under them, and why it need not ask who is looking.
EXPLAINED = {
    "clinic/demo.py": "makes the demo's people before anybody is signed in",
    "clinic/demo_history.py": "the same for their past",
    "clinic/crowd.py": "makes the crowd that speed is measured with",
    "intake/review/booking.py": "whether a visit is closed that the caller found for this user",
    "intake/review/changes.py": "versions of an intake that `page` found for this user",
    "intake/review/contacts.py": "writes: the caller found the intake for this user",
    "intake/review/decide.py": "writes: the caller found the finding for this user",
    "intake/review/figures.py": "numbers of the clinic, no person: behind a permission of its own",
    "intake/review/handing_over.py": "counts, and moves what one physio leaves to another: nobody reads it",
    "intake/review/looked.py": "ids for the trail, behind a permission and a fresh factor of its own",
    "intake/review/news.py": "what is newer than an intake that it finds for this user first",
    "intake/review/outcome_page.py": "what belongs to an intake that it finds for this user first",
    "intake/review/outcomes.py": "writes: the caller found the intake for this user",
    "intake/review/page.py": "what belongs to an intake that it finds for this user first",
    "intake/review/receipt.py": "what the patient herself reads on her own page",
    "intake/review/sharing.py": "what belongs to an intake or evaluation that the caller found for this user",
    "intake/review/versions.py": "writes: locks and copies what the caller found for this user",
}
# Modules of the list above that show something: each has to begin with a look of this user.
BEGINS_SCOPED = (
    "intake/review/news.py",
    "intake/review/outcome_page.py",
    "intake/review/page.py",
    "intake/review/queue.py",
)


def patient_models() -> set[str]:
    return {model.__name__ for model in apps.get_models() if issubclass(model, PatientData)}


def unscoped(tree: ast.AST, names: set[str]) -> Iterator[tuple[int, str]]:
    """Looks at a patient table that are not `visible_to`, by the name of its model or out of thin air."""
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in MANAGERS:
            continue
        owner = node.value
        named = isinstance(owner, ast.Name) and owner.id in names
        # `models.Patient.objects` and `apps.get_model("intake", "Patient").objects`.
        hidden = isinstance(owner, ast.Attribute) and owner.attr in names
        made = isinstance(owner, ast.Call) and "get_model" in ast.unparse(owner.func)
        after = above.get(node)
        scoped = isinstance(after, ast.Attribute) and after.attr in SCOPES
        if (named or hidden or made) and not scoped:
            yield node.lineno, ast.unparse(node)


def asks(name: str) -> list[tuple[int, str]]:
    return list(unscoped(ast.parse((ROOT / name).read_text(encoding="utf-8")), patient_models()))


def files(*roots: str) -> list[str]:
    found = [path for root in roots for path in sorted((ROOT / root).rglob("*.py"))]
    return [path.relative_to(ROOT).as_posix() for path in found if "migrations" not in path.parts]


def test_what_draws_pages_asks_only_for_what_the_user_may_see():
    wrong = {name: found for name in files(*THIN) if name not in EXPLAINED and (found := asks(name))}
    assert wrong == {}, "begin with visible_to(user)"


def test_what_asks_under_them_is_explained():
    wrong = {
        name: found for name in files("intake/review") if name not in EXPLAINED and (found := asks(name))
    }
    assert wrong == {}, "begin with visible_to(user), or say in EXPLAINED why not"
    assert [name for name in EXPLAINED if not asks(name)] == [], "these need no explanation any more"


@pytest.mark.parametrize("name", BEGINS_SCOPED)
def test_what_shows_something_begins_with_a_look_of_this_user(name: str):
    assert ".visible_to(" in (ROOT / name).read_text(encoding="utf-8")


def test_every_patient_table_with_a_page_of_staff_can_be_scoped():
    of_patients = [model for model in admin.site._registry if issubclass(model, PatientData)]
    assert len(of_patients) >= 4
    for model in of_patients:
        assert issubclass(model._default_manager._queryset_class, ScopedQuerySet), model


@pytest.mark.parametrize(
    "code",
    [
        "Patient.objects.get(pk=1)",
        "Patient.objects.filter(pk=1).visible_to(user)",
        "found = list(models.Evaluation.objects.all())",
        "Finding._default_manager.first()",
        "rows = QuestionnaireResponse.objects",
        "apps.get_model('intake', 'Patient').objects.all()",
    ],
)
def test_an_unscoped_look_would_be_found(code: str):
    assert list(unscoped(ast.parse(code), patient_models()))


def test_a_scoped_look_is_none():
    code = "Patient.objects.visible_to(user).filter(pk=1)\nLesson.objects.all()\nevaluation.responses.all()"
    assert list(unscoped(ast.parse(code), patient_models())) == []
