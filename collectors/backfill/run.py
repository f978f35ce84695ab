"""Publishes snapshots of the past, oldest first; what was published before is left out."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import structlog

from breakout.contract.events import DeadLetter
from breakout.core.times import from_ms
from breakout.settings import Settings
from collectors.backfill import ledger
from collectors.backfill.archives import ARCHIVES, Files, Snapshot
from collectors.backfill.ledger import Entry
from collectors.backfill.own_file import Spooled, WrongRow, scrapes, spool
from collectors.backfill.snapshots import Found, SnapshotError, read_snapshot
from collectors.http.client import DEFAULT_PATIENCE, Patience, SourceError
from collectors.hub.survey import hub_source
from collectors.publishing.publisher import Publisher, open_publisher
from collectors.publishing.rejected_rows import dead_letter
from collectors.publishing.slices import Scrape, cut
from collectors.scheduling.job import Progress
from collectors.sources.tracked_models import read_list

log = structlog.get_logger(__name__)

FILE = "file"
"""Origin of what comes from a file of one's own."""

_KAFKA_SECONDS = 30.0
_REMEMBERED_AT_ONCE = 50


@dataclass
class Done:
    """What a backfill did."""

    snapshots: int = 0
    """Snapshots published now."""
    skipped: int = 0
    """Snapshots that were published before."""
    unchanged: int = 0
    """Snapshots whose file is that of the one before: nothing was observed then."""
    observations: int = 0
    dead_letters: int = 0
    bytes_read: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    """Snapshots, and models of them, that could not be read, and why."""
    wrong_rows: int = 0

    @property
    def complete(self) -> bool:
        """Whether all that was wanted was published."""
        return not self.missing and not self.wrong_rows


async def backfill_archive(
    settings: Settings,
    origin: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    again: bool = False,
    dry_run: bool = False,
    patience: Patience = DEFAULT_PATIENCE,
    on_progress: Progress = lambda _done, _total: None,
    say: Callable[[str], None] = lambda _line: None,
) -> Done:
    """Publish the tracked models' counters from an archive's snapshots in [since, until].

    Raises `SourceError` when the archive or the tracked-models list cannot be read, and
    `KafkaUnavailableError`. A snapshot that cannot be read is named as missing; others go on.
    """
    done = Done()
    tracked = (await read_list(settings, patience)).models
    async with hub_source(settings, patience=patience) as hub:
        archive = await ARCHIVES[origin](hub)
        before = dict(pairwise(reversed(archive)))
        files = Files(hub)
        snapshots = [
            one
            for one in archive
            if (since is None or one.observed_at >= since)
            and (until is None or one.observed_at <= until)
        ]
        known = set() if again else await _published(settings, "huggingface", origin)

        async def scrape(one: Snapshot) -> Scrape | None:
            found = await _read(lambda: read_snapshot(hub, one.path, tracked, origin=origin))
            if isinstance(found, str):
                done.missing[one.observed_at.isoformat()] = found
                log.warning("snapshot cannot be read", at=one.observed_at.isoformat(), why=found)
                return None
            done.bytes_read += found.bytes_read
            done.missing |= {
                f"{one.observed_at:%Y-%m-%d} {model}": why for model, why in found.missing.items()
            }
            letters.extend(found.dead_letters)
            say(
                f"{one.observed_at:%Y-%m-%dT%H:%M:%SZ}: {len(found.counters):,} of "
                f"{len(tracked):,} models, {found.bytes_read:,} of {found.bytes_whole:,} bytes read"
            )
            return Scrape(
                "huggingface", one.observed_at, found.counters, found.missing, origin=origin
            )

        letters: list[DeadLetter] = []
        todo = [one for one in snapshots if Entry(one.observed_at) not in known]
        done.skipped = len(snapshots) - len(todo)
        async with _Output(settings, done, dry_run=dry_run) as output:
            for number, one in enumerate(todo):
                on_progress(number, len(todo))
                if one in before and await files.is_unchanged(before[one], one):
                    done.unchanged += 1
                    say(f"{one.observed_at:%Y-%m-%dT%H:%M:%SZ}: the same file as before, left out")
                    continue
                read = await scrape(one)
                if read is not None and read.counters:
                    await output.publish(read, Entry(read.observed_at))
                await output.bury(letters)
                letters.clear()
            on_progress(len(todo), len(todo))
    return done


