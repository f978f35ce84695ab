"""What the page says about how live it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser

from tests.api.server import ApiServer
from tests.page.browser import open_page, requires_chromium

pytestmark = requires_chromium
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = 86_400
LIVENESS = """async ([update, now, connected]) => {
    const { liveness } = await import("/assets/liveness.js");
    const { state, text, age, missing } = liveness(update, now, connected);
    return [state, text + age + (missing ?? "")];
}"""


def update(
    *, minutes: float | None = 3, running: tuple[str, ...] = (), **changed: Any
) -> dict[str, Any]:
    return {
        "as_of": None if minutes is None else (NOW - timedelta(minutes=minutes)).isoformat(),
        "parts": [{"part": part, "running": 1} for part in running],
        "simulated": None,
        "stale_after_seconds": 3 * DAY,
        "problem": None,
        **changed,
    }


ALL = ("collector:huggingface", "worker")
CASES: list[tuple[str, dict[str, Any] | None, bool, tuple[str, str]]] = [
    ("all run", update(running=ALL), True, ("live", "Live: data of 3 min ago")),
    (
        "no worker",
        update(running=ALL[:1]),
        True,
        ("quiet", "Data of 3 min ago; worker not running"),
    ),
    (
        "a stopped collector",
        {
            **update(minutes=5 * DAY / 60, running=("worker",)),
            "parts": [
                {"part": "collector:huggingface", "running": 0},
                {"part": "worker", "running": 1},
            ],
        },
        True,
        ("stale", "Stale: last data 5 days ago; collector not running"),
    ),
    (
        "old data although all run",
        update(minutes=4 * DAY / 60, running=ALL),
        True,
        ("stale", "Stale: last data 4 days ago"),
    ),
    (
        "no data yet",
        update(minutes=None, running=ALL),
        True,
        ("none", "No data yet: waiting for the first scrape"),
    ),
    (
        "nothing runs",
        update(minutes=None),
        True,
        ("none", "No data yet; collector and worker not running"),
    ),
    (
        "a replay",
        update(simulated="season"),
        True,
        ("replay", "Replay, not live: downloads as of 2026-03-01 11:57 UTC"),
    ),
    (
        "invented data",
        update(simulated="invented"),
        True,
        ("replay", "Demo, not live: downloads as of 2026-03-01 11:57 UTC"),
    ),
    (
        "no connection",
        update(running=ALL),
        False,
        ("lost", "No connection: last data 3 min ago"),
    ),
    (
        "no database",
        update(running=ALL, problem="The database is unavailable"),
        True,
        ("lost", "The database is unavailable: last data 3 min ago"),
    ),
    ("never connected", None, False, ("lost", "No connection: the server does not respond")),
    ("not yet connected", None, True, ("none", "Connecting")),
]


def test_liveness_rests_on_data_and_parts(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        for name, given, connected, expected in CASES:
            found = page.evaluate(LIVENESS, [given, NOW.timestamp() * 1000, connected])
            assert tuple(found) == expected, name


def test_age_is_not_announced_by_screen_readers(browser: Browser, server: ApiServer) -> None:
    with open_page(browser, server.url) as page:
        age = page.locator("#state span")
        age.wait_for(state="attached")
        assert age.get_attribute("aria-live") == "off"
        assert page.locator("#state").get_attribute("role") == "status"
