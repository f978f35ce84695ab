"""A reading of a day replaces the reading before as a whole."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from breakout.contract import InferenceDay, LeaderboardSlice
from streams.facts import rows

DAY = date(2026, 1, 2)
COUNTED = datetime(2026, 1, 3, 2, tzinfo=UTC)


def insert(client: Client, table: str, readings: Sequence[pa.Table]) -> None:
    client.command(f"TRUNCATE TABLE {table}")
    for reading in readings:
        client.insert_arrow(table, reading)


def tokens(hour: int, counted: dict[str, int], as_of: datetime = COUNTED) -> pa.Table:
    return rows.inference(
        [
            InferenceDay(
                source="openrouter",
                day=DAY,
                as_of=as_of,
                observed_at=COUNTED + timedelta(hours=hour),
                names=list(counted),
                tokens=list(counted.values()),
            )
        ]
    )


def ratings(hour: int, rated: dict[str, float], published_on: date = DAY) -> pa.Table:
    return rows.ratings(
        [
            LeaderboardSlice(
                source="arena",
                board="text",
                published_on=published_on,
                observed_at=COUNTED + timedelta(hours=hour),
                names=list(rated),
                rating=list(rated.values()),
                lower=[None] * len(rated),
                upper=[None] * len(rated),
                votes=[None] * len(rated),
            )
        ]
    )


@pytest.mark.parametrize(
    "view",
    ["inference_tokens", "inference_tokens_as_of(moment = '2026-01-05 00:00:00')"],
)
def test_renamed_slug_of_one_count_counts_once(client: Client, view: str) -> None:
    readings = [
        tokens(1, {"a/x": 100, "other": 7}),
        tokens(2, {"a/x-20260101": 90, "other": 7}),
        tokens(3, {"a/x": 500, "a/y": 5}, as_of=COUNTED - timedelta(hours=1)),
    ]
    for order in permutations(readings):
        insert(client, "inference_log", order)
        found = client.query(f"SELECT slug, tokens FROM {view} ORDER BY slug").result_rows
        assert found == [("a/x-20260101", 90), ("other", 7)]


def test_lower_recount_of_one_count_replaces_the_greater(client: Client) -> None:
    insert(client, "inference_log", [tokens(2, {"a/x": 90}), tokens(1, {"a/x": 100})])
    assert client.query("SELECT tokens FROM inference_tokens").result_rows == [(90,)]


def test_equally_new_readings_are_never_mixed(client: Client) -> None:
    readings = [tokens(1, {"a/x": 1, "a/y": 9}), tokens(1, {"a/x": 9, "a/y": 1})]
    found = []
    for order in permutations(readings):
        insert(client, "inference_log", order)
        found.append(client.query("SELECT slug, tokens FROM inference_tokens").result_rows)
    assert found[0] == found[1]
    assert sorted(count for _, count in found[0]) == [1, 9]


def test_rating_withdrawn_on_its_day_is_gone(client: Client) -> None:
    readings = [
        ratings(1, {"steady": 1400.0, "withdrawn": 1500.0}),
        ratings(2, {"steady": 1401.0}),
        ratings(1, {"withdrawn": 1450.0}, DAY - timedelta(days=1)),
    ]
    for order in permutations(readings):
        insert(client, "ratings_log", order)
        found = client.query(
            "SELECT published_on, name, rating FROM scores ORDER BY published_on"
        ).result_rows
        assert found == [(date(2026, 1, 1), "withdrawn", 1450.0), (DAY, "steady", 1401.0)]
