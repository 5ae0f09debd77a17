"""What a lesson's text is made of: typed blocks, and their plain form in which releases ship them.

Plain form: an empty line between paragraphs; a line that begins with `SUBHEADING` is a sub-heading.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from html.parser import HTMLParser
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock
from wagtail.snippets.blocks import SnippetChooserBlock

from education.clinic_info.addresses import within_site

# How a sub-heading begins in plain form.
SUBHEADING = "## "
TEXT_FEATURES = ["bold", "italic", "ol", "ul", "link", "without-style-elements"]

# A block as stored: {"type", "value"}, and an "id" once it was saved.
Raw = Mapping[str, Any]


class Drawing(models.TextChoices):
    """The drawings that ship with the product, `templates/education/drawings/<name>.svg`."""

    PATH_UP = "path-up", _("Path from the foot to the knee")
    PATH_DOWN = "path-down", _("Path from the knee to the foot")
    PATH_BOTH = "path-both", _("Both ways")
    CHAIN = "chain", _("The whole chain")


class HeadingBlock(blocks.StructBlock):
    text = blocks.CharBlock(label=_("Heading"), max_length=120)
    level = blocks.ChoiceBlock(
        [("2", _("Section")), ("3", _("Part of a section"))], default="2", label=_("Level")
    )

    class Meta:
        icon = "title"
        label = _("Heading")


class CalloutBlock(blocks.StructBlock):
    tone = blocks.ChoiceBlock(
        [("note", _("Worth knowing")), ("urgent", _("Do not wait"))], default="note", label=_("Kind")
    )
    title = blocks.CharBlock(label=_("Heading"), max_length=120)
    text = blocks.TextBlock(label=_("Text"), rows=3)

    class Meta:
        icon = "warning"
        label = _("Callout")


class SeenBlock(blocks.StructBlock):
    """Something to look at has words for those who do not see it, or is marked as decorative."""

    alt = blocks.CharBlock(
        required=False,
        max_length=200,
        label=_("What it shows, in words"),
        help_text=_("Read aloud to people who do not see it."),
    )
    decorative = blocks.BooleanBlock(
        required=False, label=_("Decorative"), help_text=_("It shows nothing that the text does not say.")
    )
    caption = blocks.CharBlock(required=False, max_length=200, label=_("Caption"))

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if not cleaned["alt"].strip() and not cleaned["decorative"]:
            problem = ValidationError(_("Say in words what it shows, or mark it as decorative."))
            raise blocks.StructBlockValidationError(block_errors={"alt": problem})
        return cleaned


class DrawingBlock(SeenBlock):
    drawing = blocks.ChoiceBlock(Drawing.choices, label=_("Drawing"))

    class Meta:
        icon = "pick"
        label = _("Drawing")
        form_layout = ["drawing", "alt", "decorative", "caption"]


class PictureBlock(SeenBlock):
    image = ImageChooserBlock(label=_("Picture"))

    class Meta:
        icon = "image"
        label = _("Picture")
        form_layout = ["image", "alt", "decorative", "caption"]


class SelfCheckBlock(blocks.StructBlock):
    question = blocks.CharBlock(label=_("Question"), max_length=200)
    options = blocks.ListBlock(blocks.CharBlock(max_length=200), min_num=2, max_num=6, label=_("Options"))
    answer = blocks.IntegerBlock(min_value=1, label=_("Which option fits"), help_text=_("1 is the first."))
    why = blocks.TextBlock(label=_("Why"), rows=2)

    class Meta:
        icon = "help"
        label = _("Self-check")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        # A draft may leave it for later.
        if (cleaned["answer"] or 0) > len(cleaned["options"]):
            problem = ValidationError(_("There are not so many options."))
            raise blocks.StructBlockValidationError(block_errors={"answer": problem})
        return cleaned


class BodyBlock(blocks.StreamBlock):
    """Everything a lesson's text can hold."""

    heading = HeadingBlock()
    text = blocks.RichTextBlock(features=TEXT_FEATURES, label=_("Text"), icon="pilcrow")
    key_points = blocks.ListBlock(blocks.CharBlock(max_length=200), label=_("Key points"), icon="list-ul")
    callout = CalloutBlock()
    drawing = DrawingBlock()
    picture = PictureBlock()
    self_check = SelfCheckBlock()
    lesson = SnippetChooserBlock("education.Lesson", label=_("Link to a lesson"), icon="link")
    chain_link = SnippetChooserBlock("education.ChainLink", label=_("Link of the chain"), icon="link")
    source = SnippetChooserBlock("education.Source", label=_("Source"), icon="doc-full")


