"""The overview before there is RAM: no data, and the first day."""

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, expect

from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.page.browser import empty_sections, open_page, requires_chromium, screenshot, violations
from tests.support.embedded_servers import ClickHouseServer

pytestmark = requires_chromium


def test_first_day_shows_totals_and_how_to_get_history(
    browser: Browser, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/first_day_overview")
    tables = ram_world.load(settings, datetime(2026, 1, 7, 6, tzinfo=UTC), 1)
    counters: dict[str, int] = {}
    for (model_id, _), row in sorted(tables.downloads.items()):
        counters[model_id] = row["downloads_all_time"]
    tracked = {one.model_id for one in ram_world.models() if one.tracked}
    expected = sorted((counters[m] for m in tracked & set(counters)), reverse=True)
    with serving(tmp_path, settings) as server, open_page(browser, server.url) as page:
        notice = page.locator("#breakouts .notice")
        expect(notice).to_contain_text("No RAM yet")
        expect(notice).to_contain_text("breakout backfill")
        total = page.locator("#breakouts-table > p data").first
        assert total.get_attribute("value") == str(sum(expected))
        shown = page.locator("#breakouts-table tbody data")
        values = shown.evaluate_all("all => all.map((one) => +one.value)")
        assert values == expected[:10]
        page.locator("#sources-table tbody tr").first.wait_for()
        assert empty_sections(page) == []
        assert violations(page) == []
        screenshot(page, "first-day")


def test_empty_database_says_so_in_every_section(
    browser: Browser, clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/no_data")
    migrate(settings)
    with serving(tmp_path, settings) as server, open_page(browser, server.url) as page:
        expect(page.locator("#breakouts .notice")).to_contain_text("No data yet")
        expect(page.locator("#inference .notice")).to_contain_text("OPENROUTER_API_KEY")
        page.locator("#sources-table tbody tr").first.wait_for()
        expect(page.locator("#state")).to_have_text("No data yet; collector and worker not running")
        assert empty_sections(page) == []
        assert violations(page) == []
