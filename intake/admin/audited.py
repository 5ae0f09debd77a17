"""What every page of the desk has in common: it is in the trail, it is scoped, and it deletes nothing."""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, path, reverse

from intake import audit


def member(request: HttpRequest) -> AbstractBaseUser:
    """The signed-in member of staff; the admin lets nobody else in."""
    if not isinstance(request.user, AbstractBaseUser):
        raise Http404
    return request.user


def uuid_or_404(text: str) -> UUID:
    """A key from an address. Raises `Http404` for what cannot be one."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def see_other(url: str) -> HttpResponse:
    """After a POST: go and look there, so that a reload sends nothing again."""
    response = redirect(url)
    response.status_code = 303
    return response


class DeskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes no arguments at run time
    """A ModelAdmin with only the pages it names: no deleting, no bulk actions, no history of its own.

    Django's log of admin actions stores what an object is called, which here is a patient's name; the audit
    trail takes its place.
    """

    actions = None
    view_on_site = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        # Django would go to the start page with the id in a message; here an unknown id is an unknown page.
        raise Http404

    def page(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        """One URL of this model, behind the staff site's sign-in."""
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        return path(route, self.admin_site.admin_view(view), name=f"{model}_{name}")

    def url(self, name: str, *args: object, query: str = "") -> str:
        """The address of one of this model's pages."""
        found = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)
        return f"{found}?{query}" if query else found

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist"),
            self.page("<path:object_id>/change/", self.change_view, "change"),
        ]


class AuditedAdmin(DeskAdmin):
    """Pages about patients: each runs inside one audited context, which is written before anything leaves.

    kind: what the model's rows are called in the trail.
    """

    kind = ""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Its key is known only now; the page's own line names it."""
        audit.current().saw(self.kind, [obj.pk])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.model._default_manager.all()
        return rows.visible_to(request.user)  # type: ignore[no-any-return]  # every patient table's manager has it

    def get_urls(self) -> list[URLPattern]:
        return [self.page("add/", self.add_view, "add"), *super().get_urls()]

    def audited(
        self,
        request: HttpRequest,
        action: str,
        answer: Callable[[audit.Access], HttpResponseBase],
        ids: Iterable[object] = (),
        *,
        unless_told: bool = False,
    ) -> HttpResponseBase:
        """Run a page inside the trail. What is drawn lazily is drawn here, before the row is written."""
        by = audit.staff(member(request))
        with audit.audited(action, by=by, objects={self.kind: ids}, unless_told=unless_told) as access:
            response = answer(access)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        def answer(access: audit.Access) -> HttpResponseBase:
            # The page's title stands in the browser's history: it names nobody.
            context = {"subtitle": None, **(extra_context or {})}
            return self.form_page(request, object_id, form_url, context)

        verb = "written" if request.method == "POST" else "read"
        return self.audited(request, f"{self.kind}.{verb}", answer, [object_id] if object_id else [])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """With the focus on the first field that was refused."""
        form = context["adminform"].form
        wrong = next((name for name in form.fields if name in form.errors), None)
        if wrong is not None:
            form.fields[wrong].widget.attrs["autofocus"] = True
        return super().render_change_form(request, context, *args, **kwargs)

    def form_page(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponseBase:
        """The form as Django draws and saves it, inside the page's context."""
        answer: HttpResponseBase = super().changeform_view(request, object_id, form_url, context)
        return answer
