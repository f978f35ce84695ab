"""The leaderboard in a browser: ranks, and their changes within a week."""

from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route, expect

from tests.api.server import ApiServer
from tests.page.browser import (
    LOOKS,
    open_page,
    requires_chromium,
    screenshot,
    violations,
)

pytestmark = requires_chromium
MODELS = [f"org{number % 3}/model-{number:02}" for number in range(14)]
"""All models of the seed data, which few peers leave without RAM: the tests give them one."""


def answer_with(page: Page, now: list[str], before: list[str]) -> None:
    """Let the API respond with these models by RAM, now and 7 days before."""

    def answer(route: Route) -> None:
        response = route.fetch().json()
        rows = {row["model_id"]: row for row in response["data"]}
        if not rows:  # of another size bin
            return route.fulfill(json=response)
        ranked = before if "as_of=" in route.request.url else now
        data = [rows[model] | {"ram": 9.5 - place} for place, model in enumerate(ranked)]
        return route.fulfill(json={**response, "data": [*data, rows[MODELS[-1]] | {"ram": None}]})

    page.route("**/v1/ram?*", answer)


def shown(page: Page) -> list[list[str]]:
    page.locator("#leaderboards tbody tr").first.wait_for()
    rows = page.locator("#leaderboards tbody tr").all()
    return [row.locator("th, td").all_inner_texts()[:3] for row in rows]


def test_ranks_have_their_change_within_a_week(browser: Browser, server: ApiServer) -> None:
    now = [MODELS[number] for number in (4, 0, 1, 3, 2)]
    with open_page(browser, "about:blank") as page:
        answer_with(page, now, MODELS[:4])
        page.goto(f"{server.url}/leaderboard")
        assert shown(page) == [
            ["1", "new", MODELS[4]],
            ["2", "▼ 1", MODELS[0]],
            ["3", "▼ 1", MODELS[1]],
            ["4", "=", MODELS[3]],
            ["5", "▼ 2", MODELS[2]],
        ]
        # The week before the latest data, not before today.
        link = page.get_by_role("link", name="7 days before as CSV").get_attribute("href") or ""
        assert "as_of=2026-02-22T06%3A00%3A00.000Z" in link


def test_size_bin_shows_all_its_models(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, "about:blank") as page:
        answer_with(page, MODELS[:13], MODELS[12::-1])
        page.goto(f"{server.url}/leaderboard")
        assert [row[2] for row in shown(page)] == MODELS[:10]
        assert [row[1] for row in shown(page)][:8:7] == ["▲ 12", "▼ 2"]
        expect(page.locator("#leaderboards caption")).to_contain_text("The first 10 of 13 models")
        page.get_by_role("link", name="All 13 models of 10-50B").click()
        expect(page.locator("#leaderboards tbody tr")).to_have_count(13)
        assert page.url.endswith("/leaderboard?size_bin=10-50B")
        expect(page.get_by_label("Size bin")).to_have_value("10-50B")


def test_ranks_equal_ram(browser: Browser, server: ApiServer) -> None:
    rows = httpx.get(f"{server.url}/v1/ram", timeout=60).json()["data"]
    expected = [row["model_id"] for row in rows if row["ram"] is not None]
    assert expected
    with open_page(browser, f"{server.url}/leaderboard") as page:
        assert [row[2] for row in shown(page)] == expected


def test_without_ram_a_week_before_no_change_is_shown(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, "about:blank") as page:
        answer_with(page, MODELS[:3], [])
        page.goto(f"{server.url}/leaderboard")
        expect(page.locator("#leaderboards .notice")).to_have_text(
            "No changes of rank: there was no RAM 7 days before."
        )
        expect(page.get_by_role("columnheader", name="Change")).to_have_count(0)


def test_no_ram_is_said(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, f"{server.url}/leaderboard?size_bin=250B%2B") as page:
        expect(page.locator("#leaderboards")).to_contain_text("No RAM yet.")


def test_every_number_has_its_source(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, "about:blank") as page:
        answer_with(page, MODELS[:12], MODELS[1:12])
        page.goto(f"{server.url}/leaderboard")
        shown(page)
        said = page.evaluate("[...document.querySelectorAll('main data')].map((one) => one.title)")
        assert len(said) > 20
        assert [one for one in said if "as of 20" not in one] == []
        change = page.locator("#leaderboards td:nth-child(2) data").first
        assert "Change since 2026-02-22 06:00 UTC" in (change.get_attribute("title") or "")


def test_size_bin_is_chosen_by_keyboard(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, "about:blank") as page:
        answer_with(page, MODELS[:12], MODELS[:12])
        page.goto(f"{server.url}/leaderboard")
        shown(page)
        page.get_by_label("Size bin").focus()
        page.keyboard.type("10-")
        expect(page.locator("#leaderboards tbody tr")).to_have_count(12)
        assert page.url.endswith("?size_bin=10-50B")


def test_slow_response_does_not_replace_a_later_one(browser: Browser, server: ApiServer) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with open_page(browser, "about:blank") as page:
        answer_with(page, MODELS[:12], MODELS[:12])
        page.route("**/v1/ram?*size_bin=1-5B*", hold)
        page.goto(f"{server.url}/leaderboard")
        shown(page)
        page.get_by_label("Size bin").select_option("1-5B")
        page.get_by_label("Size bin").select_option("10-50B")
        expect(page.locator("#leaderboards tbody tr")).to_have_count(12)
        cited = page.locator("#cite .citation").inner_text()
        assert "size_bin=10-50B" in cited
        with page.expect_response("**/v1/ram?*size_bin=1-5B*"):
            held[0].continue_()
        # After the page has handled the response.
        page.evaluate("new Promise((resume) => setTimeout(resume))")
        expect(page.locator("#leaderboards tbody tr")).to_have_count(12)
        expect(page.locator("#cite .citation")).to_have_text(cited)


@LOOKS
def test_leaderboard_is_accessible(
    browser: Browser, server: ApiServer, size: tuple[int, int], theme: Any
) -> None:
    with open_page(browser, "about:blank", size=size, theme=theme) as page:
        answer_with(page, MODELS[:12], [*MODELS[1:7], *MODELS[11:6:-1]])
        page.goto(f"{server.url}/leaderboard")
        shown(page)
        screenshot(page, f"leaderboard-{size[0]}-{theme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
