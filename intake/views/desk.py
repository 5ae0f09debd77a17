"""What staff pages ask for while they stand open."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from intake.review import urgent


@require_safe
def urgent_count(request: HttpRequest) -> HttpResponse:
    """`{"count": 1, "words": "1 urgent answer waiting since 9:02 am"}` for the banner.

    404 for those who see no worklist.
    """
    if not request.user.has_perm("intake.see_worklist"):
        raise Http404
    found = urgent.waiting(request.user)
    return JsonResponse({"count": found.count, "words": found.words})
