"""Daily downloads out of the closings of days, against the definition over all observations."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import migration_client, reader_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = (
    "model_id", "observed_at", "source", "origin", "downloads_all_time", "cumulative", "standing",
    "jump", "version",
)  # fmt: skip
SCRAPES = (
    "source", "observed_at", "partition", "models", "compared", "standing", "complete", "version",
)  # fmt: skip
DEFINITIONS = {
    "downloads_daily": """
WITH closings AS
(
    SELECT
        model_id,
        toDate(observed_at) AS day,
        argMax(downloads.cumulative, observed_at) AS closing,
        argMax(stalled, observed_at) AS skipped
    FROM downloads
    WHERE source = 'huggingface' AND downloads.cumulative IS NOT NULL
    GROUP BY model_id, day
),
usable AS
(
    SELECT
        model_id, day, assumeNotNull(closing) AS closing,
        lagInFrame(toNullable(day)) OVER before AS day_before,
        lagInFrame(toNullable(assumeNotNull(closing))) OVER before AS closing_before
    FROM closings
    WHERE NOT skipped
    WINDOW before AS (PARTITION BY model_id ORDER BY day ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
SELECT
    model_id,
    day - days + step AS day,
    -- floor(grown * step / days), parted so that no product passes 64 bits.
    if(
        day_before IS NULL,
        NULL,
        intDiv(grown, days)
            + intDiv(grown % days * step, days) - intDiv(grown % days * (step - 1), days)
    ) AS downloads,
    from_closing + intDiv(grown, days) * step + intDiv(grown % days * step, days) AS cumulative
FROM
(
    SELECT
        model_id, usable.day AS day, day_before,
        toUInt64(ifNull(usable.day - day_before, 1)) AS days,
        ifNull(closing_before, closing) AS from_closing,
        toUInt64(closing - from_closing) AS grown,
        arrayJoin(range(1, days + 1)) AS step
    FROM usable
)
""",
    "downloads_by_source": """
SELECT
    model_id,
    maxIf(d.cumulative, source = 'huggingface') AS huggingface,
    maxIf(toNullable(observed_at), source = 'huggingface') AS huggingface_at,
    maxIf(d.cumulative, source = 'modelscope') AS modelscope,
    maxIf(toNullable(observed_at), source = 'modelscope') AS modelscope_at
FROM downloads_log AS d
WHERE d.cumulative IS NOT NULL
GROUP BY model_id
""",
}
"""The same views over all observations."""


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
    """Insert rows in pieces, some twice; `marked`: some with `closing`, as workers do."""
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
    migrate(settings)
    client.database = settings.clickhouse.database
    rows = observations(random)
    half = random.randrange(len(rows))
    client.insert("scrapes_log", scrapes(random), SCRAPES)
    write(client, random, rows[:half], marked=False)
    write(client, random, rows[half:], marked=True)
    reader = reader_client(settings)
    for view, key in (("downloads_daily", "model_id, day"), ("downloads_by_source", "model_id")):
        now = reader.query(f"SELECT * FROM {view} ORDER BY {key}").result_rows
        defined = reader.query(f"SELECT * FROM ({DEFINITIONS[view]}) ORDER BY {key}").result_rows
        assert now
        assert now == defined, view
