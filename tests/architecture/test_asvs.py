"""The security sheet: all 253 requirements of levels 1 and 2, and every proof it names is there."""

import re
from collections import Counter
from functools import cache

import pytest

from clinic.management.commands.write_asvs import CHAPTERS, DOCS, page, rows
from tests.conftest import ROOT

# How many of each chapter the standard has, in levels 1 and 2 together.
NUMBERS = {
    **{"1": 27, "2": 11, "3": 19, "4": 10, "5": 9, "6": 35, "7": 18, "8": 7, "9": 7},
    **{"10": 29, "11": 14, "12": 9, "13": 13, "14": 9, "15": 13, "16": 16, "17": 7},
}


FOLDERS = "tests|docs|clinic|intake|education|static|templates"
PROOF = re.compile(rf"(?<![\w/.])((?:{FOLDERS})/[\w./-]+\.\w+)((?:::\w+)*)")


def test_it_has_every_requirement_once():
    found = rows()
    assert len(found) == len({row["number"] for row in found}) == 253
    assert Counter(row["level"] for row in found) == {"1": 70, "2": 183}
    assert Counter(row["number"].split(".")[0] for row in found) == NUMBERS
    assert NUMBERS.keys() == CHAPTERS.keys()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", row["number"]) and row["asks"] for row in found)


def test_what_is_met_has_a_proof_and_what_is_not_a_reason():
    for row in rows():
        assert row["state"] in ("met", "not-applicable", "open"), row["number"]
        if row["state"] == "met":
            assert row["proof"], row["number"]
        else:
            assert row["note"], row["number"]


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("sheet", ["asvs.csv", "security.md"])
def test_every_proof_is_there(sheet: str):
    text = (DOCS / sheet).read_text(encoding="utf-8")
    proofs = set(
        re.findall(
            r"(?<![\w/.])((?:tests|docs|clinic|intake|education|static|templates)/[\w./-]+\.\w+)((?:::\w+)*)",
            text,
        )
    )
    assert len(proofs) > 20
    missing = []
    for path, name in proofs:
        if not (ROOT / path).is_file():
            missing.append(path)
        elif name and f"def {name.rsplit('::')[-1]}(" not in text_of(path):
            missing.append(path + name)
    assert missing == []


def test_the_page_says_what_the_sheet_says():
    assert (DOCS / "asvs.md").read_text(encoding="utf-8") == page()
