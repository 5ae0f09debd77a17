"""Public pages, drawn once an edition by each process, and then found.

A kept page is as good as a drawn one: it is looked up by the edition that the database names at this very
request. The edition is read before anything is drawn, so a page that saw half of a change is kept under the
mark of before it, which nobody asks for again.
"""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from education.edition.models import EDITION, Edition

# Long enough to spare a second look at the same page, short enough that an edit shows within a minute.
FRESH_SECONDS: Final = 60
# The shipped library comes to 56 pages of 1.0 MB together (ADR 0018).
MOST_PAGES: Final = 256
MOST_BYTES: Final = 8_000_000
# Packed once, sent many times.
COMPRESSION: Final = 9


@dataclass(frozen=True, slots=True)
class Page:
    """A finished answer: its text plain and packed, and a mark (`tag`) that is the same for the same text.

    `stamp` is what it was drawn from: the edition, and the day, since pages say what is overdue.
    """

    stamp: object
    content_type: str
    plain: bytes
    packed: bytes
    tag: str

    @classmethod
    def of(cls, stamp: object, drawn: HttpResponse) -> "Page":
        plain = drawn.content
        # Without a time, so that every process packs the same bytes.
        packed = gzip.compress(plain, COMPRESSION, mtime=0)
        tag = hashlib.sha256(plain).hexdigest()[:20]
        return cls(stamp, drawn.headers["Content-Type"], plain, packed, tag)

    @property
    def bytes(self) -> int:
        return len(self.plain) + len(self.packed)

    def answer(self, *, packed: bool) -> HttpResponse:
        """To keep for a minute by any cache, and then to ask whether it changed."""
        response = HttpResponse(self.packed if packed else self.plain, content_type=self.content_type)
        headers = response.headers
        headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
        headers["Vary"] = "Accept-Encoding"
        # Another text of bytes with the same meaning: that is what a weak tag says.
        headers["ETag"] = f'W/"{self.tag}"' if packed else f'"{self.tag}"'
        if packed:
            headers["Content-Encoding"] = "gzip"
        return response


class KeptPages:
    """Pages by address, the one used last at the end. One of each address: a newer takes its place."""

    def __init__(self, most_pages: int = MOST_PAGES, most_bytes: int = MOST_BYTES) -> None:
        self.most_pages = most_pages
        self.most_bytes = most_bytes
        self.bytes = 0
        self._pages: OrderedDict[object, Page] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def find(self, address: object, stamp: object) -> Page | None:
        with self._lock:
            page = self._pages.get(address)
            if page is None or page.stamp != stamp:
                return None
            self._pages.move_to_end(address)
            return page

    def keep(self, address: object, page: Page) -> None:
        """Put it among them; what was used longest ago makes room."""
        with self._lock:
            self._take(address)
            self._pages[address] = page
            self.bytes += page.bytes
            while self.bytes > self.most_bytes or len(self._pages) > self.most_pages:
                self._take(next(iter(self._pages)))

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self.bytes = 0

    def _take(self, address: object) -> None:
        page = self._pages.pop(address, None)
        if page is not None:
            self.bytes -= page.bytes


PAGES: Final = KeptPages()


def takes_gzip(request: HttpRequest) -> bool:
    """Whether the browser names gzip among what it can unpack, and not with the weight 0."""
    for coding in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = coding.replace(" ", "").partition(";q=")
        if name == "gzip":
            return not weight or weight.strip("0.") != ""
    return False


View = Callable[..., HttpResponse]


def kept(view: View) -> View:
    """A page for everybody, the same whoever asks: the view may look at the path and nothing else.

    Only answers with 200 are kept, so that what does not exist fills nothing; a query makes no other page.
    """
    return kept_by(lambda request: "")(view)


def kept_by(variant: Callable[[HttpRequest], str]) -> Callable[[View], View]:
    """`kept`, for a view that also looks at what `variant` makes of the request: one of a few texts."""

    def decorate(view: View) -> View:
        @require_safe
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            edition = Edition.current()
            # For what else of the library the page shows.
            setattr(request, EDITION, edition)
            stamp = (edition, timezone.localdate())
            address = (request.path, variant(request))
            found = PAGES.find(address, stamp)
            if found is None:
                drawn = view(request, *args, **kwargs)
                if drawn.status_code != 200:
                    return drawn
                found = Page.of(stamp, drawn)
                if edition is not None:
                    PAGES.keep(address, found)
            response = found.answer(packed=takes_gzip(request))
            # The 304 for whoever has it already.
            return get_conditional_response(request, response.headers["ETag"], response=response) or response

        return page

    return decorate
