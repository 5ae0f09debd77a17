"""Lessons, who wrote them, and the order in which they are read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalManyToManyField
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import (
    LockableMixin,
    PreviewableMixin,
    Revision,
    RevisionMixin,
    WorkflowMixin,
)
from wagtail.search import index

from education.chain.models import OF_DRAFTS, ChainLink, Source
from education.chain.protection import StaysWhileUsed, refuse_if_used
from education.edition.models import new_edition
from education.lessons import pictures
from education.lessons.blocks import SUBHEADING, BodyBlock, addresses, raw_blocks, texts_of

# A slow, careful reader; adults read plain texts at about 240 words a minute.
WORDS_PER_MINUTE = 200
# Pages of their own under /learn/, so no lesson can have these addresses.
RESERVED_SLUGS = frozenset({"category", "course", "feed", "search"})
# What a reader's page never says.
NOT_READ = (
    *OF_DRAFTS,
    "suggest_when",
    "suggest_because",
    "suggest_default",
    "suggest_priority",
    "approved_by",
)


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """A question a reader puts to themselves: what is offered, which one fits, and why."""

    question: str
    options: tuple[str, ...]
    answer: str
    why: str


def validate_texts(value: object) -> None:
    """A JSON list of non-empty texts, as in `Lesson.key_points`."""
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise ValidationError(_("Give a list of texts, none of them empty."))


def validate_self_check(value: object) -> None:
    """A JSON list of `{"question", "options": [text, text, ...], "answer": index, "why"}`."""
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of questions."))
    for entry in value:
        if not isinstance(entry, Mapping) or set(entry) != {"question", "options", "answer", "why"}:
            raise ValidationError(_("Each question needs exactly: question, options, answer, why."))
        validate_texts([entry["question"], entry["why"]])
        validate_texts(entry["options"])
        answer, options = entry["answer"], entry["options"]
        if len(options) < 2:
            raise ValidationError(_("Each question needs two options or more."))
        if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(options):
            raise ValidationError(_("The answer must be the place of one of the options, counted from 0."))


def validate_suggest_when(value: object) -> None:
    """A JSON object with `scope` and `requires`; what its conditions mean is the intake's to check."""
    if not isinstance(value, Mapping) or value.get("scope") not in ("side", "person"):
        raise ValidationError(_("Say for whom it holds: scope side or person."))
    if not isinstance(value.get("requires"), list) or not value["requires"]:
        raise ValidationError(_("Give at least one condition under requires."))


def validate_slug(value: str) -> None:
    """An address that is not the site's own."""
    if value in RESERVED_SLUGS:
        raise ValidationError(_("This address belongs to a page of the site. Choose another."))


def text_for_search(body: Any) -> str:
    """The words of a body, one piece a paragraph."""
    return "\n\n".join(words for block in raw_blocks(body) for words in texts_of(block))


# What a revision says of itself rather than to readers.
_NOT_WORDS = frozenset(
    [
        "live",
        "has_unpublished_changes",
        "first_published_at",
        "last_published_at",
        "go_live_at",
        "expire_at",
        "expired",
        "locked",
        "locked_at",
        "locked_by",
        "latest_revision",
        "live_revision",
        "approved_by",
        "reviewed_on",
        "reviewed_by",
        "updated_on",
    ]
)


def without_ids(value: Any) -> Any:
    """Blocks as stored without the ids that name them, however deep they stand."""
    if isinstance(value, dict):
        return {name: without_ids(inner) for name, inner in value.items() if name != "id"}
    return [without_ids(inner) for inner in value] if isinstance(value, list) else value


def writer_of(revision: Revision) -> int | None:
    """Who wrote what a revision says: whoever saved it first. Saving it again unchanged writes nothing."""

    def words(one: Revision) -> dict[str, Any]:
        said = {name: value for name, value in one.content.items() if name not in _NOT_WORDS}
        return {**said, "body": without_ids(json.loads(one.content["body"]))}

    writer: int | None = revision.user_id
    its_words = words(revision)
    earlier = Revision.objects.filter(
        base_content_type_id=revision.base_content_type_id, object_id=revision.object_id, pk__lt=revision.pk
    ).order_by("-pk")
    for one in earlier.iterator(chunk_size=10):
        if words(one) != its_words:
            break
        writer = one.user_id
    return writer


