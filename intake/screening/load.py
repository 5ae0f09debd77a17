"""Bring the shipped rules into the database, after the lint. They come active and unapproved (ADR 0005)."""

from collections.abc import Iterable, Mapping
from typing import Any

from intake import audit
from intake.questionnaires.definition import Definition
from intake.questionnaires.load import BY, LoadRefused
from intake.questionnaires.models import Status
from intake.screening.lint import lint
from intake.screening.models import Rule
from intake.screening.screen import parse_rule


def load_rules(entries: Iterable[Mapping[str, Any]], definition: Definition) -> list[tuple[str, str]]:
    """Each rule: `(id and version, "created" | "unchanged")`.

    Raises `LoadRefused` naming the first rule with an error of the lint, and a version that is in use but
    differs. The version that was active before retires.
    """
    entries = list(entries)
    for problem in lint(entries, definition):
        if problem.level == "error":
            raise LoadRefused(f"rule {problem.rule}: {problem.place}: {problem.message}")
    standing = {(rule.rule_id, rule.version): rule for rule in Rule.objects.all()}
    done: list[tuple[str, str]] = []
    for entry in entries:
        rule = parse_rule(entry)
        name = f"rule {rule.id} v{rule.version}"
        known = standing.get((rule.id, rule.version))
        if known is not None:
            if known.definition != entry:
                raise LoadRefused(f"{name}: this version is in use and differs; raise its version")
            done.append((name, "unchanged"))
            continue
        active = Rule.objects.filter(rule_id=rule.id, status=Status.ACTIVE)
        old = active.values_list("version", flat=True).first()
        with audit.audited("rule.published", by=BY, rule=rule.id, old=old, new=rule.version) as access:
            active.update(status=Status.RETIRED)
            made = Rule.objects.create(
                rule_id=rule.id,
                version=rule.version,
                kind=rule.kind,
                title=rule.title,
                status=Status.ACTIVE,
                definition=entry,
            )
            access.saw("rule", [made.pk])
        done.append((name, "created"))
    return done
