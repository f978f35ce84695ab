"""The simulated Arena, Artificial Analysis and ModelScope: shapes as documented, data that move."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from breakout.simulation import Catalog, Limits, SimulatedClock, SimulatedHub, invented_catalog
from breakout.simulation.leaderboards import CLOSED, QUOTA, UNKNOWN, VERSION_CHANGED
from breakout.simulation.reviewed import names_csv

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DATASET = {"dataset": "lmarena-ai/leaderboard-dataset", "config": "text", "split": "latest"}
OVERALL = {"where": "\"category\"='overall'"}
KEY = {"x-api-key": "any"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return invented_catalog(end=NOW, days=400)


@pytest.fixture
async def hub(catalog: Catalog) -> AsyncIterator[SimulatedHub]:
    async with SimulatedHub(catalog, clock=SimulatedClock(NOW), limits=Limits(requests=1)) as one:
        yield one


async def get(url: str, **options: Any) -> httpx.Response:
    # Plain HTTP: loading certificates would be most of a test's time.
    async with httpx.AsyncClient(timeout=10, verify=False) as client:
        return await client.get(url, **options)


async def rows(hub: SimulatedHub, path: str = "filter", **query: Any) -> list[dict[str, Any]]:
    """All rows, page by page; more requests than the Hub's own budget would grant."""
    found: list[dict[str, Any]] = []
    while True:
        params = DATASET | OVERALL | query | {"offset": len(found), "length": 100}
        answer = (await get(f"{hub.arena_url}/{path}", params=params)).json()
        assert (answer["num_rows_per_page"], answer["partial"]) == (100, False)
        numbers = [one["row_idx"] for one in answer["rows"]]
        assert numbers == sorted(set(numbers))
        found += [one["row"] for one in answer["rows"]]
        if len(found) >= answer["num_rows_total"]:
            return found


def best_open(found: list[dict[str, Any]], makers: set[str]) -> str:
    best = max((one for one in found if one["organization"] in makers), key=lambda r: r["rating"])
    return str(best["model_name"])


async def test_the_viewer_serves_the_documented_columns(hub: SimulatedHub) -> None:
    found = await rows(hub)
    assert set(found[0]) == {
        "model_name", "organization", "license", "rating", "rating_lower", "rating_upper",
        "variance", "vote_count", "rank", "category", "leaderboard_publish_date",
    }  # fmt: skip
    assert {one["category"] for one in found} == {"overall"}
    assert all(type(one[key]) is float for one in found for key in ("rank", "vote_count"))
    assert any(one["organization"] == "" for one in found)
    assert {one["leaderboard_publish_date"] for one in found} == {"2026-03-09"}
    assert {one["model_name"] for one in found if one["license"] == "Proprietary"} == {
        *CLOSED, UNKNOWN,
    }  # fmt: skip


async def test_rows_have_all_categories(hub: SimulatedHub) -> None:
    overall = await rows(hub)
    everything = await rows(hub, "rows")
    assert [one for one in everything if one["category"] == "overall"] == overall
    assert len(everything) > len(overall)


async def test_a_filtered_row_keeps_its_place_among_all_rows(hub: SimulatedHub) -> None:
    params = DATASET | {"offset": 0, "length": 1} | {"where": "\"category\"='overall'"}
    (first,) = (await get(f"{hub.arena_url}/filter", params=params)).json()["rows"]
    all_rows = DATASET | {"offset": first["row_idx"], "length": 1}
    (same,) = (await get(f"{hub.arena_url}/rows", params=all_rows)).json()["rows"]
    assert first == same


async def test_a_name_has_several_rows_in_some_weeks(hub: SimulatedHub) -> None:
    rated = []
    for weeks in range(4):
        hub.clock.set(NOW - timedelta(weeks=weeks))
        found = await rows(hub)
        rated.append(len(found) / len({one["model_name"] for one in found}))
    assert sorted(rated) == [1, 1, 1, 3]


async def test_style_control_rates_differently(hub: SimulatedHub) -> None:
    plain = {one["model_name"]: one["rating"] for one in await rows(hub)}
    styled = {
        one["model_name"]: one["rating"] for one in await rows(hub, config="text_style_control")
    }
    assert plain.keys() == styled.keys()
    assert plain != styled
    params = DATASET | OVERALL | {"config": "nothing", "offset": 0, "length": 1}
    assert (await get(f"{hub.arena_url}/filter", params=params)).status_code == 404


