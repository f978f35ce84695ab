"""The page of one organisation in a browser."""

from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from breakout.clickhouse.client import reader_client
from breakout.settings import Settings
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
ORG = "org0"


def cells(page: Page, figure: str) -> list[list[str]]:
    rows = page.locator(f"figure[data-name={figure}] tbody tr").all()
    return [row.locator("th, td").all_text_contents() for row in rows]


def test_releases_are_on_one_chart(browser: Browser, server: ApiServer) -> None:
    rows = httpx.get(f"{server.url}/v1/adoption?org={ORG}&sort=released", timeout=60).json()["data"]
    with open_page(browser, f"{server.url}/organisations/{ORG}") as page:
        wait_for_charts(page, "releases")
        assert [row[0] for row in cells(page, "releases")] == [row["model_id"] for row in rows]


def test_share_equals_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    with closing(reader_client(world)) as client:
        expected = client.query(
            "SELECT formatDateTime(toStartOfMonth(day), '%b %Y') AS month, "
            f"sumIf(downloads, m.org = '{ORG}') AS own, sum(downloads) AS total "
            "FROM downloads_daily AS d INNER JOIN models AS m ON m.model_id = d.model_id "
            "WHERE m.tracked GROUP BY month ORDER BY min(day) DESC"
        ).result_rows
    assert len(expected) > 1
    with open_page(browser, f"{server.url}/organisations/{ORG}") as page:
        wait_for_charts(page, "share")
        shown = [
            [
                row[0].removesuffix(" (unfinished)"),
                row[1],
                *(text.replace(",", "") for text in row[2:]),
            ]
            for row in cells(page, "share")
        ]
    assert shown == [
        [month, f"{100 * own / total:.1f}%", str(own), str(total)] for month, own, total in expected
    ]


def test_models_have_their_ram(browser: Browser, server: ApiServer) -> None:
    rows = httpx.get(f"{server.url}/v1/adoption?org={ORG}", timeout=60).json()["data"]
    with open_page(browser, f"{server.url}/organisations/{ORG}") as page:
        expect(page.locator("#models-content tbody tr")).to_have_count(len(rows))
        shown = page.evaluate(
            """() => [...document.querySelectorAll("#models-content tbody tr")].map((row) =>
                [row.querySelector("th").textContent,
                 ...[...row.querySelectorAll("td.number data")].map((one) => +one.value)])"""
        )
        assert shown == [
            [
                row["model_id"],
                *(row[name] for name in ("ram", "downloads") if row[name] is not None),
            ]
            for row in rows
        ]
        page.get_by_role("link", name="Filter and sort them").click()
        expect(page.locator("#models-table tbody tr")).to_have_count(len(rows))
        expect(page.get_by_label("Organisation", exact=True)).to_have_value(ORG)


def test_section_without_data_is_left_out(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/organisations/org1") as page:
        wait_for_charts(page, "releases", "share")
        expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
        expect(page.get_by_role("heading", name="Families")).to_be_hidden()


def test_families_have_their_derivatives(browser: Browser, server: ApiServer) -> None:
    family = {
        "model_id": "org0/model-00", "org": ORG, "region": "china", "size_bin": "10-50B",
        "own_downloads": 1000, "derivatives": 3, "quantized_downloads": 50,
        "finetune_downloads": 100, "adapter_downloads": 0, "merge_downloads": 8,
        "unknown_downloads": 0, "family_downloads": 1158, "as_of": "2026-03-01T06:00:00.000Z",
    }  # fmt: skip

    def answer(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "data": [family]})

    with open_page(browser, "about:blank") as page:
        page.route("**/v1/families?*", answer)
        page.goto(f"{server.url}/organisations/{ORG}")
        row = page.locator("#families-content tbody tr")
        expect(row).to_have_count(1)
        values = row.locator("data").evaluate_all("all => all.map((one) => +one.value)")
        assert values == [3, 1000, 50, 100, 0, 8, 1158]


@pytest.mark.parametrize(
    ("name", "nearest"), [("orgg1", "org1"), ("ORG2", "org2"), ("org0-labs", "org0")]
)
def test_unknown_organisation_is_404_with_the_nearest(
    browser: Browser, server: ApiServer, name: str, nearest: str
) -> None:
    address = f"{server.url}/organisations/{name}"
    assert httpx.get(address, timeout=60).status_code == 404
    with open_page(browser, address, refused=True) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Unknown organisation")
        expect(page.locator("main .notice")).to_contain_text(f"No organisation named “{name}”.")
        assert violations(page) == []
        page.locator("main").get_by_role("link", name=nearest).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(nearest)


def test_hostile_organisation_is_shown_as_text(browser: Browser, server: ApiServer) -> None:
    address = f"{server.url}/organisations/%3Cimg%20src=x%3E%E2%80%AE"
    with open_page(browser, address, refused=True) as page:
        expect(page.locator("main .notice")).to_contain_text(r"“<img src=x>\u202e”")
        assert page.locator("main img").count() == 0


def test_every_number_has_its_source(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/organisations/{ORG}") as page:
        wait_for_charts(page, "releases", "share")
        page.locator("#models-content tbody tr").first.wait_for()
        said = page.evaluate("[...document.querySelectorAll('main data')].map((one) => one.title)")
        assert len(said) > 10
        assert [one for one in said if "as of 20" not in one] == []


@LOOKS
def test_page_of_an_organisation_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Any
) -> None:
    address = f"{server.url}/organisations/{ORG}"
    with open_page(browser, address, size=size, theme=theme) as page:
        wait_for_charts(page, "releases", "share")
        page.locator("#models-content tbody tr").first.wait_for()
        screenshot(page, f"organisation-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
