"""Nothing is put into a page unescaped but what is listed here with its reason (R29)."""

import ast
import re
from functools import cache

import pytest

from tests.conftest import ROOT

# Each makes text that templates put in as it is.
RAW = {"mark_safe", "SafeString", "SafeText", "SafeData", "safe", "html_safe", "__html__"}
# `format_html` and its like escape what they are given; their first argument has to stand there in full.
FORMATS = {"format_html": 0, "format_html_join": 1}

EXPLAINED = {
    "education/lessons/reading.py": "a lesson's text, cut to what its editor offers when it was saved",
    "intake/responses/skeleton.py": "puts pieces of a drawn form together; what goes between was escaped",
    "intake/responses/blocks.py": "names the type of what `format_html_join` returns",
}
# Text that is no page: a mail says an apostrophe as it is.
PLAIN = re.compile(r"templates/(email/[a-z_]+|intake/answers|clinic/security)\.txt")
# A filter that says it keeps what was escaped; it changes only the gaps.
KEEPS = {"intake/templatetags/desk.py": 1}


@cache
def sources() -> list[tuple[str, ast.AST]]:
    paths = [path for root in ("clinic", "education", "intake") for path in (ROOT / root).rglob("*.py")]
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(paths)
    ]


def raw_in(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.alias) and node.name.rsplit(".", 1)[-1] in RAW:
            found.append(f"imports {node.name}")
        if isinstance(node, ast.Attribute) and node.attr in RAW - {"safe"}:
            found.append(ast.unparse(node))
        if isinstance(node, ast.FunctionDef) and node.name in RAW:
            found.append(node.name)
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = FORMATS.get(name)
            if place is not None and not stands_there(node.args[place]):
                found.append(f"{name} of something that was put together")
            if any(keyword.arg == "autoescape" for keyword in node.keywords):
                found.append(f"{name} with autoescape")
    return found


def stands_there(node: ast.expr) -> bool:
    """Whether a text is written out in the source, translated or not."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
        return all(isinstance(argument, ast.Constant) for argument in node.args)
    return isinstance(node, ast.Constant)


def safe_filters(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.keyword) and node.arg == "is_safe" for node in ast.walk(tree))


def test_no_code_makes_html_but_what_is_explained():
    found = {name: raw for name, tree in sources() if (raw := raw_in(tree))}
    assert found.keys() == EXPLAINED.keys(), found


def test_no_filter_says_that_it_is_safe_but_what_is_explained():
    assert {name: count for name, tree in sources() if (count := safe_filters(tree))} == KEEPS


def test_no_template_shows_anything_unescaped():
    wrong = []
    for path in sorted((ROOT / "templates").rglob("*")):
        if not path.is_file():
            continue
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if re.search(r"\|\s*(safe|safeseq)\b", text):
            wrong.append(f"{name}: safe")
        if "autoescape off" in text and not PLAIN.fullmatch(name):
            wrong.append(f"{name}: autoescape off")
        # A value in an attribute without quotes, or in a handler, is not helped by escaping.
        if path.suffix in (".html", ".svg") and re.search(r"\s[a-z-]+={{", text):
            wrong.append(f"{name}: an attribute without quotes")
        if path.suffix in (".html", ".svg") and re.search(r"<script(?![^>]*(src=|application/))[^>]*>", text):
            wrong.append(f"{name}: a script in the page")
    assert wrong == []


@pytest.mark.parametrize(
    "code",
    [
        "from django.utils.safestring import mark_safe",
        "from django.utils import safestring\nsafestring.mark_safe(x)",
        "format_html('<b>' + name + '</b>')",
        "format_html(f'<b>{name}</b>')",
        "class A:\n    def __html__(self):\n        return self.x",
        "Context({}, autoescape=False)",
    ],
)
def test_raw_html_would_be_found(code: str):
    assert raw_in(ast.parse(code))


def test_html_that_escapes_is_none():
    assert raw_in(ast.parse("format_html('<b>{}</b>', name)\nformat_html_join('', '<i>{}</i>', rows)")) == []
