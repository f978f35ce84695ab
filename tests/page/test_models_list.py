"""The list of models in a browser: filters, order, pages, and the address."""

from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.api.server import ApiServer
from tests.page.browser import (
    LOOKS,
    open_page,
    requires_chromium,
    screenshot,
    violations,
)

pytestmark = requires_chromium


def names(page: Page) -> list[str]:
    return page.locator("#models-table tbody th").all_inner_texts()


def expected(server: ApiServer, **parameters: Any) -> list[str]:
    rows = httpx.get(f"{server.url}/v1/adoption", params=parameters, timeout=60).json()["data"]
    return [row["model_id"] for row in rows]


def wait_for_rows(page: Page, count: int) -> None:
    expect(page.locator("#models-table tbody tr")).to_have_count(count)


def test_every_model_is_listed_with_ram(browser: Browser, server: ApiServer) -> None:
    rows = httpx.get(f"{server.url}/v1/adoption", timeout=60).json()["data"]
    with open_page(browser, f"{server.url}/models") as page:
        wait_for_rows(page, len(rows))
        assert names(page) == [row["model_id"] for row in rows]
        shown = page.evaluate(
            """() => [...document.querySelectorAll("#models-table tbody tr")].map((row) =>
                [...row.querySelectorAll("td.number data")].map((one) => +one.value))"""
        )
        assert shown == [
            [value for value in (row["ram"], row["downloads"]) if value is not None] for row in rows
        ]
        said = page.evaluate(
            "[...document.querySelectorAll('#models-table data')].map((one) => one.title)"
        )
        assert [one for one in said if "as of 20" not in one] == []


def test_filters_are_in_the_address(browser: Browser, server: ApiServer) -> None:
    filters = {"region": "china", "released_from": "2026-01-06", "search": "model-0"}
    wanted = expected(server, **filters)
    assert 0 < len(wanted) < 14
    with open_page(browser, f"{server.url}/models") as page:
        wait_for_rows(page, 14)
        page.get_by_label("Region").select_option("china")
        page.get_by_label("Released from").fill("2026-01-06")
        page.get_by_label("Name").fill("model-0")
        wait_for_rows(page, len(wanted))
        address = page.url
    assert httpx.URL(address).params == httpx.QueryParams(filters)
    with open_page(browser, address) as page:
        wait_for_rows(page, len(wanted))
        assert names(page) == wanted
        expect(page.get_by_label("Region")).to_have_value("china")
        expect(page.get_by_label("Name")).to_have_value("model-0")


def test_column_sorts_by_keyboard(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models") as page:
        wait_for_rows(page, 14)
        heading = page.get_by_role("columnheader", name="Downloads")
        heading.get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(heading).to_have_attribute("aria-sort", "descending")
        expect(heading.get_by_role("button")).to_be_focused()
        assert names(page) == expected(server, sort="downloads")
        assert page.url.endswith("?sort=downloads")
        page.get_by_role("columnheader", name="Model").get_by_role("button").click()
        expect(page.get_by_role("columnheader", name="Model")).to_have_attribute(
            "aria-sort", "ascending"
        )
        assert names(page) == expected(server, sort="model")


def test_pages_follow_each_other(browser: Browser, server: ApiServer) -> None:
    wanted = expected(server)

    def five(route: Any) -> None:
        route.continue_(url=route.request.url.replace("limit=50", "limit=5"))

    with open_page(browser, "about:blank") as page:
        page.route("**/v1/adoption?*", five)
        page.goto(f"{server.url}/models")
        wait_for_rows(page, 5)
        assert names(page) == wanted[:5]
        page.get_by_role("button", name="Next page").click()
        expect(page.locator("#models-table tbody th").first).to_have_text(wanted[5])
        second = page.url
        page.get_by_role("button", name="Next page").click()
        expect(page.locator("#models-table tbody th").first).to_have_text(wanted[10])
        wait_for_rows(page, 4)
        expect(page.get_by_role("button", name="Next page")).to_have_count(0)
        page.get_by_role("button", name="Previous page").click()
        expect(page.locator("#models-table tbody th").first).to_have_text(wanted[5])
        page.go_back()
        expect(page.locator("#models-table tbody th").first).to_have_text(wanted[10])
        page.goto(second)
        expect(page.locator("#models-table tbody th").first).to_have_text(wanted[5])
        page.get_by_role("button", name="First page").click()
        expect(page.locator("#models-table tbody th").first).to_have_text(wanted[0])


def test_csv_has_all_rows_of_the_view(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models?org=org1&sort=downloads") as page:
        wait_for_rows(page, 5)
        address = page.get_by_role("link", name="All rows as CSV").get_attribute("href") or ""
    lines = httpx.get(server.url + address, timeout=60).text.splitlines()
    wanted = expected(server, org="org1", sort="downloads")
    assert [line.split(",")[0].strip('"') for line in lines[1:]] == wanted


def test_unknown_organisation_shows_the_nearest(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models?org=orgg1", refused=True) as page:
        expect(page.locator("#models-table")).to_contain_text("No organisation named “orgg1”.")
        expect(page.locator("#models-table").get_by_role("link", name="org1")).to_have_attribute(
            "href", "/organisations/org1"
        )


def test_no_match_is_said(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models?size_bin=%3C1B") as page:
        expect(page.locator("#models-table")).to_have_text("No models match these filters.")


@LOOKS
def test_list_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Any
) -> None:
    with open_page(browser, f"{server.url}/models", size=size, theme=theme) as page:
        wait_for_rows(page, 14)
        screenshot(page, f"models-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