@pytest.mark.parametrize(
    "query", [{"where": "rating > 1"}, {"offset": "x"}, {"offset": None}], ids=repr
)
async def test_a_wrong_query_is_refused(hub: SimulatedHub, query: dict[str, Any]) -> None:
    params = {"offset": 0, "length": 100} | DATASET | OVERALL | query
    given = {name: value for name, value in params.items() if value is not None}
    assert (await get(f"{hub.arena_url}/filter", params=given)).status_code == 422


async def test_the_best_open_model_of_a_region_changes(hub: SimulatedHub, catalog: Catalog) -> None:
    makers = {one.name for one in catalog.organisations if one.region == "china"}
    leaders, ratings = [], []
    for days_ago in range(360, -1, -30):
        hub.clock.set(NOW - timedelta(days=days_ago))
        found = await rows(hub)
        leaders.append(best_open(found, makers))
        ratings.append(max(one["rating"] for one in found))
    assert len(set(leaders)) > 2
    assert ratings[-1] > ratings[0]


async def models(hub: SimulatedHub, page: int, size: int = 50) -> httpx.Response:
    params = {"page": page, "page_size": size}
    url = f"{hub.artificial_analysis_url}/language/models/free"
    return await get(url, params=params, headers=KEY)


async def test_the_index_is_served_in_pages(hub: SimulatedHub) -> None:
    first = (await models(hub, 1)).json()
    pages = first["pagination"]["total_pages"]
    assert pages > 1
    slugs = []
    for number in range(1, pages + 1):
        answer = (await models(hub, number)).json()
        assert answer["pagination"] == {
            "page": number, "page_size": 50, "total_pages": pages, "has_more": number < pages,
        }  # fmt: skip
        slugs += [one["slug"] for one in answer["data"]]
    assert len(set(slugs)) == len(slugs)
    assert {*CLOSED, UNKNOWN} <= set(slugs)
    assert {"id", "name", "slug", "model_creator", "evaluations"} <= set(first["data"][0])


async def test_without_a_key_the_index_is_refused(hub: SimulatedHub) -> None:
    answer = await get(f"{hub.artificial_analysis_url}/language/models/free")
    assert answer.status_code == 401


async def test_a_key_has_a_quota_of_each_day(hub: SimulatedHub) -> None:
    answers = [await models(hub, 1, 1) for _ in range(QUOTA + 1)]
    assert [one.status_code for one in answers] == [200] * QUOTA + [429]
    assert answers[0].headers["X-RateLimit-Remaining"] == "99"
    assert answers[-1].headers["X-RateLimit-Remaining"] == "0"
    hub.clock.set(NOW + timedelta(days=1))
    assert (await models(hub, 1)).status_code == 200


async def test_the_index_changes_its_version_once(hub: SimulatedHub) -> None:
    versions = []
    for days in (-40, -1, 0, 40):
        hub.clock.set(VERSION_CHANGED + timedelta(days=days))
        versions.append((await models(hub, 1)).json()["intelligence_index_version"])
    assert versions == [4.0, 4.0, 4.1, 4.1]


async def listed(hub: SimulatedHub, owner: str, **query: Any) -> httpx.Response:
    params = {"owner": owner, "page_number": 1, "page_size": 50} | query
    return await get(f"{hub.modelscope_url}/openapi/v1/models", params=params)


async def test_modelscope_counts_fewer_downloads_than_the_hub(hub: SimulatedHub) -> None:
    answer = (await listed(hub, "Moshanling")).json()
    assert answer["success"] is True
    data = answer["data"]
    assert (data["page_number"], data["page_size"]) == (1, 50)
    assert len(data["models"]) == min(data["total_count"], 50) > 0
    one = max(data["models"], key=lambda model: model["downloads"])
    at_the_hub = await get(f"{hub.url}/api/models/{one['id']}?expand[]=downloadsAllTime")
    assert 0 < one["downloads"] < at_the_hub.json()["downloadsAllTime"]


async def test_modelscope_lists_no_deeper_than_3000(hub: SimulatedHub) -> None:
    answer = await listed(hub, "Moshanling", page_number=61)
    assert answer.status_code == 400
    assert answer.json()["success"] is False


async def test_an_owner_modelscope_does_not_have_has_no_models(hub: SimulatedHub) -> None:
    assert (await listed(hub, "nobody")).json()["data"]["models"] == []


def test_every_invented_name_but_the_unknown_one_is_reviewed(catalog: Catalog) -> None:
    reviewed = {tuple(line.split(",")[:2]) for line in names_csv(catalog).splitlines()[1:]}
    for source in ("arena", "artificial-analysis"):
        assert (source, UNKNOWN) not in reviewed
        assert {(source, name) for name in CLOSED} <= reviewed
