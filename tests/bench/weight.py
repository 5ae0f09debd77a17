"""What a browser with an empty cache loads for its first look at a page, headers included."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.bench.measure import HOST
from tests.bench.operations import Gate
from tests.bench.report import Result
from tests.browser.browser import find_browser


def first_views(port: int, pages: Sequence[tuple[str, str, Gate]]) -> list[Result]:
    """A result each. Raises `NoBrowserError` where no Chromium is found."""
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        seen = [first_view(browser, f"http://{HOST}:{port}{path}") for _, path, _ in pages]
        browser.close()
    return [
        Result(name=name, gate=gate, bytes=sum(sizes), requests=len(sizes))
        for (name, _, gate), sizes in zip(pages, seen, strict=True)
    ]


def first_view(browser: Browser, address: str) -> list[int]:
    """Bytes on the wire of each request that left the browser until the page had loaded and was idle."""
    sizes: list[int] = []
    # What the proxy in front of a real server would say.
    context = browser.new_context(
        viewport={"width": 412, "height": 823}, extra_http_headers={"X-Forwarded-Proto": "https"}
    )
    page = context.new_page()

    def loaded(event: Mapping[str, Any]) -> None:
        # A picture within the page's own text (`data:`) loads without a byte.
        if event["encodedDataLength"]:
            sizes.append(int(event["encodedDataLength"]))

    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", loaded)
    answer = page.goto(address, wait_until="networkidle")
    assert answer is not None
    assert answer.ok, f"{address} answers {answer.status}"
    context.close()
    return sizes
