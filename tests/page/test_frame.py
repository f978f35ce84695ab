"""The frame of all pages in a browser: header, navigation, and skip link."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.api.server import ApiServer
from tests.page.browser import PHONE, open_page, requires_chromium

PAGES = (
    "/",
    "/models",
    "/leaderboard",
    "/models/org0/model-00",
    "/organisations/org0",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_frame(server: ApiServer, path: str) -> None:
    html = httpx.get(server.url + path, timeout=60).text
    for part in ("<header>", "<main ", "<footer>", "<h1", 'id="search"', 'id="state"', "<title>"):
        assert html.count(part) == 1, part
    assert "$" not in html


def test_links_of_the_frame_are_served(server: ApiServer) -> None:
    html = httpx.get(server.url, timeout=60).text
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', html))
    assert {"/models", "/leaderboard", "/assets/search.css"} <= links
    for link in links:
        assert httpx.get(server.url + link, timeout=60).status_code == 200, link


@requires_chromium
def test_navigation_marks_the_current_page(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        navigation = page.get_by_role("navigation", name="Pages")
        expect(navigation.get_by_role("link", name="Breakouts")).to_have_attribute(
            "aria-current", "page"
        )
        navigation.get_by_role("link", name="Models").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Models")
        expect(page.locator("nav [aria-current=page]")).to_have_text("Models")


@requires_chromium
@pytest.mark.parametrize("path", PAGES)
def test_page_fits_a_phone(browser: Browser, server: ApiServer, path: str) -> None:
    with open_page(browser, server.url + path, size=PHONE) as page:
        expect(page.get_by_role("combobox", name="Find a model or an organisation")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@requires_chromium
def test_skip_link_moves_the_focus_to_the_content(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
