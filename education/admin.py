"""The newsletter in the staff site, for editors and owners. It shows no patient and leads to none."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from education.clinic_info import witness
from education.lessons.models import Lesson
from education.newsletter import issues
from education.newsletter.bounces import LONGEST_PASTE, mark_bounced, mark_pasted
from education.newsletter.export import subscribers_csv
from education.newsletter.models import Issue, Subscriber

SENDS = "education.send_issue"
# A message that came back names many addresses that are nobody's on the list.
OTHERS_NAMED = 10


class LibraryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes no arguments at run time
    """A ModelAdmin with only the pages it names, and nothing to delete."""

    view_on_site = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def page(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        """One URL of this model, behind the staff site's sign-in."""
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        return path(route, self.admin_site.admin_view(view), name=f"{model}_{name}")

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404


class BouncesForm(forms.Form):
    """Addresses, or the messages that came back, as they were pasted."""

    text = forms.CharField(
        label=gettext_lazy("Addresses, or the messages that came back"),
        help_text=gettext_lazy("Every address of a subscriber in it is marked, however it is written."),
        max_length=LONGEST_PASTE,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Paste at least one address.")},
    )


@admin.register(Subscriber)
class SubscriberAdmin(LibraryAdmin):
    """The list, to be read and taken along; addresses come and go by their own links only."""

    list_display = ("email", "status", "asked_at", "confirmed_at", "left_at", "bounced_at")
    list_display_links = None
    list_filter = ("status", ("bounced_at", admin.EmptyFieldListFilter))
    search_fields = ("email",)
    actions = ("mark_as_bounced",)
    change_list_template = "admin/education/subscriber/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist"),
            self.page("export/", self.export_view, "export"),
            self.page("bounces/", self.bounces_view, "bounces"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=gettext_lazy("Mark as bounced: their mail comes back"), permissions=["change"])
    def mark_as_bounced(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        marked = mark_bounced(queryset)
        self.message_user(
            request,
            ngettext("%(n)d address marked.", "%(n)d addresses marked.", marked) % {"n": marked},
            messages.SUCCESS,
        )

    def bounces_view(self, request: HttpRequest) -> HttpResponse:
        """Mark many at once, from what the mail server sent back."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = BouncesForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            marked = mark_pasted(form.cleaned_data["text"])
            self.message_user(
                request,
                ngettext("%(n)d address marked.", "%(n)d addresses marked.", marked.marked)
                % {"n": marked.marked},
                messages.SUCCESS,
            )
            if marked.others:
                self.message_user(
                    request,
                    _("Not on the list, or marked before: %(others)s.")
                    % {"others": ", ".join(marked.others[:OTHERS_NAMED])},
                    messages.WARNING,
                )
            response = redirect("admin:education_subscriber_changelist")
            response.status_code = 303
            return response
        context = {
            **self.admin_site.each_context(request),
            "title": _("Mark as bounced"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/education/subscriber/bounces.html", context)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Every subscriber as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        subscribers = list(Subscriber.objects.all())
        witness.tell("newsletter.exported", by=request.user, lines=len(subscribers))
        return HttpResponse(
            subscribers_csv(subscribers),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="subscribers.csv"'},
        )


class IssueForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes no arguments at run time
    """Subject, first lines, and the lessons, which come in reading order."""

    lessons = forms.ModelMultipleChoiceField(
        queryset=Lesson.objects.live(),
        label=gettext_lazy("Lessons"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose a lesson.")},
    )

    class Meta:
        model = Issue
        fields = ["subject", "intro", "lessons"]
        error_messages = {"subject": {"required": gettext_lazy("Enter a subject.")}}


@admin.register(Issue)
class IssueAdmin(LibraryAdmin):
    form = IssueForm
    change_form_template = "admin/education/issue/form.html"
    list_display = ("subject", "created_at", "queued_at", "queued_by")
    list_select_related = ("queued_by",)
    actions = None

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("", self.changelist_view, "changelist"),
            self.page("add/", self.add_view, "add"),
            self.page("<int:object_id>/change/", self.change_view, "change"),
            self.page("<int:object_id>/preview/", self.preview_view, "preview"),
            self.page("<int:object_id>/test/", self.test_view, "test"),
            self.page("<int:object_id>/send/", self.send_view, "send"),
        ]

    def change_view(
        self, request: HttpRequest, object_id: Any, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A draft can be edited; what has been sent off can only be looked at."""
        issue = self.found(request, object_id)
        if issue.queued_at is not None:
            return self.to_preview(issue)
        return super().change_view(request, str(object_id), form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Issue, form: Any, change: bool) -> None:
        issues.keep(obj)

    def response_add(
        self, request: HttpRequest, obj: Issue, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.to_preview(obj)

    def response_change(self, request: HttpRequest, obj: Issue) -> HttpResponse:
        return self.to_preview(obj)

    def found(self, request: HttpRequest, object_id: int) -> Issue:
        """Raises `Http404` for an unknown issue and for a role that may not see it."""
        issue: Issue | None = self.get_object(request, str(object_id))
        if issue is None or not self.has_view_permission(request, issue):
            raise Http404
        return issue

    def to_preview(self, issue: Issue) -> HttpResponse:
        response = redirect("admin:education_issue_preview", issue.pk)
        response.status_code = 303
        return response

    def preview_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The mail as it will be read, how far it is, and the buttons to test and send it."""
        issue = self.found(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        lacking = ""
        try:
            issues.check_send(issue)
        except issues.NotSendable as problem:
            lacking = problem.message
        context = {
            **self.admin_site.each_context(request),
            "title": _("Newsletter issue"),
            "opts": self.opts,
            "issue": issue,
            "mail": issues.preview(issue),
            "lacking": lacking,
            "progress": issues.progress(issue),
            "receivers": Subscriber.objects.receiving().count(),
            "may_send": request.user.has_perm(SENDS),
        }
        return TemplateResponse(request, "admin/education/issue/preview.html", context)

    def test_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """One mail to whoever presses the button."""
        issue, user = self.to_be_sent(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            address = issues.queue_test(issue, by=user)
        except issues.NotSendable as problem:
            self.message_user(request, problem.message, messages.ERROR)
        else:
            self.message_user(
                request, _("A test is on its way to %(address)s.") % {"address": address}, messages.SUCCESS
            )
        return self.to_preview(issue)

    def send_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """To every confirmed subscriber; once it was, only what still waits is queued again."""
        issue, user = self.to_be_sent(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            number = issues.resume(issue) if issue.queued_at else issues.send(issue, by=user)
        except issues.NotSendable as problem:
            self.message_user(request, problem.message, messages.ERROR)
        else:
            self.message_user(
                request,
                ngettext("%(n)d mail is on its way.", "%(n)d mails are on their way.", number)
                % {"n": number},
                messages.SUCCESS,
            )
        return self.to_preview(issue)

    def to_be_sent(self, request: HttpRequest, object_id: int) -> tuple[Issue, AbstractBaseUser]:
        issue = self.found(request, object_id)
        if not request.user.has_perm(SENDS) or not isinstance(request.user, AbstractBaseUser):
            raise PermissionDenied
        return issue, request.user
