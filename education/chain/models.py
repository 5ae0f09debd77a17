"""The chain as editors keep it: parts, links between them, the tests that check a link, and sources."""

from typing import Final

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalManyToManyField
from modelcluster.models import ClusterableModel
from wagtail.models import LockableMixin, RevisionMixin, WorkflowMixin
from wagtail.search import index

from education.chain.graph import Chain, Link
from education.chain.protection import StaysWhileUsed
from education.edition.models import new_edition

# What a row says of its drafts, their times and who has it open. Readers' pages never look at it.
OF_DRAFTS: Final = (
    "has_unpublished_changes",
    "first_published_at",
    "last_published_at",
    "latest_revision",
    "live_revision",
    "go_live_at",
    "expire_at",
    "expired",
    "locked",
    "locked_at",
    "locked_by",
)


class Source(index.Indexed, models.Model):
    """A publication that lessons, links and tests rest on. `code` is how they cite it (`S14`)."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    title = models.CharField(_("title"), max_length=300)
    url = models.URLField(_("address"), max_length=500, blank=True)
    used_for = models.TextField(
        _("what it is used for"), blank=True, help_text=_("For staff; readers never see it.")
    )

    search_fields = [
        index.SearchField("title"),
        index.AutocompleteField("title"),
        index.AutocompleteField("code"),
    ]

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class PhysioTest(models.Model):
    """A test a physio does at the evaluation. `unit` and `threshold` are words for people, not numbers."""

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    how = models.TextField(_("how it is done"))
    unit = models.CharField(_("unit"), max_length=40)
    threshold = models.TextField(_("how to read the result"))
    sources = models.ManyToManyField(Source, related_name="tests", blank=True, verbose_name=_("sources"))

    class Meta:
        verbose_name = _("physio test")
        verbose_name_plural = _("physio tests")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ChainNode(models.Model):
    """Something a link starts from or ends at: a body part, a way of moving, or what acts on them."""

    class Kind(models.TextChoices):
        SITE = "site", _("body part")
        MECHANISM = "mechanism", _("how a part works")
        BEHAVIOUR = "behaviour", _("way of moving")
        OUTCOME = "outcome", _("what it can end in")
        MODIFIER = "modifier", _("what makes it more or less")
        TRIGGER = "trigger", _("what can start it")

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)

    class Meta:
        verbose_name = _("part of the chain")
        verbose_name_plural = _("parts of the chain")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["site", "mechanism", "behaviour", "outcome", "modifier", "trigger"]),
                name="education_node_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ChainLinkQuerySet(models.QuerySet["ChainLink"]):
    """Links as rows, and as the graph they form."""

    def live(self) -> "ChainLinkQuerySet":
        """What the public may see; the others are drafts."""
        return self.filter(live=True)

    def graph(self) -> Chain:
        """The live ones of these links as a `Chain`, in one query."""
        rows = (
            self.live()
            .order_by("number", "slug")
            .values_list("slug", "from_node__slug", "to_node__slug", "direction", "laterality")
        )
        return Chain(Link(*row) for row in rows)


class ChainLink(WorkflowMixin, StaysWhileUsed, LockableMixin, RevisionMixin, index.Indexed, ClusterableModel):
    """One step of the chain: trouble at `from_node` can lead to trouble at `to_node`.

    `laterality` compares the sore side at the start of the trouble with the side at the end of this link.
    """

    class Direction(models.TextChoices):
        UP = "up", _("foot to knee")
        DOWN = "down", _("knee to foot")
        LOCAL = "local", _("stays in place")
        MODIFIER = "modifier", _("makes it more or less")
        START = "start", _("starts it")

    class Laterality(models.TextChoices):
        SAME = "same", _("same leg")
        OPPOSITE = "opposite", _("other leg")
        BOTH = "both", _("both legs")

    class Evidence(models.TextChoices):
        STRONG = "strong", _("strong")
        MODERATE = "moderate", _("moderate")
        LIMITED = "limited", _("limited")
        CONFLICTING = "conflicting", _("conflicting")
        EXPERT = "expert", _("theory, reasoning or general knowledge")

    slug = models.SlugField(_("short name"), max_length=120, unique=True)
    number = models.CharField(_("number"), max_length=10, blank=True)
    from_node = models.ForeignKey(ChainNode, models.PROTECT, related_name="links_out", verbose_name=_("from"))
    to_node = models.ForeignKey(ChainNode, models.PROTECT, related_name="links_in", verbose_name=_("to"))
    direction = models.CharField(_("direction"), max_length=10, choices=Direction)
    laterality = models.CharField(_("side"), max_length=10, choices=Laterality)
    mechanism = models.TextField(_("how it happens, in plain words"))
    clinical_note = models.TextField(_("note for the physio"), blank=True)
    evidence_grade = models.CharField(_("strength of evidence"), max_length=12, choices=Evidence)
    evidence_note = models.CharField(_("what narrows the strength"), max_length=200, blank=True)
    evidence = models.TextField(_("evidence"), blank=True)
    in_article = models.BooleanField(_("named by the clinic's article"), default=False)
    tests = ParentalManyToManyField(
        PhysioTest, related_name="links", blank=True, verbose_name=_("tests that check it")
    )
    sources = ParentalManyToManyField(Source, related_name="links", blank=True, verbose_name=_("sources"))
    lesson = models.ForeignKey(
        "education.Lesson",
        models.PROTECT,
        related_name="explains",
        null=True,
        blank=True,
        verbose_name=_("lesson that explains it"),
    )

    objects = ChainLinkQuerySet.as_manager()

    search_fields = [
        index.SearchField("slug"),
        index.AutocompleteField("slug"),
        index.SearchField("mechanism"),
        index.FilterField("direction"),
        index.FilterField("evidence_grade"),
        index.FilterField("live"),
    ]

    class Meta:
        verbose_name = _("chain link")
        verbose_name_plural = _("chain links")
        ordering = ["number", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_node=F("to_node")),
                name="education_link_two_ends",
                violation_error_message=_("A link cannot lead to where it starts."),
            ),
            models.CheckConstraint(
                condition=Q(direction__in=["up", "down", "local", "modifier", "start"]),
                name="education_link_direction",
            ),
            models.CheckConstraint(
                condition=Q(laterality__in=["same", "opposite", "both"]),
                name="education_link_laterality",
            ),
            models.CheckConstraint(
                condition=Q(evidence_grade__in=["strong", "moderate", "limited", "conflicting", "expert"]),
                name="education_link_evidence",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """Raises `ValidationError` beside the field for a link to itself."""
        super().clean()
        if self.from_node_id is not None and self.from_node_id == self.to_node_id:
            raise ValidationError({"to_node": _("A link cannot lead to where it starts.")})
        self.refuse_another_slug()


new_edition(Source, unread={"used_for"})
new_edition(ChainNode)
new_edition(PhysioTest)
new_edition(ChainLink, unread={*OF_DRAFTS, "clinical_note", "evidence", "in_article"})
