"""Lines to paste: badges and iframes, on the page of a model."""

import re

import httpx
from playwright.sync_api import Browser, expect

from tests.api.server import ApiServer
from tests.page.browser import open_page, requires_chromium

pytestmark = requires_chromium
MODEL = "org0/model-09"


def test_badges_are_shown_with_their_lines(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        images = page.locator("#share-lines img")
        expect(images).to_have_count(3)
        for image in images.all():
            image.scroll_into_view_if_needed()
            page.wait_for_function(
                "(image) => image.complete && image.naturalHeight === 20",
                arg=image.element_handle(),
            )
        lines = page.locator("#share-lines code").all_inner_texts()
    for line, kind in zip(lines, ("ram", "rank", "downloads"), strict=False):
        pasted = re.fullmatch(r"\[!\[[\w ]+\]\((.+)\)\]\((.+)\)", line)
        assert pasted is not None
        assert pasted[1] == f"{server.url}/badge/{kind}/{MODEL}.svg"
        assert pasted[2] == f"{server.url}/models/{MODEL}"
        assert httpx.get(pasted[1], timeout=60).headers["content-type"] == "image/svg+xml"
    assert f'src="{server.url}/embed/models/{MODEL}"' in lines[-1]


def test_line_is_copied_with_the_keyboard(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button = page.get_by_role("button", name="Copy badge: RAM rank")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#share-lines .copied", has_text="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"[![RAM rank]({server.url}/badge/rank/{MODEL}.svg)")
