"""Views of downloads that no oracle computes, against plain sums over invented counters."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import reader_client
from breakout.settings import Settings
from tests.breakout.cli.seed import insert
from tests.oracle import counters
from tests.oracle.inputs import milliseconds, moment_of
from tests.support.download_rows import Observed, download_rows

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
SOURCES = ("huggingface", "modelscope")
TODAY = "a/today"
"""First observed on the last day."""


def load(client: Client, observations: list[Observed], *, untracked: str = "") -> None:
    for table, rows in download_rows(observations).items():
        insert(client, table, *rows)
    for model_id in sorted({one.model_id for one in observations}):
        tracked = model_id != untracked
        insert(
            client, "models_log", {"model_id": model_id, "tracked": tracked, "observed_at": START}
        )


def rows(client: Client, sql: str) -> list[dict[str, Any]]:
    return list(client.query(sql).named_results())


def histories(random: Random) -> list[Observed]:
    """Counters with stalls, falls, rollbacks and gaps, every eight hours for thirty days."""
    found = []
    for number in range(8):
        for source in SOURCES[: random.randint(1, 2)]:
            counter, rate = random.randint(0, 1000), random.choice((0, 3, 90, 4000))
            for hours in sorted(random.sample(range(0, 24 * 30, 8), random.randint(1, 80))):
                counter += random.choice((0, 0, rate, random.randint(0, rate)))
                if random.random() < 0.05:
                    counter -= random.randint(0, counter // 2)
                at = START + timedelta(hours=hours)
                found.append(Observed(f"a/m{number}", at, counter, source))
    found.append(Observed(TODAY, START + 30 * DAY, 17))
    return found


def last_knots(observations: list[Observed]) -> dict[tuple[str, str], tuple[datetime, int]]:
    """Return the moment and the counter of the last knot by model and source."""
    series: dict[tuple[str, str], list[counters.Observation]] = {}
    for one in sorted(observations, key=lambda one: one.at):
        own = series.setdefault((one.model_id, one.source), [])
        own.append((milliseconds(one.at), one.downloads))
    return {
        key: (moment_of(knot.moment), knot.raw)
        for key, own in series.items()
        for knot in counters.knots(own)[-1:]
    }


@pytest.mark.parametrize("seed", range(4))
def test_latest_downloads_are_those_of_the_last_knot(client: Client, seed: int) -> None:
    observations = histories(Random(seed))
    load(client, observations, untracked="a/m3")
    knots = last_knots(observations)
    tracked = {
        (row["model_id"], row["source"]): (row["observed_at"], row["cumulative"])
        for row in rows(client, "SELECT * FROM tracked_downloads")
    }
    assert tracked == {key: knot for key, knot in knots.items() if key[0] != "a/m3"}
    found = {
        (row["model_id"], source): (row[f"{source}_at"], row[source])
        for row in rows(client, "SELECT * FROM downloads_by_source")
        for source in SOURCES
        if row[source] is not None
    }
    assert found == knots
    own = {
        row["model_id"]: row["own_downloads"]
        for row in rows(client, "SELECT * FROM families")
        if row["own_downloads"] is not None
    }
    assert own == {
        model_id: knot[1]
        for (model_id, source), knot in knots.items()
        if source == "huggingface" and model_id != "a/m3"
    }


def test_only_delta_needs_earlier_observations(client: Client) -> None:
    for columns, windows in (("count()", 0), ("model_id, cumulative", 0), ("delta", 1)):
        plan = client.query(f"EXPLAIN SELECT {columns} FROM downloads").result_rows
        found = sum(line.strip(" │└─") == "Window" for (line,) in plan)
        assert (columns, found) == (columns, windows)


def test_observations_of_one_model_are_found_by_the_key(client: Client) -> None:
    load(client, histories(Random(1)))
    (key,) = [
        line
        for (line,) in client.query(
            "EXPLAIN indexes = 1 SELECT delta FROM downloads WHERE model_id = 'a/m1'"
        ).result_rows
        if "model_id in" in line
    ]
    assert "['a/m1', 'a/m1']" in key


def growing(model_id: str, days: range, a_day: int) -> list[Observed]:
    return [Observed(model_id, START + day * DAY, 1000 + a_day * day) for day in days]


def test_dead_counters(client: Client) -> None:
    last = 60
    unchanged = [
        Observed("a/dead", START + day * DAY, 1000 + 100 * min(day, 20)) for day in range(last + 1)
    ]
    # Unchanged as long, but at such a rate few downloads were to be expected.
    slow = [Observed("a/slow", START + day * DAY, 7 + (day >= 20)) for day in range(last + 1)]
    recent = [
        Observed("a/recent", START + day * DAY, 1000 + 100 * min(day, last - 34))
        for day in range(last + 1)
    ]
    load(
        client,
        [
            *growing("a/alive", range(last + 1), 100),
            *growing("a/gone", range(last - 12), 30),
            *growing("a/missed", range(last - 9), 30),
            *unchanged, *slow, *recent,
        ],
    )  # fmt: skip
    found = {row["model_id"]: row for row in rows(client, "SELECT * FROM dead_counters")}
    assert {model_id: row["reason"] for model_id, row in found.items()} == {
        "a/dead": "unchanged", "a/gone": "not observed",
    }  # fmt: skip
    assert found["a/gone"]["since"] == (START + (last - 14) * DAY).date()
    assert found["a/gone"]["rate"] == 30
    # Its counter changed in the morning: of that day it has a quarter.
    assert found["a/dead"]["since"] == (START + 20 * DAY).date()
    assert found["a/dead"]["rate"] == pytest.approx((6 * 100 + 25) / 7)


def test_finished_days_are_reached_by_95_percent(client: Client) -> None:
    last = 30
    late = {"a/m00": 3, "a/m01": 2, "a/m02": 1}
    models = [f"a/m{number:02}" for number in range(20)]
    load(
        client,
        [
            one
            for model in models
            for one in growing(model, range(last + 1 - late.get(model, 0)), 100)
        ]
        # Observed no more, and untracked: neither is waited for.
        + growing("a/gone", range(15), 1_000_000) + growing("a/other", range(last - 3), 1_000_000),
        untracked="a/other",
    )  # fmt: skip
    (finished,) = rows(client, "SELECT * FROM finished_days")
    # The first of the three is 5% of the downloads.
    assert finished == {
        "source": "huggingface",
        "day": (START + (last - 3) * DAY).date(),
    }
    edge = {row["model_id"]: row for row in rows(client, "SELECT * FROM live_edge")}
    assert edge.keys() == {*models, "a/other"}
    assert {row["week_downloads"] for row in edge.values()} == {700, 7_000_000}
    assert edge["a/m00"]["last_day"] == (START + (last - 4) * DAY).date()


def test_scrapes_count_models_and_missing_ones(client: Client) -> None:
    load(client, [*growing("a/b", range(2), 1), *growing("a/c", range(1, 2), 1)])
    incomplete = {
        "source": "huggingface", "observed_at": START + DAY, "scrape_id": "again", "slice": 1,
        "models": 5, "complete": False,
    }  # fmt: skip
    missing = {"source": "huggingface", "observed_at": START + DAY, "reason": "404"}
    for _ in range(2):
        # A slice that is delivered twice counts once.
        insert(client, "scrapes_log", incomplete)
        insert(client, "scrape_missing", *({"model_id": f"a/{n}"} | missing for n in range(3)))
    found = rows(client, "SELECT * FROM scrapes ORDER BY observed_at")
    assert [(row["models"], row["missing"], row["complete"]) for row in found] == [
        (1, 0, True),
        (7, 3, False),
    ]


def test_views_read_as_the_read_only_client(client: Client, settings: Settings) -> None:
    load(client, histories(Random(2)))
    moment = (START + 20 * DAY).replace(tzinfo=None).isoformat(" ")
    with closing(reader_client(settings)) as reader:
        for view in ("downloads_daily_as_of", "latest_as_of"):
            assert reader.query(f"SELECT * FROM {view}(moment = '{moment}')").result_rows
