"""Charts that other sites show in an iframe."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.api.server import ApiServer
from tests.page.browser import (
    LOOKS,
    open_page,
    requires_chromium,
    screenshot,
    violations,
    wait_for_charts,
)

pytestmark = requires_chromium
FIRST, SECOND = "org0/model-00", "org0/model-09"


@contextmanager
def another_site(content: str) -> Iterator[str]:
    """Serve a page with the content until the end of the block; yields its URL."""
    # Without an icon, browsers look one up.
    html = f'<!doctype html><link rel="icon" href="data:,">{content}'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(html)))
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def test_only_embedded_pages_can_be_framed(server: ApiServer) -> None:
    def ancestors(path: str) -> str:
        policy = httpx.get(server.url + path, timeout=60).headers["content-security-policy"]
        return policy.partition("frame-ancestors ")[2]

    assert ancestors("/embed/compare") == "*"
    assert ancestors(f"/embed/models/{FIRST}") == "*"
    for path in ("/", "/compare", f"/models/{FIRST}", "/models"):
        assert ancestors(path) == "'none'"


def test_pasted_line_shows_the_chart_on_another_site(browser: Browser, server: ApiServer) -> None:
    address = f"{server.url}/compare?models={FIRST},{SECOND}&measure=downloads"
    with open_page(browser, address) as page:
        line = page.locator("#share-lines code", has_text="<iframe").inner_text()
    with another_site(f"<title>Blog</title>{line}") as other, open_page(browser, other) as page:
        assert page.evaluate("origin") != server.url
        framed = page.frame_locator("iframe")
        framed.locator("figure[data-name=comparison] svg[role=img]").wait_for()
        expect(framed.locator(".key li")).to_have_text([FIRST, SECOND])
        back = framed.get_by_role("link", name="Compare models")
        expect(back).to_have_attribute("href", address.removeprefix(server.url))
        # Its legend works there, too.
        framed.get_by_role("button", name=SECOND).click()
        expect(framed.get_by_role("button", name=SECOND)).to_have_attribute("aria-pressed", "false")


def test_embedded_model(browser: Browser, server: ApiServer) -> None:
    requests: list[str] = []
    with open_page(browser, "about:blank") as page:
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{server.url}/embed/models/{FIRST}")
        wait_for_charts(page, "comparison")
        expect(page.locator("figcaption")).to_contain_text("as of 2026-03-01 06:00 UTC")
        link = page.get_by_role("link", name=FIRST)
        expect(link).to_have_attribute("href", f"/models/{FIRST}")
        expect(link).to_have_attribute("target", "_blank")
        # Many readers may have it open: no event stream for each.
        assert not [url for url in requests if url.endswith("/news")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/embed/compare", "No models: name them in the address"),
        ("/embed/compare?models=org0/none", "Unknown model “org0/none”."),
        ("/embed/models/org0/none", "Unknown model “org0/none”."),
        (f"/embed/models/{FIRST}?measure=likes", "Unknown measure “likes”."),
    ],
)
def test_embedded_page_names_the_problem(
    browser: Browser, server: ApiServer, path: str, text: str
) -> None:
    with open_page(browser, server.url + path, refused=True) as page:
        expect(page.locator("main")).to_contain_text(text)


@LOOKS
def test_embedded_page_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    address = f"{server.url}/embed/compare?models={FIRST},{SECOND}"
    with open_page(browser, address, size=size, theme=theme) as page:
        wait_for_charts(page, "comparison")
        screenshot(page, f"embed-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
