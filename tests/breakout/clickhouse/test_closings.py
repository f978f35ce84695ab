"""Daily downloads out of the closings of days, against the definition over all observations."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import migration_client, reader_client
from breakout.clickhouse.migrations import apply, migrate, read_migrations
from breakout.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = (
    "model_id", "observed_at", "source", "origin", "downloads_all_time", "cumulative", "standing",
    "jump", "version",
)  # fmt: skip
SCRAPES = (
    "source", "observed_at", "partition", "models", "compared", "standing", "complete", "version",
)  # fmt: skip
BEFORE = 10
"""The last migration without closings."""


def former(view: str) -> str:
    """Return a view's definition of before, as a query."""
    for migration in read_migrations()[:BEFORE]:
        for statement in migration.statements:
            if statement.startswith(f"CREATE VIEW IF NOT EXISTS {view}\n"):
                body = statement[statement.index("\nAS") + len("\nAS") :]
                return body[: body.rindex("COMMENT '")]
    raise LookupError(view)


def observations(random: Random) -> list[tuple[Any, ...]]:
    """Histories with gaps, stalls, unknown counters and rows written again with more knowledge."""
    rows: list[tuple[Any, ...]] = []
    for number in range(6):
        total = random.randrange(1000)
        for hours in sorted(random.sample(range(24 * 20), random.randrange(1, 60))):
            grown = random.choice((0, 0, random.randrange(1000)))
            total += grown
            known = random.random() > 0.05
            versions = random.randrange(1, 4)
            source = random.choice(("huggingface", "huggingface", "modelscope"))
            for version in range(1, versions + 1):
                # The last version is the truth; those before it knew less, and so counted less.
                shown = max(total - 30 * (versions - version), 0) if known else None
                at = START + timedelta(hours=hours)
                rows.append(
                    (
                        f"a/m{number}", at, source, "live", shown, shown, grown == 0, False,
                        10 * hours + version,
                    )
                )  # fmt: skip
    random.shuffle(rows)
    return rows


def scrapes(random: Random) -> list[tuple[Any, ...]]:
    return [
        (
            "huggingface", START + timedelta(hours=hours), 0, 6, 6,
            random.choice((0, 6, 6, 6)), True, 1,
        )
        for hours in range(24 * 20)
    ]  # fmt: skip


def write(client: Client, random: Random, rows: list[tuple[Any, ...]], *, marked: bool) -> None:
    """Insert rows in pieces, some of them twice; `marked`: some as workers of today do."""
    while rows:
        some = rows[: random.randrange(1, 80)]
        rows = rows[len(some) :]
        columns: tuple[str, ...] = COLUMNS
        if marked and random.random() < 0.7:
            some, columns = with_closings(some), (*COLUMNS, "closing")
        client.insert("downloads_log", some, columns)
        if random.random() < 0.2:
            client.insert("downloads_log", some, columns)


def with_closings(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Add whether each is the last of its model, source and day, as a worker says it."""
    last: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        model_id, at, source, *_, version = row
        key = (model_id, source, at.date())
        if row[5] is not None and (at, version) >= last.get(key, (at, version)):
            last[key] = (at, version)
    return [(*row, last.get((row[0], row[2], row[1].date())) == (row[1], row[-1])) for row in rows]


@pytest.mark.parametrize("seed", range(8))
def test_views_over_closings_are_those_over_all_observations(seed: int, settings: Settings) -> None:
    random = Random(seed)
    client = migration_client(settings)
    apply(client, settings.clickhouse.database, read_migrations()[:BEFORE])
    client.database = settings.clickhouse.database
    rows = observations(random)
    half = random.randrange(len(rows))
    client.insert("scrapes_log", scrapes(random), SCRAPES)
    write(client, random, rows[:half], marked=False)
    migrate(settings)
    write(client, random, rows[half:], marked=True)
    reader = reader_client(settings)
    for view, key in (("downloads_daily", "model_id, day"), ("downloads_by_source", "model_id")):
        now = reader.query(f"SELECT * FROM {view} ORDER BY {key}").result_rows
        before = reader.query(f"SELECT * FROM ({former(view)}) ORDER BY {key}").result_rows
        assert now
        assert now == before, view
