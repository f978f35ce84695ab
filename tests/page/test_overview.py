"""The overview in a browser: it shows the same figures as SQL."""

from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from breakout.clickhouse.client import reader_client, writer_client
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.page.browser import (
    LOOKS,
    open_page,
    requires_chromium,
    screenshot,
    violations,
    wait_for_charts,
)
from tests.support.server_process import free_port

pytestmark = requires_chromium
CHARTS = ("curves", "regions", "organisations", "inference")

BREAKOUTS = """
    SELECT b.model_id AS model_id, toString(b.status) AS status,
        toString(toDate(b.crossed_at)) AS day, b.ram AS ram_then, b.ram_capped AS ram_capped,
        n.ram AS ram, n.cumulative AS cumulative
    FROM breakouts AS b
    LEFT JOIN (SELECT * FROM ram_now WHERE baseline = 'live') AS n ON n.model_id = b.model_id
    WHERE b.baseline = 'live'
    ORDER BY b.crossed_at DESC, b.model_id
"""


def rows(settings: Settings, sql: str) -> list[dict[str, Any]]:
    with closing(reader_client(settings)) as client:
        return list(client.query(sql).named_results())


def shown(page: Page) -> list[dict[str, str | None]]:
    """Return the rows of the breakouts: model, and the exact values of the numbers."""
    page.locator("#breakouts-table tbody tr").first.wait_for()
    found: list[dict[str, str | None]] = page.evaluate(
        """() => [...document.querySelectorAll("#breakouts-table tbody tr")].map((row) => {
            const value = (at) => row.children[at].querySelector("data")?.value ?? null;
            return {
                model_id: row.children[0].textContent, status: row.children[3].textContent,
                day: value(4), ram_then: value(6), ram_capped: value(7), ram: value(8),
                cumulative: value(9),
            };
        })"""
    )
    return found


