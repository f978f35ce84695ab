"""The page of one model in a browser."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, Route, expect

from breakout.clickhouse.client import reader_client
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.api.server import ApiServer
from tests.page import model_world
from tests.page.browser import (
    LOOKS,
    empty_sections,
    open_page,
    requires_chromium,
    screenshot,
    violations,
    wait_for_charts,
)
from tests.support.embedded_servers import ClickHouseServer

pytestmark = requires_chromium
MODEL = model_world.MODEL


def rows(settings: Settings, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with closing(reader_client(settings)) as client:
        return [tuple(row) for row in client.query(sql, parameters=parameters).result_rows]


def cells(page: Page, table: str) -> list[list[str]]:
    """Return the texts of a table, by its selector."""
    body = page.locator(f"{table} tbody tr")
    body.first.wait_for()
    return [body.nth(number).locator("th, td").all_inner_texts() for number in range(body.count())]


def test_milestones_equal_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    with closing(reader_client(world)) as client:
        expected = client.query(
            "SELECT ram, cumulative FROM ram_milestones "
            f"WHERE baseline = 'live' AND model_id = '{MODEL}' ORDER BY age_days"
        ).result_rows
    assert expected
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        milestones = page.locator("[aria-label^='RAM at the milestones'] tbody tr")
        milestones.first.wait_for()
        found = milestones.evaluate_all(
            """rows => rows.map((row) =>
                [...row.querySelectorAll("data")].slice(0, 2).map((one) => +one.value))"""
        )
        assert [tuple(row) for row in found] == expected


@LOOKS
def test_page_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    address = f"{server.url}/models/{MODEL}"
    with open_page(browser, address, size=size, theme=theme) as page:
        wait_for_charts(page, "curve", "downloads")
        page.locator("#facts-content dd").first.wait_for()
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
        size = page.locator("#facts-content data").filter(has_text="10-50B")
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


RIVALS = """
    SELECT m.model_id, round(m.ram, 2) FROM ram_milestones AS m
    INNER JOIN models AS r ON r.model_id = m.model_id
    WHERE m.baseline = 'live' AND r.tracked AND m.model_id != {model:String}
        AND m.age_days = (
            SELECT max(age_days) FROM ram_milestones
            WHERE baseline = 'live' AND model_id = {model:String} AND ram IS NOT NULL
        )
    ORDER BY m.ram DESC LIMIT 5
"""


def test_rivals_are_beside_the_curve(browser: Browser, server: ApiServer, world: Settings) -> None:
    expected = rows(world, RIVALS, model=MODEL)
    assert len(expected) == 5
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        found = cells(page, "[aria-label^='Rivals']")
        assert [(model, float(ram.rstrip("x"))) for model, _, ram in found] == expected
        key = page.locator("figure[data-name=curve] .key li").all_inner_texts()
        assert key == [MODEL, *(model for model, _ in expected)]
        page.locator("[aria-label^='Rivals']").get_by_role("link").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(expected[0][0])


PEERS = """
    SELECT p.model_id, p.cumulative FROM points AS p
    INNER JOIN models AS m ON m.model_id = p.model_id
    WHERE m.tracked AND p.age_days = {age:UInt16}
    ORDER BY p.cumulative DESC, p.model_id LIMIT 10
"""


def test_peers_equal_sql_at_the_chosen_age(
    browser: Browser, server: ApiServer, world: Settings
) -> None:
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        choice = page.locator("#peers select")
        choice.wait_for()
        choice.focus()
        latest = int(choice.input_value())
        for age in (latest, 14):
            choice.select_option(str(age))
            page.get_by_role("columnheader", name=f"Downloads at {age} days").wait_for()
            found = [
                (model.partition(". ")[2], int(downloads.replace(",", "")))
                for model, _, downloads in cells(page, "#peers")
            ]
            assert found == rows(world, PEERS, age=age)
            expect(choice).to_have_value(str(age))
        expect(choice).to_be_focused()


def test_family_equals_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    sql = """
        SELECT own_downloads, quantized_downloads, finetune_downloads, adapter_downloads
        FROM families WHERE model_id = {model:String}
    """
    ((own, *derived),) = rows(world, sql, model=MODEL)
    assert derived == [downloads for _, downloads in model_world.DERIVATIVES.values()]
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        wait_for_charts(page, "family")
        figure = page.locator("figure[data-name=family]")
        figure.get_by_text("Data table").click()
        shown = figure.locator("tbody td:nth-child(2)").all_inner_texts()
        assert [int(text.replace(",", "")) for text in shown] == [own, *derived]


def test_ratings_are_the_latest_of_each_leaderboard(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        (row,) = cells(page, "#ratings")
        assert row == [
            "Arena, text", model_world.NAMES["arena"], "1302", "1290 to 1310", "1,234",
            "2026-02-03",
        ]  # fmt: skip


def test_tokens_equal_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    sql = """
        SELECT toString(tokens), rank FROM inference_models_monthly
        WHERE model = {model:String} ORDER BY month DESC
    """
    expected = rows(world, sql, model=MODEL)
    assert len(expected) == 2
    with open_page(browser, f"{server.url}/models/{MODEL}") as page:
        wait_for_charts(page, "tokens")
        figure = page.locator("figure[data-name=tokens]")
        figure.get_by_text("Data table").click()
        body = figure.locator("tbody tr")
        found = [body.nth(number).locator("td").all_inner_texts() for number in range(body.count())]
        assert [(tokens.replace(",", ""), int(rank)) for tokens, _, rank in found] == expected


def test_sections_without_data_are_left_out(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/{model_world.LONELY}") as page:
        wait_for_charts(page, "curve", "downloads")
        contents = page.get_by_role("navigation", name="On this page")
        expect(contents.get_by_role("link")).to_have_text(
            ["RAM since release", "Peers behind its baseline", "Downloads", "Facts", "Share"]
        )
        for section in ("family", "ratings", "tokens"):
            expect(page.locator(f"#{section}")).to_be_hidden()
        assert empty_sections(page) == []


def test_missing_ram_says_why(browser: Browser, server: ApiServer, world: Settings) -> None:
    sql = "SELECT model_id, peers FROM ram_now WHERE baseline = 'live' AND ram IS NULL LIMIT 1"
    ((model, peers),) = rows(world, sql)
    with open_page(browser, f"{server.url}/models/{model}") as page:
        headline = page.locator("#headline > div", has_text="RAM now")
        expect(headline).to_contain_text(f"{peers} of 10 peers")


def test_first_day_shows_the_total_and_the_reasons(
    browser: Browser, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/first_day")
    ram_world.load(settings, datetime(2026, 1, 6, 6, tzinfo=UTC), 1)
    with (
        serving(tmp_path, settings) as own,
        open_page(browser, f"{own.url}/models/org1/model-01") as page,
    ):
        expect(page.locator("#curve .notice")).to_contain_text("no whole day observed yet")
        expect(page.locator("#downloads .notice")).to_contain_text("downloads so far")
        expect(page.locator("#headline > div", has_text="RAM now")).to_contain_text("of 10 peers")
        assert empty_sections(page) == []
        assert violations(page) == []
