"""What the product is made of: the pinned and hashed requirements, as a list other programs read (R41)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# What a clinic installs; the rest is for developers.
PRODUCT: Final = ("requirements.txt",)
# How old a look through known holes may be.
REVIEW_DAYS: Final = 30

_PIN: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9,._-]+\])?==(?P<version>[^\s;]+).*")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})(?:\s|$)")


class NotPinned(ValueError):
    """A requirement without an exact version, or without a hash."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package as it is installed. hashes: SHA-256 of each file of it that may be."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read(text: str) -> tuple[Package, ...]:
    """The packages of a requirements file. Raises `NotPinned` naming the line."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        line = line.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        pin = _PIN.fullmatch(line)
        hashes = tuple(_HASH.findall(line))
        if pin is None or not hashes or "*" in pin["version"]:
            raise NotPinned(f"not pinned with a hash: {line[:60]}")
        found.append(Package(pin["name"], pin["version"], hashes))
    return tuple(found)


def packages(files: Sequence[str] = PRODUCT) -> tuple[Package, ...]:
    """The packages of these files, by name."""
    found = {package for name in files for package in read((ROOT / name).read_text(encoding="utf-8"))}
    return tuple(sorted(found, key=lambda one: (one.name, one.version)))


def bill_of_materials(found: Sequence[Package], *, version: str) -> str:
    """A CycloneDX 1.6 list as JSON; the same packages give the same text. Raises `ImportError`."""
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    product = Component(type=ComponentType.APPLICATION, name="footing", version=version, bom_ref="footing")
    parts = []
    for one in found:
        url = PackageURL("pypi", name=one.name, version=one.version)
        files = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.hashes]
        where = XsUri(f"https://pypi.org/project/{one.name}/{one.version}/")
        reference = ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=where, hashes=files)
        parts.append(
            Component(
                type=ComponentType.LIBRARY,
                name=one.name,
                version=one.version,
                purl=url,
                bom_ref=str(url),
                external_references=[reference],
            )
        )
    bom = Bom(components=parts, metadata=BomMetaData(component=product))
    bom.register_dependency(product, parts)
    text: str = JsonV1Dot6(bom).output_as_string(indent=1)
    return text


def reviewed_on(text: str) -> date:
    """The newest day in docs/advisories.md on which somebody looked. Raises `ValueError` for none."""
    days = re.findall(r"^## (\d{4}-\d\d-\d\d)", text, re.MULTILINE)
    if not days:
        raise ValueError("docs/advisories.md names no day")
    return max(date.fromisoformat(day) for day in days)


def review_is_due(text: str, today: date) -> timedelta | None:
    """How long the look through known holes is overdue; None while it is not."""
    age = today - reviewed_on(text) - timedelta(days=REVIEW_DAYS)
    return age if age > timedelta() else None