class Author(models.Model):
    """Who wrote a lesson, as readers see it: `Maya Ortiz, DPT`."""

    name = models.CharField(_("name"), max_length=120)
    credentials = models.CharField(_("credentials"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("author")
        verbose_name_plural = _("authors")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name}, {self.credentials}" if self.credentials else self.name


class Category(models.Model):
    """A subject that lessons are filed under."""

    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def signature(user: Any) -> str:
    """A physio as readers see her, `Dr. Maya Ortiz, DPT`; empty for an account without a name.

    The letters behind the name are those of the author of the same name.
    """
    name: str = user.get_full_name()
    author = Author.objects.filter(name=name).exclude(credentials="").first() if name else None
    return f"{user.title} {author or name}".strip() if name else ""


class LessonQuerySet(models.QuerySet["Lesson"]):
    """Lessons in reading order."""

    def live(self) -> "LessonQuerySet":
        """What the public may read."""
        return self.filter(live=True)

    def suggestable(self) -> list[dict[str, Any]]:
        """What choosing lessons for a patient needs, as entries of `lessons.json`, in one query.

        Each is `{"slug", "title", "default": bool, "priority": int, "suggestWhen": object|None, "because"}`.
        """
        rows = self.values_list(
            "slug", "title", "suggest_default", "suggest_priority", "suggest_when", "suggest_because"
        )
        names = ("slug", "title", "default", "priority", "suggestWhen", "because")
        return [dict(zip(names, row, strict=True)) for row in rows]


class Lesson(
    PreviewableMixin,
    WorkflowMixin,
    StaysWhileUsed,
    LockableMixin,
    RevisionMixin,
    index.Indexed,
    ClusterableModel,
):
    """A short text for readers without medical knowledge.

    The row is what readers see; what editors are working on stands in its revisions until it is published.

    Its content is clinical: while `approved_by` is empty no physio has approved it, which staff are told
    and readers are not. `order` makes previous and next. `suggest_*` say to whom it is offered after an
    intake (`clinical` rules: `education/catalog/lessons.json`, `suggestion`).
    """

    class Part(models.TextChoices):
        START = "start", _("Start here")
        UP = "up", _("Foot to knee")
        DOWN = "down", _("Knee to foot")
        BOTH = "both", _("Both ways")
        HELP = "help", _("What helps")
        VISIT = "visit", _("Before your visit")

    class Icon(models.TextChoices):
        CALENDAR = "cal", _("calendar")
        CHAIN = "chain", _("chain")
        DUMBBELL = "flex", _("dumbbell")
        FORM = "form", _("form")
        HEART = "heart", _("heart")
        SHOE = "shoe", _("shoe")
        WALK = "walk", _("walker")

    slug = models.SlugField(_("address"), max_length=80, unique=True, validators=[validate_slug])
    title = models.CharField(_("title"), max_length=120)
    lead = models.CharField(_("one sentence for lists"), max_length=200)
    part = models.CharField(_("part of the course"), max_length=10, choices=Part)
    icon = models.CharField(_("picture on cards"), max_length=10, choices=Icon, default=Icon.CHAIN)
    order = models.PositiveSmallIntegerField(_("place in the reading order"))
    summary = models.TextField(_("summary"))
    body = StreamField(
        BodyBlock(), verbose_name=_("text"), blank=True, help_text=_("It follows the summary.")
    )
    key_points = models.JSONField(_("key points"), default=list, blank=True, validators=[validate_texts])
    path = models.CharField(
        _("path through the leg, in words"), max_length=200, blank=True, help_text=_("Stands by the drawing.")
    )
    self_check = models.JSONField(_("self-check"), default=list, blank=True, validators=[validate_self_check])
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="lessons", null=True, blank=True, verbose_name=_("category")
    )
    author = models.ForeignKey(
        Author, models.PROTECT, related_name="lessons", null=True, blank=True, verbose_name=_("author")
    )
    links = ParentalManyToManyField(
        ChainLink, related_name="lessons", blank=True, verbose_name=_("chain links it teaches")
    )
    related = ParentalManyToManyField(
        "self", symmetrical=False, related_name="related_from", blank=True, verbose_name=_("related lessons")
    )
    sources = ParentalManyToManyField(Source, related_name="lessons", blank=True, verbose_name=_("sources"))

    suggest_default = models.BooleanField(_("offer when little else fits"), default=False)
    suggest_priority = models.PositiveSmallIntegerField(_("offer earlier than higher numbers"), default=100)
    suggest_when = models.JSONField(
        _("offer when"), null=True, blank=True, validators=[validate_suggest_when]
    )
    suggest_because = models.CharField(
        _("why it is offered"), max_length=200, help_text=_("{side} becomes left or right.")
    )

    live = models.BooleanField(_("live"), default=False, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("approved by"),
    )
    published_on = models.DateField(_("published"), default=timezone.localdate)
    updated_on = models.DateField(_("updated"), null=True, blank=True)
    next_review_on = models.DateField(
        _("next review"), null=True, blank=True, help_text=_("Readers see it; after it the text is overdue.")
    )
    reviewed_on = models.DateField(_("reviewed by a physio"), null=True, blank=True, editable=False)
    reviewed_by = models.CharField(
        _("who reviewed it, as readers see it"), max_length=420, blank=True, editable=False
    )
    body_text = models.TextField(_("text without blocks"), blank=True, editable=False)

    search_fields = [
        index.SearchField("title", boost=3),
        # What the lists of the editor look in: words begun as well as whole ones.
        index.AutocompleteField("title"),
        index.AutocompleteField("summary"),
        index.AutocompleteField("body_text"),
        index.SearchField("lead"),
        index.SearchField("summary"),
        index.SearchField("body_text"),
        index.FilterField("part"),
        index.FilterField("category"),
        index.FilterField("live"),
    ]

    objects = LessonQuerySet.as_manager()

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")
        ordering = ["order", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(part__in=["start", "up", "down", "both", "help", "visit"]),
                name="education_lesson_part",
            ),
            models.CheckConstraint(
                condition=Q(icon__in=["cal", "chain", "flex", "form", "heart", "shoe", "walk"]),
                name="education_lesson_icon",
            ),
            models.CheckConstraint(
                condition=Q(suggest_default=False) | Q(suggest_when__isnull=True),
                name="education_lesson_default_is_unconditional",
                violation_error_message=_("A lesson offered by default has no conditions."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("education:lesson", kwargs={"slug": self.slug})

    def clean(self) -> None:
        """Raises `ValidationError` for a link to itself, and for an address by which another is known."""
        super().clean()
        self.refuse_a_known_slug()
        if self.pk is None:
            return
        if self.links_to_itself():
            raise ValidationError({"body": _("A lesson cannot link to itself.")})
        # Readers of a draft are led nowhere, so nothing finds it again at another address.
        if not Lesson.objects.live().filter(pk=self.pk).exists():
            self.refuse_another_slug()
        if self.expire_at is not None:
            refuse_if_used(Lesson(pk=self.pk, slug=self.stored_slug() or self.slug), "expire_at")

    def refuse_a_known_slug(self) -> None:
        """Raises `InUse` where another lesson had this address and is still known by it."""
        if LessonRedirect.objects.filter(slug=self.slug).exclude(lesson=self.pk).exists():
            refuse_if_used(Lesson(slug=self.slug), "slug", only_by_name=True)

    def links_to_itself(self) -> bool:
        """Whether a block or the words of a text lead to the page they stand on; a place on it is no link."""
        own = {
            reverse("education:lesson", kwargs={"slug": slug})
            for slug in (self.slug, self.stored_slug())
            if slug
        }
        blocks = raw_blocks(self.body)
        return any(block["type"] == "lesson" and block["value"] == self.pk for block in blocks) or any(
            urlsplit(link).path in own and not urlsplit(link).fragment for link in addresses(blocks)
        )

    def publish(self, revision: Revision, user: Any = None, **options: Any) -> None:
        """Make the revision what readers see, now or at its time.

        The dates and the approval go with it: a physio approves what somebody else wrote, and nothing else.
        Readers of an address that changed are led to the new one.
        """
        pictures.make(raw_blocks(revision.as_object().body))
        if user is not None:
            approves = user.has_perm("education.publish_lesson") and writer_of(revision) != user.pk
            today = timezone.localdate().isoformat()
            revision.content["approved_by"] = user.pk if approves else None
            revision.content["reviewed_on"] = today if approves else None
            revision.content["reviewed_by"] = signature(user) if approves else ""
            revision.content["updated_on"] = today
            revision.save(update_fields=["content"])
        before = Lesson.objects.filter(pk=self.pk, live=True).values_list("slug", flat=True).first()
        super().publish(revision, user=user, **options)
        now = Lesson.objects.filter(pk=self.pk).values_list("slug", flat=True).get()
        LessonRedirect.objects.filter(slug=now).delete()
        if before is not None and before != now:
            LessonRedirect.objects.update_or_create(slug=before, defaults={"lesson_id": self.pk})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Also keeps the words of the body as text, which is what readers search."""
        self.body_text = text_for_search(self.body)
        if kwargs.get("update_fields") is not None and "body" in kwargs["update_fields"]:
            kwargs["update_fields"] = {*kwargs["update_fields"], "body_text"}
        super().save(*args, **kwargs)

    def get_preview_template(self, request: Any, mode_name: str) -> str:
        return "education/lesson.html"

    def get_preview_context(self, request: Any, mode_name: str) -> dict[str, Any]:
        from education.lessons.reading import preview

        return {"request": request, "reading": preview(self), "lesson": self}

    @property
    def approved(self) -> bool:
        """Whether a named physio stands behind this text."""
        return self.approved_by_id is not None

    @property
    def review_is_overdue(self) -> bool:
        return self.next_review_on is not None and self.next_review_on < timezone.localdate()

    @property
    def promises_review(self) -> bool:
        """Whether the page may say when it is reviewed next: a day that has passed is no promise."""
        return self.next_review_on is not None and not self.review_is_overdue

    @property
    def claims_review(self) -> bool:
        """Whether the page may say that a physio reviewed it."""
        return self.reviewed_on is not None and not self.review_is_overdue

    @property
    def paragraphs(self) -> list[str]:
        """The text to read, the summary first; a sub-heading begins with `SUBHEADING`."""
        found = [words.strip() for words in self.summary.replace("\r\n", "\n").split("\n\n") if words.strip()]
        for block in raw_blocks(self.body):
            mark = SUBHEADING if block["type"] == "heading" else ""
            found += [mark + words for words in texts_of(block)]
        return found

    @property
    def checks(self) -> list[SelfCheck]:
        """The self-check as readers need it: the fitting option as words, not as a number."""
        return [
            SelfCheck(
                question=entry["question"],
                options=tuple(entry["options"]),
                answer=entry["options"][entry["answer"]],
                why=entry["why"],
            )
            for entry in self.self_check
        ]

    @property
    def minutes(self) -> int:
        """Reading time in whole minutes, at least 1 (`WORDS_PER_MINUTE`)."""
        texts = [self.lead, *self.paragraphs, *self.key_points]
        texts += [text for check in self.checks for text in (check.question, *check.options, check.why)]
        words = sum(len(text.removeprefix(SUBHEADING).split()) for text in texts)
        return max(1, round(words / WORDS_PER_MINUTE))


class LessonRedirect(models.Model):
    """An address that a lesson once had; it leads to the lesson for good."""

    slug = models.SlugField(_("old address"), max_length=80, unique=True)
    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="redirects", verbose_name=_("lesson"))

    class Meta:
        verbose_name = _("old address")
        verbose_name_plural = _("old addresses")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


new_edition(Author)
new_edition(Category)
new_edition(Lesson, unread=NOT_READ)
new_edition(LessonRedirect)
