"""The marked body map as a small picture, for pages that only show it."""

from __future__ import annotations

from collections.abc import Collection

from django import template

from intake.responses import body

register = template.Library()


@register.inclusion_tag("components/body_still.html")
def body_still(left: Collection[str] = (), right: Collection[str] = ()) -> dict[str, object]:
    """``{% body_still left=codes right=codes %}``: the marked regions of each leg, drawn and in words.

    ``left`` and ``right`` are the answers to the two questions of the map; ``none`` and ``cant-point`` are
    passed over, and a missing answer is an empty one. The front is always drawn, the other views where
    they show a mark not shown yet.
    """
    left, right = left or (), right or ()
    return {"stills": body.stills(left, right), "names": body.marked_names(left, right)}
