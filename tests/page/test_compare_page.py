"""The comparison of models in a browser: its lines, and its view in the address."""

import csv
from contextlib import closing
from datetime import date, timedelta
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from breakout.clickhouse.client import reader_client, writer_client
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
FIRST, SECOND = "org0/model-00", "org0/model-09"
BOTH = f"/compare?models={FIRST},{SECOND}"
RELEASED = {FIRST: date(2026, 1, 5), SECOND: date(2026, 1, 9)}


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with closing(reader_client(settings)) as client:
        return [tuple(row) for row in client.query(sql).result_rows]


def drawn(page: Page) -> list[dict[str, str]]:
    """Return the drawn data, from the chart's CSV file."""
    wait_for_charts(page, "comparison")
    with page.expect_download() as event:
        page.locator("figure[data-name=comparison] button.file", has_text="CSV").click()
    with event.value.path().open(newline="") as file:
        return list(csv.DictReader(file))


def plotted(page: Page) -> Locator:
    return page.locator("figure[data-name=comparison] .key li")


def wait_for_address(page: Page, ending: str) -> None:
    page.wait_for_url(lambda address: address.endswith(ending))


@pytest.mark.parametrize("align", ["age", "date"])
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_ram_equals_sql(
    browser: Browser, server: ApiServer, world: Settings, align: str, scale: str
) -> None:
    expected = rows(
        world,
        "SELECT model_id, age_days, ram, cumulative FROM ram WHERE baseline = 'live' "
        f"AND model_id IN ('{FIRST}', '{SECOND}') AND ram > 0 ORDER BY model_id, age_days",
    )
    with open_page(browser, f"{server.url}{BOTH}&align={align}&scale={scale}") as page:
        found = drawn(page)
    assert [
        (row["model_id"], int(row["age_days"]), float(row["ram"]), int(row["cumulative"]))
        for row in found
    ] == expected
    for row in found:
        at = RELEASED[row["model_id"]] + timedelta(days=int(row["age_days"]))
        assert row["day"] == at.isoformat()


def test_downloads_equal_sql(browser: Browser, server: ApiServer, world: Settings) -> None:
    expected = rows(
        world,
        "SELECT model_id, toString(day), cumulative FROM downloads_daily "
        f"WHERE model_id IN ('{FIRST}', '{SECOND}') AND cumulative > 0 ORDER BY model_id, day",
    )
    with open_page(browser, f"{server.url}{BOTH}&measure=downloads") as page:
        found = drawn(page)
    assert [(row["model_id"], row["day"], int(row["cumulative"])) for row in found] == expected
    for row in found:
        # The total at the end of a day is that of the next day's age.
        days = date.fromisoformat(row["day"]) - RELEASED[row["model_id"]]
        assert int(row["age_days"]) == days.days + 1


@pytest.mark.parametrize("measure", ["ram", "downloads"])
def test_period_limits_the_lines(browser: Browser, server: ApiServer, measure: str) -> None:
    address = f"{server.url}{BOTH}&measure={measure}&since=2026-01-20&until=2026-02-03"
    with open_page(browser, address) as page:
        days = {row["day"] for row in drawn(page)}
    assert (min(days), max(days)) == ("2026-01-20", "2026-02-03")


def test_view_is_in_the_address(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url + BOTH) as page:
        wait_for_charts(page, "comparison")
        for name, value in (("measure", "downloads"), ("align", "date"), ("scale", "linear")):
            page.locator(f"#options select[name={name}]").select_option(value)
        page.locator("#options input[name=since]").fill("2026-01-20")
        wait_for_address(page, f"{BOTH}&align=date&measure=downloads&scale=linear&since=2026-01-20")
        heading = page.get_by_role("heading", name="Downloads by date")
        expect(heading).to_be_visible()
        shared, data = page.url, drawn(page)
        page.go_back()
        wait_for_address(page, "scale=linear")
        expect(page.locator("#options input[name=since]")).to_have_value("")
    with open_page(browser, shared) as page:
        expect(page.get_by_role("heading", name="Downloads by date")).to_be_visible()
        assert drawn(page) == data
        for name, value in (("measure", "downloads"), ("align", "date"), ("scale", "linear")):
            expect(page.locator(f"#options select[name={name}]")).to_have_value(value)
        expect(page.locator("#options input[name=since]")).to_have_value("2026-01-20")


def test_models_are_added_and_removed_with_the_keyboard(
    browser: Browser, server: ApiServer
) -> None:
    with open_page(browser, f"{server.url}/compare") as page:
        field = page.get_by_role("combobox", name="Add a model")
        for name in ("model-00", "model-09"):
            field.focus()
            page.keyboard.type(name)
            page.get_by_role("option", name=name).wait_for()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Enter")
            expect(plotted(page).filter(has_text=name)).to_be_visible()
        wait_for_address(page, BOTH)
        page.get_by_role("button", name=f"Remove {FIRST}").focus()
        page.keyboard.press("Enter")
        wait_for_address(page, f"/compare?models={SECOND}")
        expect(plotted(page)).to_have_count(1)
        expect(field).to_be_focused()
        page.go_back()
        expect(plotted(page)).to_have_count(2)


def test_hidden_line_is_in_the_address(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url + BOTH) as page:
        button = plotted(page).get_by_role("button", name=SECOND)
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "false")
        wait_for_address(page, f"{BOTH}&hidden={SECOND}")
        shared = page.url
    with open_page(browser, shared) as page:
        assert {row["model_id"] for row in drawn(page)} == {FIRST}
        button = plotted(page).get_by_role("button", name=SECOND)
        expect(button).to_have_attribute("aria-pressed", "false")
        button.click()
        wait_for_address(page, BOTH)
        assert {row["model_id"] for row in drawn(page)} == {FIRST, SECOND}


