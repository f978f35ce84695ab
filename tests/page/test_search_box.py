"""The search box in a browser: by keyboard, by mouse, and with nothing to find."""

from contextlib import closing
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect

from breakout.clickhouse.client import reader_client
from breakout.settings import Settings
from tests.api.server import ApiServer
from tests.page.browser import (
    LOOKS,
    open_page,
    requires_chromium,
    screenshot,
    violations,
)

pytestmark = requires_chromium


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Find a model or an organisation")


def hits(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Results").get_by_role("option")


def test_hit_shows_organisation_size_and_ram(
    browser: Browser, server: ApiServer, world: Settings
) -> None:
    with closing(reader_client(world)) as client:
        ((model_id, ram), *_) = client.query(
            "SELECT model_id, ram FROM ram_now WHERE baseline = 'live' ORDER BY ram DESC"
        ).result_rows
    with open_page(browser, server.url) as page:
        field(page).fill(model_id.removeprefix("org")[3:])
        expect(hits(page)).to_have_count(1)
        expect(hits(page)).to_contain_text(model_id)
        expect(hits(page)).to_contain_text("10-50B")
        number = hits(page).locator("data")
        expect(number).to_have_text(f"{ram:.2f}x")
        assert "as of 2026-03-01 06:00 UTC" in (number.get_attribute("title") or "")


def test_keyboard_alone_opens_a_model(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        page.keyboard.press("/")
        expect(field(page)).to_be_focused()
        page.keyboard.type("org0 model-0")
        expect(hits(page)).to_have_count(4)
        expect(field(page)).to_have_attribute("aria-expanded", "true")
        first, second = hits(page).nth(0), hits(page).nth(1)
        page.keyboard.press("ArrowDown")
        expect(first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowDown")
        expect(first).to_have_attribute("aria-selected", "false")
        expect(second).to_have_attribute("aria-selected", "true")
        expect(field(page)).to_have_attribute(
            "aria-activedescendant", second.get_attribute("id") or ""
        )
        chosen = second.locator(".id").inner_text()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(chosen)


def test_arrow_up_goes_to_the_last_hit_and_back_to_the_field(
    browser: Browser, server: ApiServer
) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("org0")
        expect(hits(page).first).to_be_visible()
        page.keyboard.press("ArrowUp")
        expect(hits(page).last).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowDown")
        expect(page.locator("[role=option][aria-selected=true]")).to_have_count(0)


def test_escape_closes_the_hits_then_clears_the_field(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("org1")
        expect(hits(page).first).to_be_visible()
        page.keyboard.press("Escape")
        expect(hits(page).first).to_be_hidden()
        expect(field(page)).to_have_value("org1")
        expect(field(page)).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("Escape")
        expect(field(page)).to_have_value("")


def test_enter_opens_the_exact_name(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("MODEL-07")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("org1/model-07")
        assert page.url == f"{server.url}/models/org1/model-07"


def test_enter_lists_all_models_of_an_ambiguous_text(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("model-0")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Models")
        assert page.url == f"{server.url}/models?search=model-0"
        expect(page.locator("#models-table tbody tr")).to_have_count(10)


def test_click_opens_a_hit(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("model-07")
        hits(page).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("org1/model-07")


def test_unknown_name_shows_the_nearest(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("modle-03")
        message = page.locator("#search .message")
        expect(message).to_have_text("No model or organisation named “modle-03”. Nearest:")
        expect(hits(page).first).to_contain_text("org0/model-03")
        # What is only near is never opened by Enter alone.
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Models")
        expect(page.locator("#models-table")).to_contain_text("No model named “modle-03”. Nearest:")


def test_slash_is_typed_into_fields(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        field(page).fill("org0")
        page.keyboard.type("/model-00")
        expect(field(page)).to_have_value("org0/model-00")


def test_hostile_text_is_shown_as_text(browser: Browser, server: ApiServer) -> None:
    hostile = "<img src=x onerror=console.error(1)>"
    with open_page(browser, server.url) as page:
        field(page).fill(hostile)
        expect(page.locator("#search .message")).to_contain_text(f"“{hostile}”")
        assert page.locator("#search img").count() == 0


@LOOKS
def test_open_search_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    with open_page(browser, f"{server.url}/models", size=size, theme=theme) as page:
        page.locator("#models-table tbody tr").first.wait_for()
        field(page).fill("org")
        expect(hits(page).locator("data").first).to_be_visible()
        page.keyboard.press("ArrowDown")
        screenshot(page, f"search-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        popup = page.locator("#search .hits").bounding_box()
        assert popup
        assert popup["x"] >= 0
        assert popup["x"] + popup["width"] <= size[0]
