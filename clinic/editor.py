"""The lessons' editor at /editor/: who comes in and how far, who reviews, and what rules need to stay."""

from collections.abc import Callable, Iterator
from itertools import product
from traceback import walk_tb
from typing import Any, Final

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import set_urlconf
from django.utils.datastructures import MultiValueDictKeyError
from django.utils.translation import gettext as _
from draftjs_exporter.error import ExporterException
from wagtail.models import (
    Collection,
    GroupApprovalTask,
    GroupCollectionPermission,
    Workflow,
    WorkflowContentType,
    WorkflowTask,
)

from clinic.security import SELF
from clinic.views import bad_request
from education.chain import protection
from education.chain.models import ChainLink
from education.lessons.models import Lesson
from intake.questionnaires.models import Status
from intake.screening.models import Rule

ADDRESS: Final = "/editor/"
WORKFLOW: Final = "Clinical review"
REVIEWERS: Final = "physio"
# Who adds pictures: whoever writes lessons.
KEEPERS: Final = ("editor", "owner", "physio")
# Who may come in at all.
ENTER: Final = "wagtailadmin.access_admin"
# What the editor's packages bring along and our roles replace.
NOT_OURS: Final = ("Editors", "Moderators")

# Where one can choose and not make: making asks for more than a chooser shows.
CHOOSERS: Final = "wagtailsnippetchoosers_education_"
# The pages of the editor that exist here. Page trees, users, documents, sites and workflows are not
# ours: their URLs are there because its menus ask for them, and they answer like any unknown address.
ROOMS: Final = (
    "wagtailsnippets_education_",
    CHOOSERS,
    "wagtailimages_chooser",
    "wagtailadmin_editing_sessions",
    "education_editor",
)
# An account is the same at every desk of the staff.
ACCOUNT: Final = "wagtailadmin_account"
LOG_OUT: Final = "wagtailadmin_logout"
DOORS: Final = frozenset(
    {
        "wagtailadmin_home",
        "wagtailadmin_javascript_catalog",
        "wagtailadmin_sprite",
        "wagtailadmin_dismissibles",
        "wagtailadmin_logout",
        "wagtailadmin_block_preview",
    }
)
# A preview may be framed by the page that shows it. That page's text field writes a style element with
# nothing in it, which only its hash (SHA-256 of no bytes) lets in; one with a rule in it stays out.
_PREVIEW: Final = {"frame-ancestors": [SELF]}
_EDITING: Final = {
    "frame-src": [SELF],
    "style-src": [SELF, "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
}
POLICIES: Final = {
    **dict.fromkeys(("preview_on_add", "preview_on_edit", "revisions_view", "workflow_preview"), _PREVIEW),
    **dict.fromkeys(("add", "edit"), _EDITING),
}

FORMS: Final = ("add", "edit")

# What addresses of the editor call the key of a row.
KEYS: Final = ("pk", "object_id", "revision_id")

GetResponse = Callable[[HttpRequest], HttpResponse]


class EditorUrls:
    """The editor is loaded with the first request for it, so most workers never hold it (ADR 0052).

    All other requests go by `PAGES_URLCONF`, which knows no address of the editor's by name.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADDRESS.removesuffix("/")):
            request.urlconf = settings.PAGES_URLCONF
            # Also for what is drawn before Django looks at the request's own.
            set_urlconf(settings.PAGES_URLCONF)
        return self.get_response(request)


class EditorDoor:
    """Lets editors into the rooms of the editor that exist; for everybody else nothing is there.

    Whoever has not signed in is asked to, at the staff's own sign-in.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if not request.path.startswith(ADDRESS):
            return None
        if request.user.is_anonymous:
            # A form that was typed meanwhile stands at its own address.
            back = request.method == "GET" or getattr(request.resolver_match, "url_name", "") in FORMS
            return redirect_to_login(request.get_full_path() if back else ADDRESS)
        if not request.user.has_perm(ENTER):
            raise Http404
        if request.resolver_match and request.resolver_match.view_name == LOG_OUT:
            return admin.site.logout(request)
        if request.resolver_match and request.resolver_match.view_name == ACCOUNT:
            return redirect("admin:account")
        if not is_open(request) or not could_be_a_row(kwargs):
            raise Http404
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A form without the fields that its page always sends was not made by that page.

        What the database protects stays, and whoever wanted it gone is told.
        """
        if not request.path.startswith(ADDRESS):
            return None
        if isinstance(exception, MultiValueDictKeyError) or (request.POST and is_not_read(exception)):
            return bad_request(request)
        if isinstance(exception, ProtectedError):
            messages.error(request, _("It is in use, so it has to stay."))
            return redirect(request.path)
        return None


# What reads the fields of a form, and what that asks; none of it is ours.
READS: Final = frozenset({"wagtail", "draftjs_exporter", "modelcluster"})
ASKED: Final = frozenset({"django", "json", "telepath"})


def is_not_read(exception: Exception) -> bool:
    """Whether the library of the editor could not make sense of a form that no page of it sends.

    A failure of the database, and one in our own code that it calls, is another matter.
    """
    if not isinstance(exception, (ValueError, TypeError, AttributeError, LookupError, ExporterException)):
        return False
    modules = [frame.f_globals.get("__name__", "") for frame, _line in walk_tb(exception.__traceback__)]
    packages = [name.partition(".")[0] for name in modules]
    return next((name for name in reversed(packages) if name not in ASKED), "") in READS


def could_be_a_row(kwargs: dict[str, Any]) -> bool:
    """Whether the keys in an address are numbers, as all of the library's are; Wagtail takes any text."""
    return all(str(kwargs[name]).isascii() and str(kwargs[name]).isdigit() for name in KEYS if name in kwargs)


def is_open(request: HttpRequest) -> bool:
    """Whether the page asked for is one of ours."""
    match = request.resolver_match
    if match is None:
        return False
    if match.namespace.startswith(CHOOSERS) and match.url_name == "create":
        return False
    return match.view_name in DOORS or match.namespace.startswith(ROOMS)


class EditorPolicy:
    """What pages of the editor may beyond the strict policy: `POLICIES`, and nothing else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(ADDRESS) and request.user.has_perm(ENTER):
            name = request.resolver_match.url_name if request.resolver_match else None
            policy = POLICIES.get(name or "")
            if policy is not None:
                # A preview is a page of the library inside this one, and comes with that page's own policy.
                response.headers.pop("Content-Security-Policy", None)
                response._csp_replace = policy  # type: ignore[attr-defined]  # how django-csp is told
        return response


def rules_that_use(row: Any) -> Iterator[str]:
    """Active rules that name this lesson or link of the chain, as texts; a lesson by any address it had."""
    if not isinstance(row, Lesson | ChainLink):
        return
    names = {row.slug}
    if isinstance(row, Lesson) and row.pk is not None:
        names |= set(row.redirects.values_list("slug", flat=True))
    for rule in Rule.objects.filter(status=Status.ACTIVE).only("pk", "title", "rule_id", "status", "version"):
        parsed = rule.parsed()
        if not names.isdisjoint((parsed.lesson,) if isinstance(row, Lesson) else parsed.links):
            yield _("rule “%(title)s”") % {"title": rule.title}


def links_that_use(row: Any) -> Iterator[str]:
    """Links of the chain that this lesson explains, as texts."""
    if isinstance(row, Lesson):
        for slug in ChainLink.objects.live().filter(lesson_id=row.pk).values_list("slug", flat=True):
            yield _("link of the chain “%(slug)s”") % {"slug": slug}


def protect() -> None:
    """What an active rule or a link needs can be neither taken from the readers nor deleted."""
    protection.register(rules_that_use, by_name=True)
    protection.register(links_that_use, by_name=False)


def sync() -> None:
    """Make review and pictures what this file says: physios approve lessons and links."""
    reviewers = Group.objects.get(name=REVIEWERS)
    task, _made = GroupApprovalTask.objects.get_or_create(name=WORKFLOW)
    task.groups.set([reviewers])
    workflow, _made = Workflow.objects.get_or_create(name=WORKFLOW)
    WorkflowTask.objects.get_or_create(workflow=workflow, task=task, defaults={"sort_order": 0})
    for model in (Lesson, ChainLink):
        WorkflowContentType.objects.update_or_create(
            content_type=ContentType.objects.get_for_model(model), defaults={"workflow": workflow}
        )
    pictures = Collection.get_first_root_node()
    allowed = Permission.objects.filter(
        content_type__app_label="wagtailimages", codename__in=("add_image", "change_image", "choose_image")
    )
    for group, permission in product(Group.objects.filter(name__in=KEEPERS), allowed):
        GroupCollectionPermission.objects.get_or_create(
            group=group, collection=pictures, permission=permission
        )
    Workflow.objects.exclude(pk=workflow.pk).update(active=False)
    Group.objects.filter(name__in=NOT_OURS).delete()
