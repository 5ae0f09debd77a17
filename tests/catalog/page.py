"""A page as somebody meets it: its title, text, headings, links and elements, without what is hidden."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SILENT = {"head", "script", "style", "title", "template"}
HEADINGS = ("h1", "h2", "h3", "h4", "h5")


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


class Page(HTMLParser):
    """`html` is a whole page; `elements` come in the order in which they begin."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[tuple[Element, bool]] = []
        self._words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        # Between two blocks there is a gap, also where the source has none.
        self._say(" " if tag not in ("b", "a", "span", "small", "mark", "em", "i") else "")
        if tag in VOID:
            return
        silent = tag in SILENT or "hidden" in element.attributes
        self._open.append((element, silent or bool(self._open and self._open[-1][1])))

    def handle_endtag(self, tag: str) -> None:
        while self._open and any(element.tag == tag for element, _ in self._open):
            element, _ = self._open.pop()
            if element.tag == tag:
                break
        self._say(" " if tag not in ("b", "a", "span", "mark", "em", "i") else "")

    def handle_data(self, data: str) -> None:
        self._say(data)

    def _say(self, data: str) -> None:
        for element, _ in self._open:
            element.words.append(data)
        if not (self._open and self._open[-1][1]):
            self._words.append(data)

    @property
    def text(self) -> str:
        """What can be read, white space as one space."""
        return " ".join("".join(self._words).split())

    @property
    def title(self) -> str:
        return next((one.text for one in self.elements if one.tag == "title"), "")

    def headings(self, level: str = "") -> list[str]:
        return [one.text for one in self.elements if one.tag in ((level,) if level else HEADINGS)]

    @property
    def links(self) -> list[tuple[str, str]]:
        """(words, address) of each link, from top to bottom."""
        return [(one.text, one.attributes.get("href", "")) for one in self.elements if one.tag == "a"]

    def has(self, tag: str, text: str = "", **attributes: str) -> bool:
        """Whether an element of this kind has all these attributes, and `text` in it."""
        return any(
            one.tag == tag
            and text in one.text
            and all(one.attributes.get(name) == value for name, value in attributes.items())
            for one in self.elements
        )
