"""Which snapshots need not be published again: they were, whole, and ClickHouse has them."""

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
from collectors.publishing.slices import Scrape

log = structlog.get_logger(__name__)

_SECONDS = 60.0
"""What a query may take."""


@dataclass(frozen=True)
class Entry:
    """A snapshot that was published whole."""

    observed_at: datetime
    digest: int = 0
    """Of its content, where snapshots of one moment may differ; 0 elsewhere."""


def digest_of(scrape: Scrape) -> int:
    """Return a digest of a snapshot's content, 64 bits."""
    digest = hashlib.blake2b(digest_size=8)
    for model, one in scrape.counters.items():
        row = f"{model} {one.downloads_all_time} {one.downloads_30d} {one.likes}\n"
        digest.update(row.encode())
    return int.from_bytes(digest.digest(), "big")


def published(settings: Settings, source: str, origin: str) -> set[Entry]:
    """Return the snapshots that were published whole and can be queried.

    Of a moment that several snapshots share, all their models together must be there: which of
    them are whose is not kept. Without ClickHouse that is none of them. Whatever is published
    again changes nothing.
    """
    try:
        with explained(settings), closing(_client(settings)) as client:
            rows = client.query(
                """
                SELECT b.observed_at, b.digest
                FROM
                (
                    SELECT observed_at, digest, sum(models) OVER (PARTITION BY observed_at) AS told
                    FROM backfills FINAL
                    WHERE source = %(source)s AND origin = %(origin)s
                ) AS b
                INNER JOIN
                (
                    SELECT observed_at, uniqExact(model_id) AS models
                    FROM downloads_log
                    WHERE source = %(source)s AND origin = %(origin)s
                    GROUP BY observed_at
                ) AS d ON d.observed_at = b.observed_at
                WHERE d.models >= b.told
                """,
                parameters={"source": source, "origin": origin},
            ).result_rows
    except ClickHouseError as error:
        log.warning("publishing all snapshots: what is there cannot be seen", why=str(error))
        return set()
    return {Entry(moment, digest) for moment, digest in rows}


def remember(
    settings: Settings, source: str, origin: str, snapshots: Iterable[tuple[Entry, int]]
) -> None:
    """Keep that snapshots were published whole: which, and how many models each has."""
    now = datetime.now(UTC)
    rows = [[source, origin, one.observed_at, one.digest, models, now] for one, models in snapshots]
    columns = ["source", "origin", "observed_at", "digest", "models", "published_at"]
    try:
        with explained(settings), closing(_client(settings)) as client:
            client.insert("backfills", rows, column_names=columns)
    except ClickHouseError as error:
        log.warning("a second run will publish these snapshots again", why=str(error))


def _client(settings: Settings) -> Client:
    return writer_client(settings, timeout_seconds=_SECONDS)
