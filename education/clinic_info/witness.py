"""What of the library belongs into the clinic's audit trail, which the library does not know (R23).

Who keeps the trail registers from above; the library tells what was changed, published or taken along, in
the transaction that did it.
"""

from collections.abc import Callable
from typing import Any, Final

# Called with what happened, who did it if the caller knows, records as `{kind: [keys]}`, and details.
Listener = Callable[[str, Any, dict[str, list[object]], dict[str, Any]], None]
_listeners: Final[list[Listener]] = []


def register(listener: Listener) -> None:
    """Registered twice it hears each thing once."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(
    event: str, *, by: Any = None, objects: dict[str, list[object]] | None = None, **detail: Any
) -> None:
    """Something happened; event: a dotted word of the trail. detail: public facts and counts alone."""
    for listener in _listeners:
        listener(event, by, objects or {}, detail)
