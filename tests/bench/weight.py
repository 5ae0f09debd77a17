"""What a phone on a slow line loads for a page, and when it shows it; headers included.

An emulated phone: a processor four times slower, 562.5 ms of waiting a request, 1.44 Mbit/s down and 0.675 up
(Lighthouse's slow 4G). Bytes, requests and shifts do not depend on the machine. When the largest part of the
page is painted (LCP) does, a little; it is compared with the floor's page, seen in turns by the same phone.
"""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.bench.measure import HOST, BenchError, Server
from tests.bench.operations import LESSON, View
from tests.bench.report import Paint, Result
from tests.browser.browser import find_browser

RUNS: Final = 3
SLOWER: Final = 4
# Milliseconds; bytes a second.
LINE: Final = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1_474_560 / 8,
    "uploadThroughput": 675_000 / 8,
}
# What moves once all is there, moves by then.
SETTLE_MS: Final = 500

WATCH: Final = """
window.seen = {lcp: 0, shift: 0};
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) seen.lcp = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at a page. sizes: bytes on the wire of each request. lcp: ms from the click. shift: CLS."""

    sizes: tuple[int, ...]
    lcp: float
    shift: float


def look(ours: Server, floor: Server, views: Sequence[View], runs: int = RUNS) -> list[Result]:
    """A result each. The floor is its page of a lesson: one HTML document that loads nothing else.

    Raises `NoBrowserError` where no Chromium is found.
    """
    if not views:
        return []
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    floors: dict[bool, list[Seen]] = {False: [], True: []}
    seen: dict[str, list[Seen]] = {view.name: [] for view in views}
    # A first view comes before the same page's repeat, in the same browser.
    pages = list(dict.fromkeys((view.path, view.who) for view in views))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        for _ in range(runs):
            for again, one in zip((False, True), both_looks(browser, floor, LESSON, ""), strict=True):
                floors[again].append(one)
            for path, who in pages:
                first, repeat = both_looks(browser, ours, path, who)
                for view in views:
                    if (view.path, view.who) == (path, who):
                        seen[view.name].append(repeat if view.again else first)
        browser.close()
    if any(len(one.sizes) != 1 for one in floors[False]):
        raise BenchError("The floor's page loads more than itself.")
    return [result(view, seen[view.name], floors[view.again]) for view in views]


def result(view: View, looks: Sequence[Seen], floor: Sequence[Seen]) -> Result:
    """The middle of what was seen; of bytes, requests and shifts the most."""
    return Result(
        name=view.name,
        gate=view.gate,
        bytes=max(sum(one.sizes) for one in looks),
        requests=max(len(one.sizes) for one in looks),
        paint=Paint(
            lcp=statistics.median(one.lcp for one in looks),
            floor_lcp=statistics.median(one.lcp for one in floor),
            shift=max(one.shift for one in looks),
        ),
    )


def both_looks(browser: Browser, server: Server, path: str, who: str) -> tuple[Seen, Seen]:
    """With an empty cache, and then again with what that one left there."""
    context = browser.new_context(
        viewport={"width": 412, "height": 823},
        device_scale_factor=1.75,
        is_mobile=True,
        has_touch=True,
        # What the proxy in front of a real server would say.
        extra_http_headers={"X-Forwarded-Proto": "https"},
    )
    address = f"http://{HOST}:{server.port}"
    cookies = server.people.cookies[who].items()
    # `__Host-` belongs to TLS, and so does the machine itself in a browser's eyes.
    context.add_cookies(
        [{"name": name, "value": value, "url": f"https://{HOST}:{server.port}"} for name, value in cookies]
    )
    try:
        return one_look(context, address + path), one_look(context, address + path)
    finally:
        context.close()


def one_look(context: BrowserContext, address: str) -> Seen:
    sizes: list[int] = []
    page = context.new_page()

    def loaded(event: Mapping[str, Any]) -> None:
        # A picture within the page's own text (`data:`), or a kept file, loads without a byte.
        if event["encodedDataLength"]:
            sizes.append(int(event["encodedDataLength"]))

    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", LINE)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    devtools.on("Network.loadingFinished", loaded)
    page.add_init_script(WATCH)
    answer = page.goto(address, wait_until="networkidle", timeout=90_000)
    if answer is None or answer.status != 200 or page.url != address:
        raise BenchError(f"{address} answers {answer and answer.status}, at {page.url}")
    page.wait_for_timeout(SETTLE_MS)
    seen = page.evaluate("seen")
    page.close()
    return Seen(tuple(sizes), float(seen["lcp"]), float(seen["shift"]))
