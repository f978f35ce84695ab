"""The peers of a baseline, against the baseline itself."""

from statistics import median
from typing import Any

import httpx
import pytest

from breakout.settings import Settings
from tests.api import ram_world

BIN = "10-50B"


@pytest.fixture
def client(ram_api: tuple[httpx.Client, Settings]) -> httpx.Client:
    return ram_api[0]


def rows(client: httpx.Client, path: str, **asked: Any) -> list[dict[str, Any]]:
    response = client.get(f"/v1/{path}", params={"limit": 1000, **asked})
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]
    return found


@pytest.mark.parametrize("baseline", ["live", "live_fixed"])
def test_median_of_the_peers_is_the_baseline(client: httpx.Client, baseline: str) -> None:
    baselines = rows(client, "baselines", baseline=baseline, size_bin=BIN)
    assert {row["peers"] == 10 for row in baselines} == {True, False}
    for row in baselines[::6]:
        asked = {"size_bin": BIN, "age_days": row["age_days"], "baseline": baseline}
        peers = rows(client, "baselines/peers", **asked)
        assert [peer["rank"] for peer in peers] == list(range(1, row["peers"] + 1))
        counts = [peer["cumulative"] for peer in peers]
        assert counts == sorted(counts, reverse=True)
        assert max(peer["as_of"] for peer in peers) == row["as_of"]
        assert row["downloads"] == (median(counts) if len(counts) == 10 else None)


def test_untracked_models_are_no_peers(client: httpx.Client) -> None:
    untracked = {one.model_id for one in ram_world.models() if not one.tracked}
    assert untracked
    points = rows(client, "ram/curves", age_days=20)
    peers = rows(client, "baselines/peers", size_bin=BIN, age_days=20)
    tracked = [row for row in points if row["model_id"] not in untracked]
    assert [peer["model_id"] for peer in peers] == [
        row["model_id"] for row in sorted(tracked, key=lambda row: -row["cumulative"])[:10]
    ]


def test_peers_of_a_past_moment(client: httpx.Client) -> None:
    then = ram_world.THEN.isoformat()
    past = rows(client, "baselines", size_bin=BIN, as_of=then)
    now = rows(client, "baselines", size_bin=BIN)
    assert len(past) < len(now)
    for row in past[::10]:
        asked = {"size_bin": BIN, "age_days": row["age_days"], "as_of": then}
        counts = [peer["cumulative"] for peer in rows(client, "baselines/peers", **asked)]
        assert len(counts) == row["peers"]
        assert row["downloads"] == (median(counts) if len(counts) == 10 else None)


def test_without_filters_all_peers_are_returned(client: httpx.Client) -> None:
    baselines = rows(client, "baselines")
    peers = rows(client, "baselines/peers", limit=10_000)
    assert len(peers) == sum(row["peers"] for row in baselines)
    assert [(peer["age_days"], peer["rank"]) for peer in peers] == [
        (row["age_days"], rank) for row in baselines for rank in range(1, row["peers"] + 1)
    ]


def test_cutoff_has_peers_at_milestones(client: httpx.Client) -> None:
    (row,) = rows(client, "baselines", baseline="live_cutoff", size_bin=BIN, age_days=7)
    peers = rows(client, "baselines/peers", size_bin=BIN, baseline="live_cutoff")
    assert {peer["age_days"] for peer in peers} <= {7, 14, 30, 60, 90, 180, 365}
    at_7_days = [peer for peer in peers if peer["age_days"] == 7]
    assert row["downloads"] == at_7_days[-1]["cumulative"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"size_bin": BIN, "age_days": 8, "baseline": "live_cutoff"}, "age_days"),
        ({"size_bin": BIN, "age_days": 7, "baseline": "frozen-2026"}, "baseline"),
        ({"size_bin": "8B", "age_days": 7}, "size_bin"),
        ({"size_bin": BIN, "age_days": 366}, "age_days"),
        (
            {"size_bin": BIN, "age_days": 7, "baseline": "live_fixed", "as_of": "2026-02-10"},
            "as_of",
        ),
    ],
)
def test_invalid_parameter_is_named(
    client: httpx.Client, asked: dict[str, Any], named: str
) -> None:
    response = client.get("/v1/baselines/peers", params=asked)
    assert response.status_code == 422
    assert [error["parameter"] for error in response.json()["errors"]] == [named]
