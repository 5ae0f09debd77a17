"""`{% urgent_banner %}`: the banner of `intake.review.urgent` for the signed-in member of staff."""

from typing import Any

from django import template

from intake.review import urgent

register = template.Library()


@register.inclusion_tag("staff/urgent.html", takes_context=True)
def urgent_banner(context: template.Context) -> dict[str, Any]:
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.has_perm("intake.see_worklist"):
        return {"may": False}
    # A page that has counted them already says so.
    found = urgent.waiting(user, known=context.get("urgent_waiting"))
    return {"may": True, "count": found.count, "words": found.words}
