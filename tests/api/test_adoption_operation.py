"""Adoption: the facts, downloads and RAM of every model, filtered and sorted."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.support.embedded_servers import ClickHouseServer


def listed(client: httpx.Client, **parameters: Any) -> list[dict[str, Any]]:
    response = client.get("/v1/adoption", params=parameters)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["data"]
    return rows


def test_ram_and_downloads_equal_those_of_ram(ram_api: tuple[httpx.Client, Settings]) -> None:
    client, _ = ram_api
    ram = {row["model_id"]: row for row in client.get("/v1/ram").json()["data"]}
    rows = listed(client)
    assert len(rows) == len(ram) == 14
    for row in rows:
        expected = ram[row["model_id"]]
        assert row["downloads"] == expected["cumulative"]
        for name in ("ram", "age_days", "as_of", "peers", "baseline_downloads", "size_bin"):
            assert row[name] == expected[name], name


def test_every_model_is_listed(api: httpx.Client) -> None:
    rows = {row["model_id"]: row for row in listed(api)}
    assert set(rows) == {row["model_id"] for row in api.get("/v1/models").json()["data"]}
    # Its counter has no size bin to belong to, but it has downloads.
    assert rows["am/Sizeless"]["downloads"] is not None
    assert rows["am/Sizeless"]["ram"] is None
    assert rows["am/Unseen-7B"]["downloads"] is None


def test_downloads_without_ram_are_those_of_the_last_whole_day(api: httpx.Client) -> None:
    (row,) = listed(api, model="am/Sizeless")
    series = api.get("/v1/downloads", params={"model": "am/Sizeless"}).json()["data"]
    assert row["downloads"] == series[-1]["cumulative"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"org": "qi"}, {"qi/Big-300B", "qi/Small-1B"}),
        ({"size_bin": "unknown"}, {"am/Sizeless"}),
        ({"region": "unreviewed"}, {"nowhere/New-300B"}),
        ({"tracked": False}, {"am/Untracked-1B"}),
        ({"search": "1b small"}, {"qi/Small-1B"}),
        ({"model": ["qi/Big-300B", "old/Gone-300B"]}, {"qi/Big-300B", "old/Gone-300B"}),
    ],
)
def test_filters(api: httpx.Client, parameters: dict[str, Any], expected: set[str]) -> None:
    assert {row["model_id"] for row in listed(api, **parameters)} == expected


def test_release_dates_are_filters(ram_api: tuple[httpx.Client, Settings]) -> None:
    client, _ = ram_api
    rows = listed(client, released_from="2026-01-07", released_to="2026-01-08")
    assert {row["released_at"] for row in rows} == {"2026-01-07", "2026-01-08"}


@pytest.mark.parametrize(
    ("sort", "column", "descending"),
    [
        ("ram", "ram", True),
        ("downloads", "downloads", True),
        ("released", "released_at", True),
        ("model", "model_id", False),
    ],
)
def test_order_continues_over_pages(
    ram_api: tuple[httpx.Client, Settings], sort: str, column: str, descending: bool
) -> None:
    client, _ = ram_api
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"sort": sort, "limit": 3}
        if cursor:
            params["cursor"] = cursor
        page = client.get("/v1/adoption", params=params).json()
        found += page["data"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len({row["model_id"] for row in found}) == len(found) == 14
    values = [row[column] for row in found if row[column] is not None]
    assert values == sorted(values, reverse=descending)
    assert values == [row[column] for row in found[: len(values)]]


def test_missing_values_come_last(api: httpx.Client) -> None:
    for sort in ("downloads", "released"):
        rows = listed(api, sort=sort)
        column = {"downloads": "downloads", "released": "released_at"}[sort]
        known = [row[column] is not None for row in rows]
        assert known == sorted(known, reverse=True)


def test_cited_list_is_returned_again_after_new_observations(
    clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/adopted")
    ram_world.load(settings, ram_world.THEN, 1)
    with (
        serving(tmp_path, settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        before = client.get("/v1/adoption?sort=downloads")
        assert before.json()["data"]
        ram_world.load(settings, ram_world.LAST, 2)
        assert client.get("/v1/adoption?sort=downloads").json()["data"] != before.json()["data"]
        again = client.get(before.json()["self"])
        assert again.json() == before.json()
        assert again.headers["etag"] == before.headers["etag"]
