"""What the form says to a patient about a question: what to do, and when a question is asked at all.

Everything here is in patient words: it says what to do and never "invalid".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from intake.conditions import Condition, Match, Value
from intake.questionnaires.definition import Definition, Item


def scale_of(item: Item) -> range | None:
    """The numbers of a short row of radio buttons (``itemControl`` radio-button), else None."""
    low, high = item.min_value, item.max_value
    if item.type != "integer" or item.control != "radio-button":
        return None
    if not isinstance(low, int) or not isinstance(high, int) or not 0 < high - low <= 20:
        return None
    return range(low, high + 1)


def is_tick(item: Item) -> bool:
    """Is this yes-or-no question one box to tick: a consent, or ``itemControl`` check-box?"""
    return item.type == "boolean" and (item.must_be_true or item.control == "check-box")


def question_label(definition: Definition, item: Item) -> str:
    """The question in full: of a sided pair, the question with its side."""
    parent = definition.parent(item.link_id)
    if parent is not None and parent.sided and item.side is not None:
        return f"{parent.text} {item.text}"
    return item.text


def needed(item: Item) -> str:
    """What to do about a required question that has no answer."""
    if item.body_map and item.side is not None:
        return _mark_a_place(item)
    if item.must_be_true:
        return _("Tick this box to go on")
    if scale_of(item) or (item.type in ("integer", "decimal") and not item.options):
        return _number(item)
    if item.type == "boolean":
        return _("Choose Yes or No")
    if item.options and item.repeats:
        alone = [option.label for option in item.options if option.exclusive]
        if alone:
            return _("Tick all that fit, or %(alone)s") % {"alone": either(alone)}
        return _("Tick at least one")
    if item.options:
        return _("Choose one answer")
    if item.type in ("date", "dateTime"):
        return _("Enter a date")
    if item.type == "time":
        return _("Enter a time")
    return _("Write an answer")


def amiss(item: Item, code: str, values: Sequence[object]) -> str:
    """What to do about an answer that cannot be kept. ``code`` is one of ``answers.CODES``."""
    if code == "exclusive":
        alone = next((o.label for o in item.options if o.exclusive and o.value in values), "")
        return _("“%(alone)s” stands alone. Untick it, or untick the others") % {"alone": alone}
    if code == "not-repeating":
        if item.type == "open-choice":
            return _("Choose one answer or write your own, not both")
        chosen = item.options or item.type == "boolean" or scale_of(item)
        return _("Choose only one answer") if chosen else _("Give only one answer")
    if code == "too-long" and item.max_length is not None:
        length = max((len(value) for value in values if isinstance(value, str)), default=0)
        return _("Use %(limit)s characters or fewer. You have %(length)s") % {
            "limit": f"{item.max_length:,}",
            "length": f"{length:,}",
        }
    if code == "option" or item.options:
        return _("Choose from the answers below") if not item.body_map else _mark_a_place(item)
    if item.type in ("integer", "decimal"):
        return _number(item)
    if item.type == "boolean":
        return _("Choose Yes or No")
    if item.type in ("date", "dateTime"):
        return _date(item, code)
    if item.type == "time":
        return _("Enter a time, like 14:30")
    return _("This has a character we cannot keep. Please write it without")


def _number(item: Item) -> str:
    low, high = item.min_value, item.max_value
    if scale_of(item):
        return _("Choose a number from %(low)s to %(high)s") % {"low": low, "high": high}
    if low is not None and high is not None:
        if item.type == "integer":
            return _("Enter a whole number from %(low)s to %(high)s") % {"low": low, "high": high}
        return _("Enter a number from %(low)s to %(high)s") % {"low": low, "high": high}
    if low is not None:
        return _("Enter a number, %(low)s or more") % {"low": low}
    if high is not None:
        return _("Enter a number, %(high)s or less") % {"high": high}
    return _("Enter a whole number, like 12") if item.type == "integer" else _("Enter a number, like 12.5")


def _date(item: Item, code: str) -> str:
    if code == "min" and item.min_value is not None:
        return _("Enter a date from %(low)s on") % {"low": item.min_value}
    if code == "max" and item.max_value is not None:
        return _("Enter a date up to %(high)s") % {"high": item.max_value}
    return _("Enter a real date")


def _mark_a_place(item: Item) -> str:
    alone = [option.label for option in item.options if option.exclusive]
    where = (
        _("Mark a place on your right side") if item.side == "right" else _("Mark a place on your left side")
    )
    if not alone:
        return where
    return _("%(mark)s, or choose %(alone)s") % {"mark": where, "alone": alone[0]}


# When a question is asked


def asked_when(definition: Definition, conditions: Sequence[Condition], match: Match) -> str:
    """The conditions in words: "Only if you said Yes to “Did you hurt this leg?” (left leg)"."""
    clauses = [_clause(definition, condition) for condition in _joined(conditions, match)]
    joined = clauses[0]
    for clause in clauses[1:]:
        pattern = _("%(one)s and %(two)s") if match == "all" else _("%(one)s or %(two)s")
        joined = pattern % {"one": joined, "two": clause}
    return _("Only if %(conditions)s") % {"conditions": joined}


def _joined(conditions: Sequence[Condition], match: Match) -> Iterable[Condition]:
    """Under "any", several ``=`` of one question read as one with several answers."""
    if match == "all":
        return conditions
    merged: dict[tuple[str, str], Condition] = {}
    for condition in conditions:
        key = (condition.question, condition.operator if condition.operator == "=" else repr(condition))
        before = merged.get(key)
        if before is not None:
            answer = tuple(dict.fromkeys((*before.answer, *condition.answer)))
            condition = Condition(condition.question, condition.operator, answer)
        merged[key] = condition
    return merged.values()


def _clause(definition: Definition, condition: Condition) -> str:
    item = definition.item(condition.question)
    words = {"question": _quoted(definition, item), "answer": either(_answers(item, condition.answer))}
    operator, answer = condition.operator, condition.answer[0]
    if operator == "exists":
        if answer:
            return _("you answered %(question)s") % words
        return _("you did not answer %(question)s") % words
    if item.type == "boolean":
        yes = bool(answer) == (operator == "=")
        if is_tick(item):
            return (_("you ticked %(question)s") if yes else _("you did not tick %(question)s")) % words
        return (_("you said Yes to %(question)s") if yes else _("you said No to %(question)s")) % words
    if item.options:
        if operator == "=":
            return _("you chose %(answer)s for %(question)s") % words
        if operator == "!=":
            return _("you did not choose %(answer)s for %(question)s") % words
    patterns = {
        "=": _("your answer to %(question)s is %(answer)s"),
        "!=": _("your answer to %(question)s is not %(answer)s"),
        "<": _("your answer to %(question)s is under %(answer)s"),
        ">": _("your answer to %(question)s is over %(answer)s"),
        "<=": _("your answer to %(question)s is %(answer)s or less"),
        ">=": _("your answer to %(question)s is %(answer)s or more"),
    }
    return patterns[operator] % words


def _quoted(definition: Definition, item: Item) -> str:
    parent = definition.parent(item.link_id)
    if parent is not None and parent.sided and item.side is not None:
        side = item.text[:1].lower() + item.text[1:]
        return _("“%(question)s” (%(side)s)") % {"question": parent.text, "side": side}
    return _("“%(question)s”") % {"question": item.text}


def _answers(item: Item, values: Sequence[Value]) -> list[str]:
    labels = []
    for value in values:
        option = item.option(value)
        labels.append(_("“%(question)s”") % {"question": option.label} if option else str(value))
    return labels


def either(words: Sequence[str]) -> str:
    """ "one", "one or two", "one, two or three"."""
    if len(words) < 2:
        return "".join(words)
    return _("%(some)s or %(last)s") % {"some": ", ".join(words[:-1]), "last": words[-1]}
