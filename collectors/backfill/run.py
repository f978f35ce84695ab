"""Publishes past snapshots, oldest first; skips those published before."""

import asyncio
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

import structlog

from breakout.contract.events import DeadLetter
from breakout.core.times import from_ms
from breakout.settings import Settings
from collectors.backfill import ledger
from collectors.backfill.archives import ARCHIVES, FileVersions, Snapshot
from collectors.backfill.ledger import Entry
from collectors.backfill.snapshots import SnapshotError, read_snapshot
from collectors.backfill.spool import Spooled, scrapes, spool
from collectors.http.client import DEFAULT_REQUEST_POLICY, RequestPolicy, Source
from collectors.http.errors import SourceError
from collectors.hub.crawl import hub_source
from collectors.publishing.dead_letters import dead_letter
from collectors.publishing.publisher import Publisher, open_publisher
from collectors.publishing.slices import Scrape
from collectors.scheduling.job import Progress
from collectors.sources.tracked_models import fetch_tracked_list

log = structlog.get_logger(__name__)

FILE = "file"
"""Origin of observations from a file."""

_KAFKA_SECONDS = 30.0
_RECORDED_AT_ONCE = 50
_INVALID_ROWS_SHOWN = 20
_MISSING_SHOWN = 20

Say = Callable[[str], None]
"""Called with a line for the user."""


@dataclass
class Result:
    """What a backfill did."""

    snapshots: int = 0
    """Snapshots published."""
    skipped: int = 0
    """Snapshots published before."""
    unchanged: int = 0
    """Snapshots with the same file as the one before: nothing was observed then."""
    observations: int = 0
    young: int = 0
    """Observations whose all-time counter is the 30-day counter of a young repository."""
    without_total: int = 0
    """Observations without an all-time counter: stored, but not part of a clean series."""
    dead_letters: int = 0
    bytes_read: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    """Snapshots, and models in them, that could not be read, and why."""
    invalid_rows: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing and not self.invalid_rows


async def backfill_archive(
    settings: Settings,
    origin: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    again: bool = False,
    dry_run: bool = False,
    request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY,
    on_progress: Progress = lambda _done, _total: None,
    say: Say = lambda _line: None,
) -> Result:
    """Publish the tracked models' counters from an archive's snapshots in [since, until].

    A snapshot that cannot be read is missing. Raises `SourceError` when the archive or the
    tracked-models list cannot be read, and `KafkaUnavailableError`.
    """
    result = Result()
    tracked = (await fetch_tracked_list(settings, request_policy)).models
    async with hub_source(settings, request_policy=request_policy) as hub:
        archive = await ARCHIVES[origin](hub)
        previous = dict(pairwise(reversed(archive)))
        versions = FileVersions(hub)
        snapshots = [
            snapshot
            for snapshot in archive
            if (since is None or snapshot.observed_at >= since)
            and (until is None or snapshot.observed_at <= until)
        ]
        published = set() if again else await _published(settings, "huggingface", origin)
        todo = [one for one in snapshots if Entry(one.observed_at) not in published]
        result.skipped = len(snapshots) - len(todo)
        async with _Output(settings, result, dry_run=dry_run) as output:
            for number, snapshot in enumerate(todo):
                on_progress(number, len(todo))
                before = previous.get(snapshot)
                if before is not None and await versions.is_unchanged(before, snapshot):
                    result.unchanged += 1
                    say(f"{snapshot.observed_at:%Y-%m-%dT%H:%M:%SZ}: unchanged file, skipped")
                    continue
                scrape, letters = await _scrape(hub, snapshot, tracked, origin, result, say)
                if scrape is not None and scrape.counters:
                    await output.publish(scrape, Entry(scrape.observed_at))
                await output.publish_dead_letters(letters)
            on_progress(len(todo), len(todo))
    return result


async def _scrape(
    hub: Source,
    snapshot: Snapshot,
    tracked: Collection[str],
    origin: str,
    result: Result,
    say: Say,
) -> tuple[Scrape | None, list[DeadLetter]]:
    """Read a snapshot; without one that can be read, its scrape is None."""
    at = snapshot.observed_at
    try:
        found = await read_snapshot(hub, snapshot.path, tracked, origin=origin)
    except (SnapshotError, SourceError) as error:
        result.missing[at.isoformat()] = str(error)
        log.warning("snapshot cannot be read", at=at.isoformat(), reason=str(error))
        return None, []
    result.bytes_read += found.bytes_read
    result.missing |= {f"{at:%Y-%m-%d} {model}": why for model, why in found.missing.items()}
    say(
        f"{at:%Y-%m-%dT%H:%M:%SZ}: {len(found.counters):,} of {len(tracked):,} models, "
        f"{found.bytes_read:,} of {found.file_bytes:,} bytes read"
    )
    scrape = Scrape("huggingface", at, found.counters, found.missing, origin=origin)
    return scrape, found.dead_letters


