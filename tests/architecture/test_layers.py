"""Views, admin pages and jobs write nothing: a stage or the story does. import-linter has the rest."""

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

THIN = (
    "intake/views",
    "intake/admin",
    "intake/tasks.py",
    "education/views.py",
    "education/newsletter_views.py",
    "education/admin.py",
    "education/tasks.py",
    "clinic/views.py",
)

WRITES = {
    "save",
    "create",
    "delete",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "add",
    "set",
    "clear",
    "execute",
    "executemany",
}
# What Django's admin does on its own when a class lets it.
ADMIN_WRITES = {"save_model", "delete_model", "delete_queryset", "save_formset", "save_related", "save_form"}
# Sets and the like have methods of the same names; these are the only objects that may take them here.
PLAIN = {"headers", "cookies", "messages", "seen"}


def writes_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, name = node.func.value, node.func.attr
        owner_name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
        if owner_name in PLAIN or reads(node):
            continue
        if name in WRITES:
            yield node.lineno, f"{owner_name}.{name}()"
        # A dict takes what to update it with in the parentheses; a queryset takes names alone.
        if name == "update" and not node.args:
            yield node.lineno, f"{owner_name}.update()"
        is_super = isinstance(owner, ast.Call) and getattr(owner.func, "id", "") == "super"
        if is_super and name in ADMIN_WRITES:
            yield node.lineno, f"super().{name}()"


def reads(node: ast.Call) -> bool:
    """A statement that stands there in full and is a SELECT."""
    first = node.args[0] if node.args else None
    return isinstance(first, ast.Constant) and str(first.value).startswith("SELECT ")


def thin_files() -> list[str]:
    found = []
    for name in THIN:
        path = ROOT / name
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [str(path.relative_to(ROOT)) for path in found]


@pytest.mark.parametrize("name", thin_files())
def test_a_thin_file_writes_nothing(name: str):
    assert list(writes_in(ast.parse((ROOT / name).read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "patient.save()",
        "Patient.objects.create(given_name='A')",
        "Patient.objects.filter(pk=1).update(given_name='A')",
        "Patient.objects.filter(pk=1).delete()",
        "user.groups.add(group)",
        "with connection.cursor() as cursor:\n    cursor.execute('UPDATE x SET y = 1')",
        "class A(ModelAdmin):\n    def save_model(self, *a):\n        super().save_model(*a)",
    ],
)
def test_a_write_would_be_found(code: str):
    assert list(writes_in(ast.parse(code)))


def test_plain_dicts_and_headers_are_no_writes():
    code = "context.update({'a': 1})\nresponse.headers.update(a=1)\nresponse.delete_cookie('x')"
    assert list(writes_in(ast.parse(code))) == []
