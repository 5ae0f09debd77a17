"""What a rule looks for, in the words of the form: what it needs, what speaks for it and against it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.conditions import Condition, Group
from intake.questionnaires.definition import Definition
from intake.review.places import SIDES
from intake.screening.explain import answer_text, question_text
from intake.screening.screen import RuleDefinition

_TESTS: Final[Mapping[str, Promise]] = {
    "!=": gettext_lazy("not %(answers)s"),
    "<": gettext_lazy("under %(answers)s"),
    ">": gettext_lazy("over %(answers)s"),
    "<=": gettext_lazy("at most %(answers)s"),
    ">=": gettext_lazy("at least %(answers)s"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with the answers that fit. side: "this side", "left" or empty."""

    question: str
    side: str
    answer: str


@dataclass(frozen=True, slots=True)
class Sign:
    """Answers that count together. name: of the whole, where it has one; any: one of them is enough."""

    name: str
    points: int
    any: bool
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class RuleWords:
    """needs: all have to be there. threshold: so many points raise it, once they are; 0 counts none."""

    needs: tuple[Sign, ...]
    supports: tuple[Sign, ...]
    against: tuple[Sign, ...]
    threshold: int
    sided: bool


def rule_words(rule: RuleDefinition, definition: Definition) -> RuleWords:
    """definition: the form it is told in. A question that this form does not have is told by its linkId."""
    return RuleWords(
        needs=_signs(rule.requires, definition),
        supports=_signs(rule.supports, definition),
        against=_signs(rule.against, definition),
        threshold=rule.threshold if rule.supports else 0,
        sided=rule.scope == "side",
    )


def _signs(groups: Iterable[Group], definition: Definition) -> tuple[Sign, ...]:
    return tuple(
        Sign(
            capfirst(group.label or ""),
            group.weight,
            group.match == "any" and len(group.conditions) > 1,
            tuple(_asked(condition, definition) for condition in group.conditions),
        )
        for group in groups
    )


def _asked(condition: Condition, definition: Definition) -> Asked:
    example = condition.question.replace("{side}", "left").replace("{other}", "left")
    item = definition.get(example)
    if condition.question.endswith(".{side}"):
        side = _("this side")
    elif condition.question.endswith(".{other}"):
        side = _("other side")
    else:
        side = str(SIDES[item.side]) if item is not None and item.side else ""
    if condition.operator == "exists":
        answer = _("any answer") if condition.answer[0] else _("no answer")
    else:
        words = [answer_text(definition, example, [value]) for value in condition.answer]
        answer = str(_TESTS.get(condition.operator, "%(answers)s")) % {"answers": _one_of(words)}
    return Asked(question_text(definition, example), side, answer)


def _one_of(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return _("%(some)s; or %(last)s") % {"some": "; ".join(words[:-1]), "last": words[-1]}
