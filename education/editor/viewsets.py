"""The pages of the editor, one set for each thing that editors keep."""

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    MultiFieldPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
    TitleFieldPanel,
)
from wagtail.admin.ui.tables import BooleanColumn
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from education.chain.models import ChainLink, Source
from education.clinic_info.models import ClinicInfo, PrivacyNotice
from education.editor.forms import LessonForm
from education.editor.panels import WarningsPanel
from education.editor.views import EveryUse, NobodyOverwritten
from education.lessons.models import Author, Category, Lesson

LIVE = BooleanColumn("live", label=_("Live"), sort_key="live")


class LessonViewSet(SnippetViewSet):
    model = Lesson
    usage_view_class = EveryUse
    edit_view_class = NobodyOverwritten
    icon = "doc-full-inverse"
    menu_label = _("Lessons")
    add_to_admin_menu = False
    list_display = ["title", "part", LIVE, "updated_on", "next_review_on"]
    list_filter = ["part", "live", "category"]
    ordering = ["order", "slug"]
    list_per_page = 50

    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    WarningsPanel(),
                    TitleFieldPanel("title", targets=["slug"], required_on_save=True),
                    FieldPanel("slug"),
                    FieldPanel("lead"),
                    FieldPanel("summary"),
                    FieldPanel("body"),
                    FieldPanel("key_points"),
                    FieldPanel("path"),
                    FieldPanel("self_check"),
                ],
                heading=_("Text"),
            ),
            ObjectList(
                [
                    MultiFieldPanel(
                        [FieldPanel("part"), FieldPanel("order"), FieldPanel("icon")], _("Place")
                    ),
                    MultiFieldPanel([FieldPanel("author"), FieldPanel("category")], _("By and about")),
                    FieldPanel("links"),
                    FieldPanel("related"),
                    FieldPanel("sources"),
                ],
                heading=_("Place and sources"),
            ),
            ObjectList(
                [
                    FieldPanel("suggest_default"),
                    FieldPanel("suggest_priority"),
                    FieldPanel("suggest_because"),
                    FieldPanel("suggest_when"),
                ],
                heading=_("Offer to patients"),
            ),
            ObjectList(
                [FieldPanel("next_review_on"), FieldPanel("published_on"), PublishingPanel()],
                heading=_("Review and dates"),
            ),
        ],
        base_form_class=LessonForm,
    )


class ChainLinkViewSet(SnippetViewSet):
    model = ChainLink
    usage_view_class = EveryUse
    edit_view_class = NobodyOverwritten
    icon = "link"
    menu_label = _("Links of the chain")
    list_display = ["slug", "from_node", "to_node", "direction", "evidence_grade", LIVE]
    list_filter = ["direction", "evidence_grade", "live"]
    list_per_page = 50

    edit_handler = ObjectList(
        [
            FieldPanel("slug"),
            MultiFieldPanel(
                [
                    FieldPanel("from_node"),
                    FieldPanel("to_node"),
                    FieldPanel("direction"),
                    FieldPanel("laterality"),
                ],
                _("From where to where"),
            ),
            FieldPanel("mechanism"),
            FieldPanel("clinical_note"),
            MultiFieldPanel(
                [FieldPanel("evidence_grade"), FieldPanel("evidence_note"), FieldPanel("evidence")],
                _("How sure we are"),
            ),
            FieldPanel("lesson"),
            FieldPanel("tests"),
            FieldPanel("sources"),
            FieldPanel("number"),
            PublishingPanel(),
        ]
    )


class SourceViewSet(SnippetViewSet):
    model = Source
    usage_view_class = EveryUse
    icon = "doc-full"
    list_display = ["code", "title", "url"]
    list_per_page = 50
    panels = [FieldPanel("code"), FieldPanel("title"), FieldPanel("url"), FieldPanel("used_for")]


class AuthorViewSet(SnippetViewSet):
    model = Author
    usage_view_class = EveryUse
    icon = "user"
    list_display = ["name", "credentials"]
    panels = [FieldPanel("name"), FieldPanel("credentials")]


class CategoryViewSet(SnippetViewSet):
    model = Category
    usage_view_class = EveryUse
    icon = "folder-open-inverse"
    list_display = ["name", "slug"]
    panels = [TitleFieldPanel("name", targets=["slug"]), FieldPanel("slug")]


class ClinicInfoViewSet(SnippetViewSet):
    model = ClinicInfo
    icon = "home"
    menu_label = _("Clinic facts")
    copy_view_enabled = False
    panels = [
        FieldPanel("name"),
        FieldPanel("street_address"),
        FieldPanel("city"),
        FieldPanel("region"),
        FieldPanel("postal_code"),
        FieldPanel("phone"),
        FieldPanel("phone_display"),
        FieldPanel("hours"),
        FieldPanel("hours_note"),
        FieldPanel("booking_url"),
        FieldPanel("call_heading"),
        FieldPanel("call_text"),
        FieldPanel("newsletter_text"),
        FieldPanel("shows_subscriber_count"),
        FieldPanel("social_links"),
    ]


class PrivacyNoticeViewSet(SnippetViewSet):
    """A version stays as it was; a change is a new one."""

    model = PrivacyNotice
    icon = "lock"
    list_display = ["__str__", "in_force_on"]
    inspect_view_enabled = True
    copy_view_enabled = False
    panels = [FieldPanel("text"), FieldPanel("in_force_on")]


class LibraryGroup(SnippetViewSetGroup):
    items = (
        LessonViewSet,
        ChainLinkViewSet,
        SourceViewSet,
        AuthorViewSet,
        CategoryViewSet,
        ClinicInfoViewSet,
        PrivacyNoticeViewSet,
    )
    menu_label = _("Library")
    menu_icon = "folder-open-inverse"
    menu_order = 100
