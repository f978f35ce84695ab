"""The simulated OpenRouter: shapes, order, errors and revisions as documented."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from breakout.registry.names import read_names
from breakout.simulation import SimulatedClock, SimulatedHub, invented_catalog
from breakout.simulation.openrouter import UNCLASSIFIED
from breakout.simulation.reviewed import names_csv

NOW = datetime(2026, 5, 12, 2, tzinfo=UTC)
YESTERDAY = date(2026, 5, 11)
CATALOG = invented_catalog(NOW)
KEY = {"Authorization": "Bearer any"}
RANKINGS = "datasets/rankings-daily"


@pytest.fixture
async def hub() -> AsyncIterator[SimulatedHub]:
    async with SimulatedHub(CATALOG, clock=SimulatedClock(NOW)) as running:
        yield running


@pytest.fixture
async def http(hub: SimulatedHub) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=hub.openrouter_url, headers=KEY) as client:
        yield client


async def ranked(http: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await http.get(RANKINGS, params=query)
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


def by_day(content: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    days = defaultdict(list)
    for row in content["data"]:
        days[row["date"]].append((row["model_permaslug"], int(row["total_tokens"])))
    return days


async def test_the_default_is_the_month_that_is_over(http: httpx.AsyncClient) -> None:
    content = await ranked(http)
    assert content["meta"] == {
        "as_of": "2026-05-12T02:00:00Z",
        "start_date": "2026-04-11",
        "end_date": "2026-05-11",
        "version": "v1",
    }
    days = by_day(content)
    assert list(days) == [str(YESTERDAY - timedelta(days=n)) for n in range(30, -1, -1)]
    assert {type(row["total_tokens"]) for row in content["data"]} == {str}


async def test_days_are_ranked_with_the_rest_last(http: httpx.AsyncClient) -> None:
    for rows in by_day(await ranked(http)).values():
        names = [name for name, _ in rows]
        assert len(names) == len(set(names)) == 51
        assert names[-1] == "other"
        assert rows[:-1] == sorted(rows[:-1], key=lambda row: (-row[1], row[0]))
        assert all(tokens > 0 for _, tokens in rows)
        assert any(name.endswith(":free") for name in names)


async def test_the_newest_days_grow_and_older_ones_stand(
    hub: SimulatedHub, http: httpx.AsyncClient
) -> None:
    before = by_day(await ranked(http))
    assert by_day(await ranked(http)) == before
    hub.clock.advance(timedelta(days=3))
    content = await ranked(http, start_date="2026-04-11", end_date="2026-05-11")
    assert content["meta"]["as_of"] == "2026-05-15T02:00:00Z"
    after = by_day(content)
    changed = {day for day in before if before[day] != after[day]}
    assert changed == {"2026-05-10", "2026-05-11"}
    for day in changed:
        assert sum(tokens for _, tokens in after[day]) > sum(tokens for _, tokens in before[day])


async def test_a_start_before_the_first_day_is_clamped(http: httpx.AsyncClient) -> None:
    content = await ranked(http, start_date="2024-12-01", end_date="2025-01-02")
    assert content["meta"]["start_date"] == "2025-01-01"
    assert list(by_day(content)) == ["2025-01-01", "2025-01-02"]


async def test_a_day_that_is_not_over_has_no_rows(http: httpx.AsyncClient) -> None:
    days = by_day(await ranked(http, start_date="2026-05-10", end_date="2026-05-20"))
    assert list(days) == ["2026-05-10", "2026-05-11"]


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "yesterday"},
        {"end_date": "2024-12-31"},
        {"start_date": "2026-05-11", "end_date": "2026-05-10"},
        {"start_date": "2025-01-01", "end_date": "2026-01-02"},
    ],
)
async def test_a_wrong_range_is_refused(http: httpx.AsyncClient, query: dict[str, str]) -> None:
    answer = await http.get(RANKINGS, params=query)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": 400, "message": "Invalid request parameters"}}


async def test_rankings_need_a_key(hub: SimulatedHub) -> None:
    async with httpx.AsyncClient(base_url=hub.openrouter_url) as http:
        answer = await http.get(RANKINGS)
    assert answer.status_code == 401
    assert answer.json() == {"error": {"code": 401, "message": "Missing Authentication header"}}


async def test_every_ranked_name_is_listed_and_all_but_one_are_reviewed(
    http: httpx.AsyncClient,
) -> None:
    listed = {row["canonical_slug"]: row for row in (await http.get("models")).json()["data"]}
    reviewed = read_names(names_csv(CATALOG).encode(), file="names.csv")
    ranked_names = {
        name.partition(":")[0]
        for rows in by_day(await ranked(http)).values()
        for name, _ in rows
        if name != "other"
    }
    assert ranked_names <= set(listed)
    assert {name for name in listed if ("openrouter", name) not in reviewed} == {UNCLASSIFIED}
    for name in set(listed) - {UNCLASSIFIED}:
        assert listed[name]["hugging_face_id"] == (reviewed["openrouter", name].model_id or "")


async def test_open_models_gain_ground(http: httpx.AsyncClient) -> None:
    reviewed = read_names(names_csv(CATALOG).encode(), file="names.csv")

    async def share(day: str) -> float:
        tokens = {True: 0, False: 0}
        for name, count in by_day(await ranked(http, start_date=day, end_date=day))[day]:
            meaning = reviewed.get(("openrouter", name.partition(":")[0]))
            if meaning is not None:
                tokens[meaning.open] += count
        return tokens[True] / sum(tokens.values())

    shares = [await share(day) for day in ("2025-01-15", "2025-09-15", "2026-05-01")]
    assert shares == sorted(shares)