async def backfill_file(
    settings: Settings,
    path: Path,
    source: str,
    *,
    again: bool = False,
    dry_run: bool = False,
    on_progress: Progress = lambda _done, _total: None,
    say: Say = lambda _line: None,
) -> Result:
    """Publish a file of observations.

    Raises `ObservationsFileError` and `KafkaUnavailableError`.
    """
    result = Result()
    with tempfile.TemporaryDirectory(prefix="breakout-backfill-") as folder:
        spooled = await asyncio.to_thread(spool, path, Path(folder), now=datetime.now(UTC))
        say(_overview(path, spooled))
        for invalid in spooled.invalid[:_INVALID_ROWS_SHOWN]:
            say(f"row {invalid.row} skipped: {invalid.reason}")
        result.invalid_rows = len(spooled.invalid)
        published = set() if again else await _published(settings, source, FILE)
        async with _Output(settings, result, dry_run=dry_run) as output:
            await output.publish_dead_letters(
                [
                    dead_letter(FILE, "backfill", row.values, f"row {row.row}: {row.reason}")
                    for row in spooled.invalid
                ]
            )
            remaining = scrapes(spooled, source, FILE)
            while (scrape := await asyncio.to_thread(next, remaining, None)) is not None:
                entry = Entry(scrape.observed_at, ledger.digest_of(scrape))
                if entry in published:
                    result.skipped += 1
                else:
                    await output.publish(scrape, entry)
                on_progress(result.observations, spooled.rows)
    return result


class _Output:
    """Publishes scrapes, and records those that Kafka has acknowledged completely."""

    def __init__(self, settings: Settings, result: Result, *, dry_run: bool) -> None:
        self._settings = settings
        self._result = result
        self._dry_run = dry_run
        self._unrecorded: list[tuple[Entry, Scrape]] = []
        self._stack = AsyncExitStack()
        self._publisher: Publisher | None = None

    async def __aenter__(self) -> Self:
        if not self._dry_run:
            opened = open_publisher(self._settings, give_up_after=_KAFKA_SECONDS)
            self._publisher = await self._stack.enter_async_context(opened)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        async with self._stack:
            if kind is None:
                await self._record()

    async def publish(self, scrape: Scrape, entry: Entry) -> None:
        if self._publisher is not None:
            await self._publisher.publish_scrape(scrape)
            self._unrecorded.append((entry, scrape))
            if len(self._unrecorded) >= _RECORDED_AT_ONCE:
                await self._record()
        self._result.snapshots += 1
        self._result.observations += len(scrape.counters)
        self._result.young += len(scrape.young)
        self._result.without_total += sum(
            one.total(scrape.observed_at) is None for one in scrape.counters.values()
        )

    async def publish_dead_letters(self, letters: list[DeadLetter]) -> None:
        if self._publisher is not None:
            await self._publisher.publish(letters)
        self._result.dead_letters += len(letters)

    async def _record(self) -> None:
        if self._publisher is None:
            return
        await self._publisher.flush()
        acknowledged, self._unrecorded = self._unrecorded, []
        if acknowledged:
            entries = [(entry, len(scrape.counters)) for entry, scrape in acknowledged]
            scrape = acknowledged[0][1]
            await asyncio.to_thread(
                ledger.record, self._settings, scrape.source, scrape.origin, entries
            )


async def _published(settings: Settings, source: str, origin: str) -> set[Entry]:
    return await asyncio.to_thread(ledger.published, settings, source, origin)


def _overview(path: Path, spooled: Spooled) -> str:
    if spooled.first_ms is None or spooled.last_ms is None:
        return f"{path}: no valid rows, {len(spooled.invalid):,} invalid rows"
    first, last = from_ms(spooled.first_ms), from_ms(spooled.last_ms)
    days = (last - first) / timedelta(days=1)
    return (
        f"{path}: {spooled.rows:,} observations of {len(spooled.models):,} models, "
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d} ({days:.0f} days), "
        f"{len(spooled.invalid):,} invalid rows"
    )


def report(result: Result) -> Iterator[str]:
    """Yield lines for people."""
    yield (
        f"{result.snapshots:,} snapshots with {result.observations:,} observations, "
        f"{result.skipped:,} skipped: published before"
    )
    if result.young:
        yield f"{result.young:,} observations by the 30-day counter of young repositories"
    if result.without_total:
        yield f"{result.without_total:,} observations without an all-time counter"
    if result.unchanged:
        yield f"{result.unchanged:,} snapshots skipped: same file as the one before"
    if result.bytes_read:
        yield f"{result.bytes_read:,} bytes read"
    if result.invalid_rows:
        yield f"{result.invalid_rows:,} invalid rows skipped, sent to breakout.dlq"
    for name, reason in list(result.missing.items())[:_MISSING_SHOWN]:
        yield f"missing: {name}: {reason}"
    if len(result.missing) > _MISSING_SHOWN:
        yield f"and {len(result.missing) - _MISSING_SHOWN:,} more missing"
