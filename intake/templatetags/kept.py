"""`{% kept %}`: a part of a page that is drawn once for the same values."""

import secrets
import threading
from collections import OrderedDict
from typing import Any, Final

from django import template
from django.db.models import Model
from django.utils.translation import get_language

register = template.Library()

# Some hundred pages of intakes. They hold patients' words, so they stand in memory only, and the oldest go.
MOST_CHARACTERS: Final = 12_000_000
# Where a form's token belongs: another one on every page, and nothing that anybody could have typed.
TOKEN: Final = secrets.token_urlsafe(24)


class Values:
    """What a part was drawn from. Looked up more than once, so its hash is worked out once."""

    __slots__ = ("_hash", "values")

    def __init__(self, *values: object) -> None:
        self.values = values
        self._hash = hash(values)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self.values == other.values


class KeptParts:
    """Drawn parts by what they were drawn from, the one used last at the end."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self.most = most
        self.characters = 0
        self._parts: OrderedDict[object, tuple[str, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: object) -> tuple[str, ...] | None:
        with self._lock:
            part = self._parts.get(key)
            if part is not None:
                self._parts.move_to_end(key)
            return part

    def keep(self, key: object, part: tuple[str, ...]) -> None:
        with self._lock:
            before = self._parts.pop(key, ())
            self._parts[key] = part
            self.characters += sum(map(len, part)) - sum(map(len, before))
            while self.characters > self.most:
                _key, oldest = self._parts.popitem(last=False)
                self.characters -= sum(map(len, oldest))

    def clear(self) -> None:
        with self._lock:
            self._parts.clear()
            self.characters = 0


PARTS: Final = KeptParts()


class KeptNode(template.Node):
    """Its text, from `PARTS` where it was drawn from the same values before."""

    def __init__(self, nodelist: template.NodeList, values: list[Any]) -> None:
        self.nodelist = nodelist
        self.values = values

    def render(self, context: template.Context) -> str:
        values = tuple([value.resolve(context, ignore_failures=True) for value in self.values])
        if any(isinstance(value, Model) for value in values):
            raise TypeError("a row is the same row whatever stands in it; name what of it is shown")
        key = Values(self, get_language(), values)
        part = PARTS.find(key)
        if part is None:
            with context.push(csrf_token=TOKEN):
                part = tuple(self.nodelist.render(context).split(TOKEN))
            PARTS.keep(key, part)
        # It was drawn by a template, so it is escaped; nodes are put together as they come.
        return str(context.get("csrf_token", "")).join(part)


@register.tag("kept")
def kept(parser: template.base.Parser, token: template.base.Token) -> KeptNode:
    """``{% kept value ... %} ... {% endkept %}``: what stands between is drawn once for the same values.

    It may show nothing that does not follow from these values, which are compared, not looked into: texts,
    numbers, dates and frozen dataclasses, never a row of the database. Only a form's token is put in anew.
    """
    values = [parser.compile_filter(word) for word in token.split_contents()[1:]]
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodelist, values)