async def backfill_file(
    settings: Settings,
    path: Path,
    source: str,
    *,
    again: bool = False,
    dry_run: bool = False,
    on_progress: Progress = lambda _done, _total: None,
    say: Callable[[str], None] = lambda _line: None,
) -> Done:
    """Publish a file of one's own. Raises `OwnFileError` and `KafkaUnavailableError`."""
    done = Done()
    with tempfile.TemporaryDirectory(prefix="breakout-backfill-") as folder:
        spooled = await asyncio.to_thread(spool, path, Path(folder), now=datetime.now(UTC))
        say(_stock(path, spooled))
        for wrong in spooled.wrong[:20]:
            say(f"row {wrong.row} left out: {wrong.why}")
        done.wrong_rows = len(spooled.wrong)
        known = set() if again else await _published(settings, source, FILE)
        async with _Output(settings, done, dry_run=dry_run) as output:
            await output.bury(_letters(spooled.wrong))
            coming = scrapes(spooled, source, FILE)
            while (one := await asyncio.to_thread(next, coming, None)) is not None:
                entry = Entry(one.observed_at, ledger.digest_of(one))
                if entry in known:
                    done.skipped += 1
                else:
                    await output.publish(one, entry)
                on_progress(done.observations, spooled.rows)
    return done


class _Output:
    """Publishes scrapes, and remembers those that Kafka has acknowledged whole."""

    def __init__(self, settings: Settings, done: Done, *, dry_run: bool) -> None:
        self._settings = settings
        self._done = done
        self._dry_run = dry_run
        self._unremembered: list[tuple[Entry, Scrape]] = []
        self._opened = open_publisher(settings, give_up_after=_KAFKA_SECONDS)
        self._publisher: Publisher | None = None

    async def __aenter__(self) -> "_Output":
        if not self._dry_run:
            self._publisher = await self._opened.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._publisher is None:
            return
        try:
            if error[0] is None:
                await self._remember()
        finally:
            await self._opened.__aexit__(*error)  # type: ignore[arg-type]

    async def publish(self, scrape: Scrape, entry: Entry) -> None:
        if self._publisher is not None:
            pieces = cut(scrape, self._publisher.downloads_partitions)
            await self._publisher.publish_downloads(pieces)
            self._unremembered.append((entry, scrape))
            if len(self._unremembered) >= _REMEMBERED_AT_ONCE:
                await self._remember()
        self._done.snapshots += 1
        self._done.observations += len(scrape.counters)

    async def bury(self, letters: list[DeadLetter]) -> None:
        if self._publisher is not None:
            await self._publisher.publish_dead_letters(letters)
        self._done.dead_letters += len(letters)

    async def _remember(self) -> None:
        if self._publisher is None:
            return
        await self._publisher.flush()
        some, self._unremembered = self._unremembered, []
        if some:
            told = [(entry, len(scrape.counters)) for entry, scrape in some]
            source, origin = some[0][1].source, some[0][1].origin
            await asyncio.to_thread(ledger.remember, self._settings, source, origin, told)


async def _read(read: Callable[[], Awaitable[Found]]) -> Found | str:
    """Return what was found, or why it could not be read."""
    try:
        return await read()
    except (SnapshotError, SourceError) as error:
        return str(error)


async def _published(settings: Settings, source: str, origin: str) -> set[Entry]:
    return await asyncio.to_thread(ledger.published, settings, source, origin)


def _letters(rows: list[WrongRow]) -> list[DeadLetter]:
    return [dead_letter(FILE, "backfill", one.values, f"row {one.row}: {one.why}") for one in rows]


def _stock(path: Path, spooled: Spooled) -> str:
    if spooled.first_ms is None or spooled.last_ms is None:
        return f"{path}: no usable row, {len(spooled.wrong):,} wrong"
    first, last = from_ms(spooled.first_ms), from_ms(spooled.last_ms)
    days = (last - first) / timedelta(days=1)
    return (
        f"{path}: {spooled.rows:,} observations of {len(spooled.models):,} models, "
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d} ({days:.0f} days), {len(spooled.wrong):,} wrong rows"
    )


def lines(done: Done) -> Iterator[str]:
    """Yield what a backfill did, for a person."""
    yield (
        f"{done.snapshots:,} snapshots with {done.observations:,} observations, "
        f"{done.skipped:,} were there already"
    )
    if done.unchanged:
        yield f"{done.unchanged:,} snapshots left out: the file was that of the one before"
    if done.bytes_read:
        yield f"{done.bytes_read:,} bytes read"
    if done.wrong_rows:
        yield f"{done.wrong_rows:,} wrong rows left out, kept in breakout.dlq"
    shown = 20
    for what, why in list(done.missing.items())[:shown]:
        yield f"missing: {what}: {why}"
    if len(done.missing) > shown:
        yield f"and {len(done.missing) - shown:,} more missing"
