"""Records completely published snapshots in ClickHouse, so that they are not published again."""

import hashlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.errors import ClickHouseError, explained
from breakout.settings import Settings
from collectors.hub.young import ORIGIN_SUFFIX
from collectors.publishing.slices import Scrape

log = structlog.get_logger(__name__)

_SECONDS = 60.0
"""Timeout of a query."""


@dataclass(frozen=True)
class Entry:
    """A completely published snapshot."""

    observed_at: datetime
    digest: int = 0
    """Of its content, where snapshots of the same time may differ; 0 elsewhere."""


def digest_of(scrape: Scrape) -> int:
    """Return a digest of a snapshot's content, 64 bits."""
    digest = hashlib.blake2b(digest_size=8)
    for model, counters in scrape.counters.items():
        all_time = counters.total(scrape.observed_at)
        young = " young" if model in scrape.young else ""
        row = f"{model} {all_time} {counters.downloads_30d} {counters.likes}{young}\n"
        digest.update(row.encode())
    return int.from_bytes(digest.digest(), "big")


def published(settings: Settings, source: str, origin: str) -> set[Entry]:
    """Return the completely published snapshots that ClickHouse has all observations of.

    Those of young models have an origin of their own. If several snapshots have the same time, it
    must have all of their models together: which snapshot a model is from is not stored. Without
    ClickHouse there are none: publishing a snapshot again changes nothing.
    """
    try:
        with explained(settings), closing(_client(settings)) as client:
            rows = client.query(
                """
                SELECT b.observed_at, b.digest
                FROM
                (
                    SELECT observed_at, digest, sum(models) OVER (PARTITION BY observed_at) AS total
                    FROM backfills FINAL
                    WHERE source = %(source)s AND origin = %(origin)s
                ) AS b
                INNER JOIN
                (
                    SELECT observed_at, uniqExact(model_id) AS models
                    FROM downloads_log
                    WHERE source = %(source)s AND origin IN (%(origin)s, %(young)s)
                    GROUP BY observed_at
                ) AS d ON d.observed_at = b.observed_at
                WHERE d.models >= b.total
                """,
                parameters={
                    "source": source,
                    "origin": origin,
                    "young": origin + ORIGIN_SUFFIX,
                },
            ).result_rows
    except ClickHouseError as error:
        log.warning("publishing all snapshots: ClickHouse is unavailable", reason=str(error))
        return set()
    return {Entry(observed_at, digest) for observed_at, digest in rows}


def record(
    settings: Settings, source: str, origin: str, snapshots: Iterable[tuple[Entry, int]]
) -> None:
    """Record completely published snapshots, each with its number of models."""
    now = datetime.now(UTC)
    rows = [
        [source, origin, entry.observed_at, entry.digest, models, now]
        for entry, models in snapshots
    ]
    columns = ["source", "origin", "observed_at", "digest", "models", "published_at"]
    try:
        with explained(settings), closing(_client(settings)) as client:
            client.insert("backfills", rows, column_names=columns)
    except ClickHouseError as error:
        log.warning("snapshots not recorded: a second run publishes them again", reason=str(error))


def _client(settings: Settings) -> Client:
    return writer_client(settings, timeout_seconds=_SECONDS)
