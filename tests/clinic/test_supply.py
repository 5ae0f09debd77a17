"""What the product is made of: every package pinned with a hash, listed, and looked at (R41)."""

import json
import re
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from clinic import supply
from tests.conftest import ROOT

FILES = sorted(path.name for path in ROOT.glob("requirements*.txt"))
REVIEW = "# Known holes\n\n## 2026-11-29\n\nLooked.\n\n## 2026-11-01\n"


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_with_a_hash(name: str):
    assert len(supply.packages([name])) >= 1


@pytest.mark.parametrize(
    "line",
    [
        "django",
        "django>=5.2 --hash=sha256:" + "a" * 64,
        "django==5.* --hash=sha256:" + "a" * 64,
        "django==5.2.19",
        "django==5.2.19 --hash=md5:" + "a" * 32,
        "django==5.2.19 --hash=sha256:abc",
        "git+https://example.org/django.git --hash=sha256:" + "a" * 64,
        "--extra-index-url https://evil.example/simple",
        "-r others.txt",
    ],
)
def test_what_is_not_is_named(line: str):
    with pytest.raises(supply.NotPinned):
        supply.read(f"# a comment\n{line}\n")


def test_each_requirement_of_ours_has_a_reason():
    for path in ROOT.glob("requirements*.in"):
        for line in path.read_text().splitlines():
            if line.startswith(("#", "-c")) or not line.strip() or path.name == "requirements-uv.in":
                continue
            assert re.fullmatch(r"[\w\[\],.-]+==[\w.]+ +# \S.{4,}", line), f"{path.name}: {line}"


def test_the_list_has_every_package_with_its_hashes_and_is_the_same_each_time():
    found = supply.packages()
    listed = json.loads(supply.bill_of_materials(found, version="1"))
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert listed["metadata"]["component"]["name"] == "footing"
    parts = {(one["name"], one["version"]): one for one in listed["components"]}
    assert parts.keys() == {(one.name, one.version) for one in found}
    django = next(part for (name, _version), part in parts.items() if name == "django")
    assert django["purl"].startswith("pkg:pypi/django@")
    hashes = django["externalReferences"][0]["hashes"]
    package = next(one for one in found if one.name == "django")
    assert sorted(one["content"] for one in hashes) == sorted(package.hashes)
    (own,) = [one for one in listed["dependencies"] if one["ref"] == "footing"]
    assert len(own["dependsOn"]) == len(found)
    again = json.loads(supply.bill_of_materials(found, version="1"))
    assert again["components"] == listed["components"]


def test_the_command_writes_it_and_says_when_somebody_looked_last(tmp_path: Path):
    said, told = StringIO(), StringIO()
    call_command("sbom", out=tmp_path / "sbom.json", json=True, stdout=said, stderr=told)
    summary = json.loads(said.getvalue())
    assert summary["packages"] == len(json.loads((tmp_path / "sbom.json").read_text())["components"])
    assert summary["reviewedOn"] == str(supply.reviewed_on((ROOT / "docs/advisories.md").read_text()))


def test_a_review_is_overdue_after_thirty_days():
    assert supply.reviewed_on(REVIEW) == date(2026, 11, 29)
    assert supply.review_is_due(REVIEW, date(2026, 12, 29)) is None
    overdue = supply.review_is_due(REVIEW, date(2026, 12, 31))
    assert overdue is not None
    assert overdue.days == 2
    with pytest.raises(ValueError, match="no day"):
        supply.reviewed_on("# Known holes\n")


def test_the_review_names_every_package_that_we_chose():
    text = (ROOT / "docs/advisories.md").read_text()
    chosen = re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert [name for name in chosen if f"`{name}`" not in text] == []


@pytest.mark.deep
def test_an_altered_hash_is_not_installed(tmp_path: Path):
    text = (ROOT / "requirements.txt").read_text()
    (segno,) = re.findall(r"^segno==.*?(?=\n\S|\n    # )", text, re.MULTILINE | re.DOTALL)
    target = tmp_path / "here"
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--no-deps", "--target", str(target)]

    def install(requirement: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "requirements.txt"
        file.write_text(requirement + "\n")
        return subprocess.run([*uv, "--require-hashes", "-r", str(file)], capture_output=True, text=True)

    altered = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, segno)
    refused = install(altered)
    assert refused.returncode != 0
    assert "hash" in refused.stderr.lower()
    assert not (target / "segno").exists()
    assert install(segno).returncode == 0
    assert (target / "segno").is_dir()
