"""What one run of each collector does, from its source to Kafka's acknowledgement."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import structlog

from breakout import metrics
from breakout.contract.events import DownloadsSlice
from breakout.kafka_topics import KafkaUnavailableError, ensure_topics
from breakout.registry.overrides import load_overrides
from breakout.registry.table import RegistryFileError
from breakout.registry.tracked_list import TrackedList
from breakout.settings import Settings, SettingsError
from collectors.http import DEFAULT_PATIENCE, Patience, SourceError
from collectors.hub import Progress, SurveyError, hub_source
from collectors.huggingface import HubScrape, scrape_hub
from collectors.publisher import TOPICS, Publisher, open_publisher
from collectors.registry import Registry, read_registry
from collectors.slices import cut
from collectors.tracked_models import fetch_tracked_list, tracked_models_source

log = structlog.get_logger(__name__)

EXPECTED = (SourceError, SurveyError, RegistryFileError, SettingsError, KafkaUnavailableError)
"""Failures of a run whose message is all a person needs."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run; all of it is acknowledged by Kafka."""

    source: str
    observed_at: datetime
    models: int
    """Models published, tracked and discovered ones."""
    untracked: int
    """Those of them that are not tracked."""
    records: int
    """Records of the source's topic."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Models that were wanted and not got, and why."""
    troubles: tuple[str, ...] = ()
    """What else went wrong, so that models nobody knows of may be missing."""
    dead_letters: int = 0

    @property
    def complete(self) -> bool:
        """Whether the run got all it wanted."""
        return not self.missing and not self.troubles


class Job(ABC):
    """A collector: what it does once, and how often it should.

    `give_up_after` bounds the wait for Kafka in seconds; null waits for ever.
    """

    name: ClassVar[str]

    def __init__(
        self,
        settings: Settings,
        *,
        give_up_after: float | None = None,
        patience: Patience = DEFAULT_PATIENCE,
        on_progress: Progress = lambda _done, _total: None,
    ) -> None:
        self.settings = settings
        self.patience = patience
        self.on_progress = on_progress
        self._give_up_after = give_up_after

    @property
    @abstractmethod
    def interval_seconds(self) -> float:
        """Seconds from one run to the next."""

    @abstractmethod
    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the source and publish; `observed_at` is the observation's moment, UTC."""

    async def run(self, observed_at: datetime | None = None) -> Outcome:
        """Collect once, now or as of a given moment.

        Raises one of `EXPECTED` when nothing, or not all that was read, could be published.
        """
        # Before the source is asked: what it says could not be kept without Kafka.
        await ensure_topics(self.settings, TOPICS, give_up_after=self._give_up_after)
        observed_at = observed_at or now()
        started = time.monotonic()
        try:
            outcome = await self.collect(observed_at)
        except Exception:
            metrics.SCRAPES.labels(self.name, "failed").inc()
            raise
        self._measure(outcome, time.monotonic() - started)
        return outcome

    async def publish(self, write: Callable[[Publisher], Awaitable[None]]) -> None:
        """Write all records and wait for their acknowledgement.

        While Kafka is away this begins again from the first record: written twice is read as
        once. What was acknowledged is logged when it is interrupted.
        """
        publisher: Publisher | None = None
        while True:
            try:
                async with open_publisher(
                    self.settings, give_up_after=self._give_up_after
                ) as publisher:
                    await write(publisher)
                    await publisher.flush()
            except KafkaUnavailableError as error:
                if self._give_up_after is not None:
                    raise
                log.warning("publishing again from the first record", reason=str(error))
            except asyncio.CancelledError:
                acknowledged = dict(publisher.acknowledged) if publisher else {}
                log.warning("interrupted while publishing", acknowledged_records=acknowledged)
                raise
            else:
                return

    def _measure(self, outcome: Outcome, seconds: float) -> None:
        result = "complete" if outcome.complete else "partial"
        metrics.SCRAPES.labels(self.name, result).inc()
        metrics.SCRAPE_SECONDS.labels(self.name).observe(seconds)
        metrics.SCRAPE_MODELS.labels(self.name).set(outcome.models)
        metrics.SCRAPE_MISSING.labels(self.name).set(len(outcome.missing))
        metrics.LAST_SCRAPE.labels(self.name).set(outcome.observed_at.timestamp())


