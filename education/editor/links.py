"""The Link button of a text: to one of our lessons, to another page of ours, or to an address outside.

Wagtail's own dialog begins in a tree of pages, which this product has none of.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import URLValidator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from wagtail.admin.modal_workflow import render_modal_workflow
from wagtail.admin.rich_text.converters.contentstate import link_entity
from wagtail.admin.rich_text.converters.html_to_contentstate import ExternalLinkElementHandler
from wagtail.admin.rich_text.editors.draftail.features import EntityFeature

from education.clinic_info.addresses import within_site
from education.editor.warnings import is_page, lesson_slug
from education.lessons.models import Lesson

# The script that opens the dialog asks for one of these addresses by the kind of link it is about.
KINDS: Final = (
    "pageChooser",
    "externalLinkChooser",
    "emailLinkChooser",
    "phoneLinkChooser",
    "anchorLinkChooser",
)
is_address = URLValidator(schemes=["http", "https"])


class LinkForm(forms.Form):
    """A lesson or an address, and the words to show. `url` is where it leads once the form is valid."""

    lesson = forms.ModelChoiceField(
        Lesson.objects.live(),
        required=False,
        label=gettext_lazy("A lesson"),
        to_field_name="slug",
        empty_label=gettext_lazy("None of them"),
    )
    address = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Or an address"),
        help_text=gettext_lazy(
            "A page of ours, such as /chain/, or one outside, such as https://www.example.org/."
        ),
    )
    words = forms.CharField(required=False, max_length=200, label=gettext_lazy("Words of the link"))

    def clean_address(self) -> str:
        typed = within_site(self.cleaned_data["address"])
        if not typed:
            return ""
        if typed.startswith("/") and not typed.startswith("//"):
            if not is_page(urlsplit(typed).path):
                raise ValidationError(_("We have no page at this address."))
            return typed
        try:
            is_address(typed)
        except ValidationError:
            raise ValidationError(
                _("Begin with / for a page of ours, or with https:// for one outside.")
            ) from None
        return typed

    def clean(self) -> None:
        lesson, address = self.cleaned_data.get("lesson"), self.cleaned_data.get("address")
        if "address" in self.errors:
            return
        if bool(lesson) == bool(address):
            self.add_error("address", _("Choose a lesson or give an address, one of the two."))

    @property
    def url(self) -> str:
        lesson: Lesson | None = self.cleaned_data["lesson"]
        return lesson.get_absolute_url() if lesson else str(self.cleaned_data["address"])


@require_http_methods(["GET", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """The dialog, in the shape that the editor's script reads."""
    if not request.user.has_perm("education.change_lesson"):
        raise PermissionDenied
    url, words = within_site(request.GET.get("link_url", "")), request.GET.get("link_text", "")
    slug = lesson_slug(url) or ""
    is_lesson = url == f"/learn/{slug}/" and Lesson.objects.live().filter(slug=slug).exists()
    initial = {"lesson": slug, "words": words} if is_lesson else {"address": url, "words": words}
    form = LinkForm(request.POST if request.method == "POST" else None, initial=initial, prefix="link")
    if form.is_bound and form.is_valid():
        chosen = {
            "url": form.url,
            "title": form.cleaned_data["words"] or _title_of(form),
            "prefer_this_title_as_link_text": "words" in form.changed_data,
        }
        data: dict[str, Any] = {"step": "external_link_chosen", "result": chosen}
        return render_modal_workflow(request, None, None, None, json_data=data)
    return render_modal_workflow(
        request, "education/editor/link.html", None, {"form": form}, json_data={"step": "external_link"}
    )


def _title_of(form: LinkForm) -> str:
    lesson: Lesson | None = form.cleaned_data["lesson"]
    return lesson.title if lesson else form.url


def as_stored(props: dict[str, Any]) -> Any:
    """An address of this site is stored as its path, however it was typed or pasted."""
    return link_entity({**props, "url": within_site(props.get("url") or "")})


def register(features: Any) -> None:
    """Our dialog behind the Link button, and what of a pasted link stays."""
    dialog = reverse_lazy("education_editor:link")
    features.register_editor_plugin(
        "draftail",
        "link",
        EntityFeature(
            {
                "type": "LINK",
                "icon": "link",
                "description": gettext_lazy("Link"),
                "attributes": ["url"],
                "allowlist": {"href": "^(https?:|/|undefined$)"},
                "chooserUrls": dict.fromkeys(KINDS, dialog),
            },
            js=["wagtailadmin/js/page-chooser-modal.js"],
        ),
    )
    features.register_converter_rule(
        "contentstate",
        "link",
        {
            "from_database_format": {"a[href]": ExternalLinkElementHandler("LINK")},
            "to_database_format": {"entity_decorators": {"LINK": as_stored}},
        },
    )
