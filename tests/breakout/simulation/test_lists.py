"""The tracked-models files as their repository publishes them."""

import csv
import re
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from breakout.simulation import Catalog, Model, Organisation, SimulatedClock, SimulatedHub

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)

CATALOG = Catalog.of(
    [
        Model("oak/Grown-70B", NOW - 9 * DAY, total_params_b=70, manual_size=True),
        Model(
            "acorn/tiny-1B-A0.5B",
            NOW - 9 * DAY,
            total_params_b=1.02,
            active_params_b=0.5,
            manual_size=True,
            released_on=date(2026, 3, 6),
        ),
        Model("acorn/Mini", NOW - 9 * DAY, total_params_b=3, released_on=date(2026, 2, 27)),
        Model("acorn/flop", NOW - 9 * DAY, tracked_in="extra_models.csv"),
        Model("acorn/new", NOW - DAY, tracked_since=NOW + DAY, released_on=date(2026, 3, 10)),
        Model("acorn/tiny-GGUF", NOW - 9 * DAY, tracked_in=None),
    ],
    organisations=[
        Organisation("oak", "eu", "Roots, and branches"),
        Organisation("acorn", "us"),
        Organisation("beech"),
    ],
)


async def read(path: str, now: datetime = NOW) -> list[str]:
    async with (
        SimulatedHub(CATALOG, clock=SimulatedClock(now)) as hub,
        httpx.AsyncClient() as http,
    ):
        answer = await http.get(f"{hub.tracked_models_url}/{path}")
    assert answer.status_code == 200
    return answer.text.splitlines()


async def test_models() -> None:
    assert await read("models.csv") == [
        "org,model,modelId",
        "acorn,Mini,acorn/Mini",
        "acorn,tiny-1B-A0.5B,acorn/tiny-1B-A0.5B",
        "oak,Grown-70B,oak/Grown-70B",
    ]


async def test_a_model_is_listed_some_days_after_release() -> None:
    assert "acorn,new,acorn/new" in await read("models.csv", NOW + DAY)


async def test_extra_models() -> None:
    assert await read("extra_models.csv") == ["org,model,modelId", "acorn,flop,acorn/flop"]


async def test_parameters() -> None:
    assert await read("metadata/model_parameters.csv") == [
        "model_id,total_params_b,active_params_b,is_moe,notes",
        "oak/Grown-70B,70,,,",
        "acorn/tiny-1B-A0.5B,1.02,0.5,true,",
    ]


async def test_regions() -> None:
    lines = await read("metadata/organization_regions.csv")
    assert list(csv.reader(lines)) == [
        ["hf_org", "region", "notes"],
        ["acorn", "us", ""],
        ["oak", "eu", "Roots, and branches"],
    ]


async def test_corrections_begin_with_comments() -> None:
    assert await read("metadata/release_date_corrections.csv") == [
        "# Manual release date corrections",
        "# HF created_at can differ from actual public release date",
        "# Format: model_id,hf_created_at,actual_release_date,notes",
        "model_id,hf_created_at,actual_release_date,notes",
        "acorn/tiny-1B-A0.5B,2026-03-01,2026-03-06,5 days early",
        "acorn/Mini,2026-03-01,2026-02-27,official launch post",
    ]


@pytest.mark.parametrize(
    ("name", "rejected"),
    [("Molinx-Guard-2B", True), ("Molinx-2-7B-GGUF", True), ("Molinx-2-7B-Instruct", False)],
)
async def test_the_policy_rejects_by_name(name: str, rejected: bool) -> None:
    lines = [line.strip() for line in await read("policy/model_policy.yml")]
    patterns = [line.removeprefix("- ").strip('"') for line in lines if "(?i)" in line]
    assert any(re.search(pattern, name) for pattern in patterns) is rejected


async def test_an_unknown_file_is_not_found() -> None:
    async with SimulatedHub(CATALOG) as hub, httpx.AsyncClient() as http:
        assert (await http.get(f"{hub.tracked_models_url}/metadata/models.csv")).status_code == 404
