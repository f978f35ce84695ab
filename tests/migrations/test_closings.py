"""Daily downloads out of the closings of days, against the definition over all observations."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse import migration_client, reader_client
from breakout.migrations import apply, migrate, read_migrations
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


def write(client: Client, random: Random, rows: list[tuple[Any, ...]]) -> None:
    while rows:
        some = rows[: random.randrange(1, 80)]
        rows = rows[len(some) :]
        client.insert("downloads_log", some, COLUMNS)
        if random.random() < 0.2:
            client.insert("downloads_log", some, COLUMNS)


@pytest.mark.parametrize("seed", range(8))
def test_views_over_closings_are_those_over_all_observations(seed: int, settings: Settings) -> None:
    random = Random(seed)
    client = migration_client(settings)
    apply(client, settings.clickhouse.database, read_migrations()[:BEFORE])
    client.database = settings.clickhouse.database
    rows = observations(random)
    half = random.randrange(len(rows))
    client.insert("scrapes_log", scrapes(random), SCRAPES)
    write(client, random, rows[:half])
    migrate(settings)
    write(client, random, rows[half:])
    reader = reader_client(settings)
    for view, key in (("downloads_daily", "model_id, day"), ("downloads_by_source", "model_id")):
        now = reader.query(f"SELECT * FROM {view} ORDER BY {key}").result_rows
        before = reader.query(f"SELECT * FROM ({former(view)}) ORDER BY {key}").result_rows
        assert now
        assert now == before, view