class HuggingFaceJob(Job):
    """Download counters of the Hugging Face Hub.

    The tracked-models list is read at the first run and again every registry interval; a list
    that cannot be read again leaves the earlier one in use.
    """

    name = "huggingface"

    def __init__(
        self,
        settings: Settings,
        *,
        give_up_after: float | None = None,
        patience: Patience = DEFAULT_PATIENCE,
        on_progress: Progress = lambda _done, _total: None,
    ) -> None:
        super().__init__(
            settings, give_up_after=give_up_after, patience=patience, on_progress=on_progress
        )
        self._tracked_list: TrackedList | None = None
        self._list_read_at = 0.0
        self._known: set[str] = set()

    @property
    def interval_seconds(self) -> float:
        """Seconds between scrapes."""
        return self.settings.scrape_seconds

    async def collect(self, observed_at: datetime) -> Outcome:
        """Scrape the counters and publish them, newly discovered models first."""
        tracked_list = await self._list()
        overrides = load_overrides(self.settings.overrides_file)
        async with hub_source(self.settings, patience=self.patience) as hub:
            found = await scrape_hub(
                hub,
                tracked_list,
                overrides,
                observed_at=observed_at,
                on_progress=self.on_progress,
            )
        new = [record for record in found.discovered if record.model_id not in self._known]
        slices: list[tuple[int, DownloadsSlice]] = []

        async def write(publisher: Publisher) -> None:
            slices[:] = cut(found.scrape, publisher.downloads_partitions)
            await publisher.publish_models(new)
            await publisher.publish_downloads(slices)
            await publisher.publish_dead_letters(found.dead_letters)

        await self.publish(write)
        self._known.update(record.model_id for record in new)
        return _scrape_outcome(found, len(slices))

    async def _list(self) -> TrackedList:
        age = time.monotonic() - self._list_read_at
        if self._tracked_list is not None and age < self.settings.registry_seconds:
            return self._tracked_list
        try:
            tracked_list = await _read_list(self.settings, self.patience)
        except (SourceError, RegistryFileError) as error:
            if self._tracked_list is None:
                raise
            log.warning("going on with the earlier tracked-models list", reason=str(error))
            return self._tracked_list
        self._tracked_list = tracked_list
        self._list_read_at = time.monotonic()
        return tracked_list


class RegistryJob(Job):
    """What is known of each model: the tracked-models list joined with the Hub's metadata."""

    name = "registry"

    @property
    def interval_seconds(self) -> float:
        """Seconds between reads of the list."""
        return self.settings.registry_seconds

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the list and the Hub, and publish one record a model."""
        overrides = load_overrides(self.settings.overrides_file)
        tracked_list = await _read_list(self.settings, self.patience)
        async with hub_source(self.settings, patience=self.patience) as hub:
            registry = await read_registry(
                hub,
                tracked_list,
                overrides,
                observed_at=observed_at,
                on_progress=self.on_progress,
            )

        async def write(publisher: Publisher) -> None:
            await publisher.publish_models(registry.records)
            await publisher.publish_dead_letters(registry.dead_letters)

        await self.publish(write)
        return _registry_outcome(registry, observed_at)


JOBS: Mapping[str, type[Job]] = {job.name: job for job in (RegistryJob, HuggingFaceJob)}
"""Every collector by the name of its source."""


def now() -> datetime:
    """Return this moment, UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


async def _read_list(settings: Settings, patience: Patience) -> TrackedList:
    async with tracked_models_source(settings, patience=patience) as source:
        return await fetch_tracked_list(source)


def _scrape_outcome(found: HubScrape, slices: int) -> Outcome:
    scrape = found.scrape
    return Outcome(
        scrape.source,
        scrape.observed_at,
        len(scrape.counters),
        len(found.discovered),
        slices,
        scrape.missing,
        scrape.troubles,
        len(found.dead_letters),
    )


def _registry_outcome(registry: Registry, observed_at: datetime) -> Outcome:
    return Outcome(
        RegistryJob.name,
        observed_at,
        len(registry.records),
        sum(not record.tracked for record in registry.records),
        len(registry.records),
        registry.missing,
        dead_letters=len(registry.dead_letters),
    )