def numbers(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with all numbers as floats."""
    return {
        name: value if name in {"model_id", "status", "day"} or value is None else float(value)
        for name, value in row.items()
    }


def test_breakouts_equal_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    expected = rows(world, BREAKOUTS)
    assert expected
    with open_page(browser, server.url) as page:
        assert [numbers(row) for row in shown(page)] == [numbers(row) for row in expected]


def test_bursts_are_marked_and_not_plotted(
    browser: Browser, server: ApiServer, world: Settings
) -> None:
    expected = {row["model_id"]: row["status"] for row in rows(world, BREAKOUTS)}
    bursts = [model for model, status in expected.items() if status == "burst"]
    assert bursts
    with open_page(browser, server.url) as page:
        assert {row["model_id"]: row["status"] for row in shown(page)} == expected
        row = page.get_by_role("row", name=bursts[0])
        said = row.locator(".burst").get_attribute("title") or ""
        assert "of the downloads at the crossing" in said
        wait_for_charts(page, "curves")
        plotted = page.locator("figure[data-name=curves] tbody th").all_inner_texts()
        assert not set(plotted) & set(bursts)


def test_status_is_a_filter(browser: Browser, server: ApiServer, world: Settings) -> None:
    expected = [row["model_id"] for row in rows(world, BREAKOUTS) if row["status"] == "burst"]
    with open_page(browser, f"{server.url}/?status=burst") as page:
        assert [row["model_id"] for row in shown(page)] == expected
        expect(page.locator("#curves-chart")).to_contain_text("No confirmed breakouts to plot")


def test_click_opens_the_model(browser: Browser, server: ApiServer, world: Settings) -> None:
    first = rows(world, BREAKOUTS)[0]["model_id"]
    with open_page(browser, server.url) as page:
        page.get_by_role("link", name=first).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(first)
        wait_for_charts(page, "curve", "downloads")
        expect(page.locator("figure[data-name=curve] svg")).to_contain_text("1.0x")
        screenshot(page, "model")


@LOOKS
def test_page_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Any
) -> None:
    with open_page(browser, server.url, size=size, theme=theme) as page:
        wait_for_charts(page, *CHARTS)
        page.locator("#sources-table tbody tr").first.wait_for()
        screenshot(page, f"overview-{size[0]}-{theme}")
        assert violations(page) == []
        # Only tables may be wider than the screen, and those scroll.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_number_has_its_source(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        wait_for_charts(page, *CHARTS)
        page.locator("#sources-table tbody tr").first.wait_for()
        said = page.evaluate("[...document.querySelectorAll('data')].map((one) => one.title)")
        assert len(said) > 20
        assert [one for one in said if "as of 20" not in one] == []


def test_new_data_update_the_page(browser: Browser, own_server: tuple[ApiServer, Settings]) -> None:
    server, settings = own_server
    with open_page(browser, server.url) as page:
        before = shown(page)
        assert [numbers(row) for row in before] == [
            numbers(row) for row in rows(settings, BREAKOUTS)
        ]
        wait_for_charts(page, "curves")
        ram_world.load(settings, ram_world.LAST, 2)
        expected = [numbers(row) for row in rows(settings, BREAKOUTS)]
        newest = next(row["model_id"] for row in expected if row["ram"] is not None)
        value = next(row["ram"] for row in expected if row["model_id"] == newest)
        page.wait_for_function(
            """([model, ram]) => [...document.querySelectorAll("#breakouts-table tbody tr")].some(
                ({ children }) =>
                    children[0].textContent === model &&
                    +children[8].querySelector("data")?.value === ram
            )""",
            arg=[newest, value],
        )
        assert [numbers(row) for row in shown(page)] == expected
        # Nothing runs that would bring newer data.
        state = page.locator("#state")
        expect(state).to_contain_text("collector and worker not running")
        expect(state).to_have_attribute("title", "Downloads as of 2026-03-01 06:00 UTC")


@pytest.mark.parametrize(
    ("mark", "note", "watermark"),
    [
        (
            "invented",
            "Demo data. Every model, organisation and number on this page is invented.",
            '"Demo data"',
        ),
        ("season", "Replay. Real launches and download counters of July 2024", "none"),
    ],
)
def test_demo_data_are_marked(
    browser: Browser,
    own_server: tuple[ApiServer, Settings],
    mark: str,
    note: str,
    watermark: str,
) -> None:
    server, settings = own_server
    across = "getComputedStyle(document.body, '::after').content"
    with open_page(browser, server.url) as page:
        page.locator("#breakouts-table tbody tr").first.wait_for()
        expect(page.get_by_text(note)).to_be_hidden()
        assert page.evaluate(across) == "none"
    with closing(writer_client(settings)) as client:
        client.insert("simulated", [[mark, ram_world.LAST]], ["what", "since"])
    # In the HTML itself, so also without scripts.
    for address in (server.url, f"{server.url}/models/org0/model-00"):
        with open_page(browser, address) as page:
            expect(page.get_by_text(note)).to_be_visible()
            assert page.evaluate(across) == watermark
            what = "Replay" if mark == "season" else "Demo"
            expect(page.locator("#state")).to_contain_text(f"{what}, not live: downloads as of")


def test_scrape_shows_missing_models_on_the_page(
    browser: Browser, own_server: tuple[ApiServer, Settings]
) -> None:
    with open_page(browser, own_server[0].url) as page:
        row = page.get_by_role("row", name="huggingface, 2026-02-10 06:00 UTC")
        expect(row).to_contain_text(f"{len(ram_world.MISSING)} missing")
        before = page.get_by_role("row", name="huggingface, 2026-02-09 06:00 UTC")
        expect(before).to_contain_text("complete")


def test_page_works_with_the_keyboard(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        unsorted = shown(page)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        heading = page.get_by_role("columnheader", name="RAM now")
        heading.get_by_role("button").focus()
        page.keyboard.press("Enter")
        expect(heading).to_have_attribute("aria-sort", "descending")
        expect(heading.get_by_role("button")).to_be_focused()
        ordered = sorted(unsorted, key=lambda row: -float(row["ram"] or -1))
        assert [row["ram"] for row in shown(page)] == [row["ram"] for row in ordered]
        page.keyboard.press("Enter")
        expect(heading).to_have_attribute("aria-sort", "ascending")


def test_filter_is_in_the_url(browser: Browser, server: ApiServer, world: Settings) -> None:
    sql = BREAKOUTS.replace(
        "ORDER", "AND b.model_id IN (SELECT model_id FROM models WHERE region = 'china') ORDER"
    )
    expected = [row["model_id"] for row in rows(world, sql)]
    everybody = [row["model_id"] for row in rows(world, BREAKOUTS)]
    assert expected != everybody
    with open_page(browser, server.url) as page:
        assert len(shown(page)) == len(everybody)
        page.locator("select[name=region]").select_option("china")
        page.wait_for_function(
            "(many) => document.querySelectorAll('#breakouts-table tbody tr').length === many",
            arg=len(expected),
        )
        address = page.url
    assert address.endswith("?region=china")
    with open_page(browser, address) as page:
        assert [row["model_id"] for row in shown(page)] == expected


def test_chart_has_a_table(browser: Browser, server: ApiServer, world: Settings) -> None:
    share = rows(world, "SELECT * FROM inference_share_monthly ORDER BY month DESC")
    with open_page(browser, server.url) as page:
        wait_for_charts(page, "inference")
        figure = page.locator("figure[data-name=inference]")
        figure.get_by_text("Data table").click()
        cells = figure.locator("tbody tr td:nth-child(2)")
        expect(cells.first).to_be_visible()
        assert cells.all_inner_texts() == [f"{100 * row['open_share']:.1f}%" for row in share]


def test_page_prints(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url, theme="dark") as page:
        wait_for_charts(page, "curves")
        page.emulate_media(media="print", color_scheme="dark")
        for navigation in page.locator("nav, #search").all():
            expect(navigation).to_be_hidden()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert page.pdf().startswith(b"%PDF")


def test_page_without_database_shows_the_problem(browser: Browser, tmp_path: Any) -> None:
    nowhere = Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/breakout")
    with (
        serving(tmp_path, nowhere) as server,
        open_page(browser, server.url, refused=True) as page,
    ):
        alert = page.locator("#breakouts-table").get_by_role("alert")
        expect(alert).to_have_text("Cannot load this: The database is unavailable.")