def raw_blocks(body: Any) -> list[Raw]:
    """The blocks as stored, of a `Lesson.body` or of what it was made from."""
    return list(getattr(body, "raw_data", body) or [])


def addresses(body: Any) -> list[str]:
    """Every address that the words of a body link to; one of this site as its path."""
    return [
        within_site(link)
        for block in raw_blocks(body)
        if block["type"] == "text"
        for link in Html(block["value"]).links
    ]


def blocks_of_text(text: str) -> list[dict[str, Any]]:
    """The blocks of a text in plain form; paragraphs under one heading make one block."""
    found: list[dict[str, Any]] = []
    paragraphs: list[str] = []

    def end_paragraphs() -> None:
        if paragraphs:
            html = "".join(f"<p>{escape(words, quote=False)}</p>" for words in paragraphs)
            found.append({"type": "text", "value": html})
            paragraphs.clear()

    for part in text.replace("\r\n", "\n").split("\n\n"):
        words = part.strip()
        if words.startswith(SUBHEADING):
            end_paragraphs()
            heading, _rest, words = words.removeprefix(SUBHEADING).partition("\n")
            found.append({"type": "heading", "value": {"text": heading.strip(), "level": "2"}})
        if words.strip():
            paragraphs.append(words.strip())
    end_paragraphs()
    return found


def text_of_blocks(body: Iterable[Raw]) -> str | None:
    """The plain form of blocks; None where it cannot hold them, as with bold words or a callout."""
    parts: list[str] = []
    for block in body:
        value = block["value"]
        if block["type"] == "heading" and value["level"] == "2":
            parts.append(SUBHEADING + value["text"])
        elif block["type"] == "text":
            html = Html(value)
            if not html.is_plain:
                return None
            parts += html.paragraphs
        else:
            return None
    return "\n\n".join(parts)


class Html(HTMLParser):
    """Rich text taken apart. paragraphs: its words; links: its addresses; is_plain: only paragraphs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self.links: list[str] = []
        self.is_plain = True
        self._words: list[str] = []
        self.feed(html)
        self.close()
        self._end_paragraph()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The editor marks each paragraph of its own with a key.
        if tag not in ("p", "br") or any(name != "data-block-key" for name, _value in attrs):
            self.is_plain = False
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "br":
            self._words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "li"):
            self._end_paragraph()

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def _end_paragraph(self) -> None:
        if words := "".join(self._words).strip():
            self.paragraphs.append(words)
        self._words = []


def texts_of(block: Raw) -> Iterator[str]:
    """The words of one block that a reader reads, a heading without its mark."""
    kind, value = block["type"], block["value"]
    if kind == "heading":
        yield value["text"]
    elif kind == "text":
        yield from Html(value).paragraphs
    elif kind == "key_points":
        yield from items_of(value)
    elif kind == "callout":
        yield from (value["title"], value["text"])
    elif kind in ("drawing", "picture") and value["caption"]:
        yield value["caption"]
    elif kind == "self_check":
        yield from (value["question"], *items_of(value["options"]), value["why"])


def items_of(value: Iterable[Any]) -> list[str]:
    """The texts of a list block; a saved one wraps each in `{"type", "value", "id"}`."""
    return [item["value"] if isinstance(item, Mapping) else item for item in value]
