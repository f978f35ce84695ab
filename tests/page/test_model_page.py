"""The page of one model in a browser."""

from contextlib import closing
from typing import Literal

import pytest
from playwright.sync_api import Browser, Route, expect

from breakout.clickhouse.client import reader_client
from breakout.settings import Settings
from tests.api.server import ApiServer
from tests.page.browser import (
    DESK,
    PHONE,
    open_page,
    requires_chromium,
    screenshot,
    violations,
    wait_for_charts,
)

pytestmark = requires_chromium
MODEL = "org0/model-00"


def test_milestones_equal_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    with closing(reader_client(world)) as client:
        expected = client.query(
            "SELECT ram, cumulative FROM ram_milestones "
            f"WHERE baseline = 'live' AND model_id = '{MODEL}' ORDER BY age_days"
        ).result_rows
    assert expected
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        page.locator("#milestones-table tbody tr").first.wait_for()
        found = page.evaluate(
            """() => [...document.querySelectorAll("#milestones-table tbody tr")].map((row) =>
                [...row.querySelectorAll("data")].slice(0, 2).map((one) => +one.value))"""
        )
        assert [tuple(row) for row in found] == expected


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    address = f"{server.url}/models/{MODEL}"
    with open_page(browser, address, size=size, theme=theme) as page:
        wait_for_charts(page, "curve", "downloads")
        page.locator("#facts-list dd").first.wait_for()
        screenshot(page, f"model-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_breakout_has_its_status_and_both_figures(
    browser: Browser, server: ApiServer, world: Settings
) -> None:
    with closing(reader_client(world)) as client:
        found = client.query(
            "SELECT model_id, status, ram, ram_capped FROM breakouts "
            "WHERE baseline = 'live' AND ram_capped IS NOT NULL ORDER BY status, model_id"
        ).result_rows
    assert {status for _, status, *_ in found} == {"burst", "confirmed"}
    for model_id, status, ram, ram_capped in (found[0], found[-1]):
        with open_page(browser, f"{server.url}/models/{model_id}") as page:
            headline = page.locator("#headline")
            expect(headline.locator(f".{status}")).to_have_text(status)
            figures = headline.locator("div", has_text="RAM at crossing").locator("data")
            values = figures.evaluate_all("all => all.map((one) => +one.value)")
            assert values == [ram, ram_capped]


def test_days_are_marked_by_what_they_rest_on(browser: Browser, server: ApiServer) -> None:
    days = [
        {
            "group": MODEL, "period": f"2026-02-0{day}", "downloads": 100, "cumulative": 100 * day,
            "models": 1, "covered": 1.0, "basis": basis, "correction": correction,
        }
        for day, basis, correction in ((1, "observed", 0), (2, "held", 0), (3, "gap", 40))
    ]  # fmt: skip

    def answer(route: Route) -> None:
        page = route.fetch().json()
        route.fulfill(json={**page, "data": days})

    with open_page(browser, "about:blank") as page:
        page.route("**/v1/downloads?*", answer)
        page.goto(f"{server.url}/models/{MODEL}")
        wait_for_charts(page, "downloads")
        figure = page.locator("figure[data-name=downloads]")
        expect(figure.locator(".key li")).to_have_count(4)
        figure.get_by_text("Data table").click()
        assert [row.split("\t") for row in figure.locator("tbody tr").all_inner_texts()] == [
            ["2026-02-03", "100", "300", "gap", "40"],
            ["2026-02-02", "100", "200", "held", "0"],
            ["2026-02-01", "100", "100", "observed", "0"],
        ]


def test_facts_have_their_source(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        wait_for_charts(page, "curve")
        size = page.locator("#facts-list data").filter(has_text="10-50B")
        assert "as of 2026-03-01 06:00 UTC" in (size.get_attribute("title") or "")


def test_path_is_shown_as_escaped_text(browser: Browser, server: ApiServer) -> None:
    address = f"{server.url}/models/%3Cb%3Eno/%E2%80%AEgnp%07%E2%81%A6%3Cimg%20src=x%3E"
    with open_page(browser, address, refused=True) as page:
        shown = r"<b>no/\u202egnp\u0007\u2066<img src=x>"
        expect(page.locator("main h1")).to_have_text(shown)
        assert page.title() == f"{shown}: Breakout"
        assert page.locator("main b, main img").count() == 0


def test_unknown_model(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/no/such-model", refused=True) as page:
        expect(page.get_by_text("Unknown model.")).to_be_visible()
        assert violations(page) == []


def test_model_name_is_never_markup(browser: Browser, server: ApiServer) -> None:
    hostile = "<img src=x onerror=console.error(1)>"
    with open_page(browser, f"{server.url}/models/org/{hostile}", refused=True) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text(f"org/{hostile}")
        assert page.locator("main img").count() == 0