def test_unknown_model_is_named_with_the_nearest(browser: Browser, server: ApiServer) -> None:
    address = f"{server.url}/compare?models={FIRST},org0/model-9"
    with open_page(browser, address, refused=True) as page:
        wait_for_charts(page, "comparison")
        expect(plotted(page)).to_have_count(1)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Unknown model “org0/model-9”. Nearest:")
        alert.get_by_role("button", name=SECOND).click()
        wait_for_address(page, BOTH)
        expect(plotted(page)).to_have_count(2)
        expect(page.get_by_role("alert")).to_have_count(0)


def test_names_are_shown_as_escaped_text(browser: Browser, server: ApiServer) -> None:
    address = f"{server.url}/compare?models=%3Cb%3Eno/%E2%80%AEgnp&align=%3Ci%3E%E2%81%A6"
    with open_page(browser, address, refused=True) as page:
        expect(page.get_by_role("alert")).to_contain_text(r"Unknown model “<b>no/\u202egnp”")
        expect(page.locator("#notices")).to_contain_text(r"Unknown align “<i>\u2066”")
        assert page.locator("main b, #notices i").count() == 0
        assert page.title() == r"Compare <b>no/\u202egnp: Breakout"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("&align=size", "Unknown align “size”. Choose one of: age, date."),
        ("&measure=likes", "Unknown measure “likes”. Choose one of: ram, downloads."),
        ("&scale=cubic", "Unknown scale “cubic”. Choose one of: log, linear."),
        ("&since=2026-02-31", "since is not a day: “2026-02-31”. Write it as YYYY-MM-DD."),
        (
            "&since=2026-02-03&until=2026-01-20",
            "The period ends on 2026-01-20, before it begins on 2026-02-03.",
        ),
    ],
)
def test_invalid_view_is_named(browser: Browser, server: ApiServer, query: str, text: str) -> None:
    with open_page(browser, f"{server.url}{BOTH}{query}") as page:
        expect(page.locator("#notices")).to_have_text(text)
        if "until" not in query:
            wait_for_charts(page, "comparison")


def test_too_many_models_are_cut(browser: Browser, server: ApiServer) -> None:
    models = ",".join(f"org{number % 3}/model-{number:02}" for number in range(12))
    with open_page(browser, f"{server.url}/compare?models={models}") as page:
        expect(plotted(page)).to_have_count(9)
        expect(page.locator("#notices")).to_contain_text("Only the first 9 of 12 models")


def test_model_without_a_line_has_the_reason(
    browser: Browser, own_server: tuple[ApiServer, Settings]
) -> None:
    server, settings = own_server
    with closing(writer_client(settings)) as client:
        client.command(
            "INSERT INTO models_log (model_id, org, tracked, observed_at) "
            "VALUES ('org0/sizeless', 'org0', true, '2026-01-01 00:00:00')"
        )
    with open_page(browser, f"{server.url}/compare?models={FIRST},org0/sizeless") as page:
        notice = page.locator("#notices")
        expect(notice).to_contain_text("org0/sizeless has no line: ")
        expect(notice).to_contain_text("release date")
        page.locator("#options select[name=align]").select_option("date")
        expect(notice).to_contain_text("size")
        expect(plotted(page)).to_have_count(1)


def test_past_figures_are_in_the_shared_link(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}{BOTH}&as_of=2026-02-10") as page:
        caption = page.locator("figure[data-name=comparison] figcaption")
        expect(caption).to_contain_text("as of 2026-02-10 23:59 UTC")
        assert max(row["day"] for row in drawn(page)) <= "2026-02-10"
        lines = page.locator("#share-lines code").all_inner_texts()
    assert f"{server.url}{BOTH}&as_of=2026-02-10T23:59:59.999Z" in lines


def test_empty_comparison_suggests_breakouts(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/compare") as page:
        page.get_by_role("link", name="the latest 5 breakouts").click()
        wait_for_charts(page, "comparison")
        expect(plotted(page)).to_have_count(5)


def test_charts_lead_to_the_comparison(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models/{FIRST}") as page:
        wait_for_charts(page, "curve")
        page.locator("figure[data-name=curve]").get_by_role("link", name="Compare").click()
        expect(plotted(page).filter(has_text=FIRST)).to_be_visible()


def test_list_leads_to_the_comparison(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/models?org=org1") as page:
        listed = page.locator("#models-table tbody th")
        listed.first.wait_for()
        models = listed.all_inner_texts()
        page.get_by_role("link", name=f"Compare the first {len(models)}").click()
        wait_for_charts(page, "comparison")
        expect(plotted(page)).to_have_text(models)


@LOOKS
def test_page_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Literal["light", "dark"]
) -> None:
    models = ",".join(f"org{number % 3}/model-{number:02}" for number in range(5))
    address = f"{server.url}/compare?models={models},org0/no&hidden=org1/model-01"
    with open_page(browser, address, size=size, theme=theme, refused=True) as page:
        wait_for_charts(page, "comparison")
        screenshot(page, f"compare-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        said = page.evaluate("[...document.querySelectorAll('data')].map((one) => one.title)")
        assert len(said) >= 5
        assert [one for one in said if "as of 20" not in one] == []
