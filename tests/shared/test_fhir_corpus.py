"""Real published questionnaires and responses, read from the shared folder beside the repository.

`SHARED_DIR` says where it is, `../shared` when it does not. Run by `make check-shared`.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from intake.questionnaires.fhir import inspect
from intake.responses.fhir import check_response

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared")) / "fhir" / "corpus"

# One file name stands for four files of the same project: the last row is the one that is there.
MANIFEST = {
    row["file"]: row["kind"]
    for row in csv.DictReader(
        (CORPUS / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t"
    )
}
PAIRS = json.loads((CORPUS / "pairs" / "expectations.json").read_text(encoding="utf-8"))["cases"]


def load(name: str) -> Any:
    return json.loads((CORPUS / name).read_text(encoding="utf-8"))


def errors(data: Any) -> set[str]:
    return {problem.code for problem in inspect(data).problems if problem.level == "error"}


@pytest.mark.parametrize("name", [name for name, kind in MANIFEST.items() if kind == "questionnaire"])
def test_sound_questionnaires_are_accepted(name: str) -> None:
    assert errors(load(name)) == set()


@pytest.mark.parametrize("name", [name for name, kind in MANIFEST.items() if kind.startswith("violates:")])
def test_broken_invariants_are_named_exactly(name: str) -> None:
    assert errors(load(name)) == set(MANIFEST[name].removeprefix("violates:").split())


@pytest.mark.parametrize("name", [name for name, kind in MANIFEST.items() if "nonconformant" in kind])
def test_nonconformant_files_are_refused_with_a_report(name: str) -> None:
    report = inspect(load(name))
    assert not report.accepted
    assert all(problem.where and problem.message for problem in report.problems)


def test_forms_with_expressions_are_listed_and_not_shown() -> None:
    for name, kind in MANIFEST.items():
        if kind == "questionnaire" and "enableWhenExpression" in json.dumps(load(name)):
            report = inspect(load(name))
            assert any("enableWhenExpression" in entry.what for entry in report.unsupported)


def judged(case: dict[str, Any]) -> list[tuple[str, str]]:
    """(code, place) of what we find wrong in one pair."""
    files = {kind: load(f"pairs/{name}") for kind, name, _ in case["files"]}
    if "qr" in files:
        problems = check_response(files.get("q"), files["qr"])
    else:
        problems = list(inspect(files["q"]).problems)
    return sorted((problem.code, problem.where) for problem in problems if problem.level == "error")


def without_terminology() -> list[dict[str, Any]]:
    """Pairs that can be judged without asking a terminology server."""
    return [case for case in PAIRS if "needs-terminology" not in case["tags"]]


@pytest.mark.parametrize("case", without_terminology(), ids=lambda case: str(case["case"]))
def test_pairs_get_the_verdict_of_the_reference_validator(case: dict[str, Any]) -> None:
    assert (judged(case) == []) == case["valid"]


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in without_terminology()
        if c["source"] == "brianpos" and "out-of-subset:reference" not in c["tags"]
    ],
    ids=lambda case: str(case["case"]),
)
def test_pairs_are_refused_for_the_reason_and_at_the_place_of_the_reference(case: dict[str, Any]) -> None:
    wanted = [
        (issue["key"], place)
        for issue in case["issues"]
        if issue["sev"] != "warning"
        for place in issue["expr"]
    ]
    assert judged(case) == sorted(wanted)
