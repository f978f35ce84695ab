"""The API's reference at /docs: complete, usable and accessible, served by ourselves."""

from typing import Literal

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.api.server import ApiServer
from tests.page.browser import (
    LOOKS,
    PHONE,
    open_page,
    requires_chromium,
    screenshot,
    violations,
)

pytestmark = requires_chromium
OPERATION = ".opblock-summary-path"


def wait_for_operations(page: Page) -> None:
    page.locator(OPERATION).first.wait_for()


def test_every_operation_is_listed(browser: Browser, server: ApiServer) -> None:
    paths = httpx.get(f"{server.url}/openapi.json").json()["paths"]
    with open_page(browser, f"{server.url}/docs") as page:
        wait_for_operations(page)
        shown = [text.replace("\u200b", "") for text in page.locator(OPERATION).all_inner_texts()]
        assert sorted(shown) == sorted(paths)


def test_operation_is_tried_out_by_keyboard(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/docs") as page:
        wait_for_operations(page)
        operation = page.locator(".opblock", has_text="/v1/sources").first
        operation.locator("button.opblock-summary-control").focus()
        page.keyboard.press("Enter")
        execute = operation.get_by_role("button", name="Execute")
        execute.focus()
        page.keyboard.press("Enter")
        response = operation.locator(".live-responses-table tbody .response-col_status")
        expect(response).to_contain_text("200")
        expect(operation.locator(".live-responses-table")).to_contain_text("OpenRouter")


def test_address_of_an_operation_opens_it(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/docs#/RAM/ram") as page:
        opened = page.locator("#operations-RAM-ram.is-open")
        opened.wait_for()
        expect(opened).to_contain_text("min_age")


@LOOKS
def test_reference_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    address = f"{server.url}/docs#/RAM/ram"
    with open_page(browser, address, size=size, theme=theme) as page:
        wait_for_operations(page)
        page.locator("#operations-RAM-ram.is-open .opblock-body").wait_for()
        screenshot(page, f"docs-{'phone' if size == PHONE else 'desk'}-{theme}")
        assert violations(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0]


def test_reference_loads_nothing_from_elsewhere(browser: Browser, server: ApiServer) -> None:
    requested: list[str] = []
    with open_page(browser, f"{server.url}/") as page:
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"{server.url}/docs")
        wait_for_operations(page)
        page.wait_for_load_state("networkidle")
    assert requested
    assert {url for url in requested if not url.startswith((server.url, "data:"))} == set()


def test_reference_is_linked(browser: Browser, server: ApiServer) -> None:
    for path in ("/", "/models/qi/Big-300B"):
        with open_page(browser, server.url + path) as page:
            page.locator("footer").get_by_role("link", name="API reference").click()
            wait_for_operations(page)
    for link in httpx.get(f"{server.url}/v1").json()["links"].values():
        assert httpx.get(server.url + link).status_code == 200, link
