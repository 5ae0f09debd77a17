"""Lessons, who wrote them, and the order in which they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from education.chain.models import ChainLink, Source

# A slow, careful reader; adults read plain texts at about 240 words a minute.
WORDS_PER_MINUTE = 200
# How a sub-heading begins in a lesson's text.
SUBHEADING = "## "
# Pages of their own under /learn/, so no lesson can have these addresses.
RESERVED_SLUGS = frozenset({"category", "course", "feed", "search"})


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


class Lesson(models.Model):
    """A short text for readers without medical knowledge.

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
    body = models.TextField(
        _("text"),
        blank=True,
        help_text=_(
            "It follows the summary. Leave an empty line between paragraphs; "
            "start a line with ## and a space to make it a sub-heading."
        ),
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
    links = models.ManyToManyField(
        ChainLink, related_name="lessons", blank=True, verbose_name=_("chain links it teaches")
    )
    related = models.ManyToManyField(
        "self", symmetrical=False, related_name="related_from", blank=True, verbose_name=_("related lessons")
    )
    sources = models.ManyToManyField(Source, related_name="lessons", blank=True, verbose_name=_("sources"))

    suggest_default = models.BooleanField(_("offer when little else fits"), default=False)
    suggest_priority = models.PositiveSmallIntegerField(_("offer earlier than higher numbers"), default=100)
    suggest_when = models.JSONField(
        _("offer when"), null=True, blank=True, validators=[validate_suggest_when]
    )
    suggest_because = models.CharField(
        _("why it is offered"), max_length=200, help_text=_("{side} becomes left or right.")
    )

    live = models.BooleanField(_("live"), default=False, help_text=_("Only live lessons can be read."))
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

    @property
    def approved(self) -> bool:
        """Whether a named physio stands behind this text."""
        return self.approved_by_id is not None

    @property
    def paragraphs(self) -> list[str]:
        """The text to read, the summary first; a sub-heading still begins with `SUBHEADING`."""
        text = f"{self.summary}\n\n{self.body}".replace("\r\n", "\n")
        return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]

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
