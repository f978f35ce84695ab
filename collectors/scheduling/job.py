"""A collector's run: from requests to its source until Kafka acknowledged the records."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar

import structlog

from breakout.kafka.topics import KafkaUnavailableError, ensure_topics
from breakout.observability import metrics
from breakout.registry.table import RegistryFileError
from breakout.settings import Settings, SettingsError
from collectors.http.client import DEFAULT_REQUEST_POLICY, RequestPolicy
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.publishing.publisher import TOPICS, Publisher, open_publisher
from collectors.scheduling.cadence import Cadence
from collectors.scheduling.outcome import Collected, Outcome

log = structlog.get_logger(__name__)

Progress = Callable[[int, int | None], None]
"""Called with how much is done, of how much (null: unknown)."""

EXPECTED_ERRORS = (
    SourceError,
    EmptyResponseError,
    RegistryFileError,
    SettingsError,
    KafkaUnavailableError,
)
"""Errors of a run that are reported by their message alone."""


class Job(ABC):
    """A collector: how to read its source, and when.

    `give_up_after` bounds the wait for Kafka in seconds; null waits indefinitely.
    """

    name: ClassVar[str]
    required_setting: ClassVar[str | None] = None
    """Variable without which the source rejects requests."""

    def __init__(
        self,
        settings: Settings,
        *,
        give_up_after: float | None = None,
        request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY,
        on_progress: Progress = lambda _done, _total: None,
    ) -> None:
        self.settings = settings
        self.request_policy = request_policy
        self.on_progress = on_progress
        self.give_up_after = give_up_after
        self.last_run: datetime | None = None
        """Time of the last complete run, UTC; null = none known."""

    @property
    @abstractmethod
    def cadence(self) -> Cadence:
        """When it is due."""

    @abstractmethod
    async def collect(self, observed_at: datetime) -> Collected:
        """Read the source; `observed_at` is the time of the observation, UTC."""

    def on_published(self, collected: Collected) -> None:  # noqa: B027 - optional
        """Called once Kafka has acknowledged everything."""

    async def run(self, observed_at: datetime | None = None) -> Outcome:
        """Collect and publish once, as of now or a given time.

        Raises one of `EXPECTED_ERRORS` when nothing was read, or not everything was published.
        """
        # Before any request to the source: without Kafka its responses would be lost.
        await ensure_topics(self.settings, TOPICS, give_up_after=self.give_up_after)
        observed_at = observed_at or now()
        started = time.monotonic()
        try:
            collected = await self.collect(observed_at)
            records = await self._publish(collected)
        except Exception:
            metrics.SCRAPES.labels(self.name, "failed").inc()
            raise
        self.on_published(collected)
        outcome = Outcome.of(self.name, observed_at, collected, records)
        self._measure(outcome, time.monotonic() - started)
        return outcome

    async def _publish(self, collected: Collected) -> int:
        """Publish everything; returns the number of records of the source's topics.

        When Kafka becomes unavailable this restarts from the first record: consumers deduplicate.
        When cancelled it logs what was acknowledged.
        """
        publisher: Publisher | None = None
        while True:
            try:
                async with open_publisher(
                    self.settings, give_up_after=self.give_up_after
                ) as publisher:
                    return await publish(publisher, collected)
            except KafkaUnavailableError as error:
                if self.give_up_after is not None:
                    raise
                log.warning("publishing again from the first record", reason=str(error))
            except asyncio.CancelledError:
                acknowledged = dict(publisher.acknowledged) if publisher else {}
                log.warning("interrupted while publishing", acknowledged_records=acknowledged)
                raise

    def _measure(self, outcome: Outcome, seconds: float) -> None:
        result = "complete" if outcome.complete else "partial"
        metrics.SCRAPES.labels(self.name, result).inc()
        metrics.SCRAPE_SECONDS.labels(self.name).observe(seconds)
        metrics.SCRAPE_MODELS.labels(self.name).set(sum(outcome.published.values()))
        metrics.SCRAPE_MISSING.labels(self.name).set(len(outcome.missing))
        metrics.LAST_SCRAPE.labels(self.name).set(outcome.observed_at.timestamp())


async def publish(publisher: Publisher, collected: Collected) -> int:
    """Publish everything; returns the number of records of the source's topics."""
    await publisher.publish(collected.discovered)
    await publisher.publish(collected.records)
    slices = await publisher.publish_scrape(collected.scrape) if collected.scrape else 0
    await publisher.publish(collected.rejected.letters)
    await publisher.flush()
    return len(collected.records) + slices


def now() -> datetime:
    """Return the current time, UTC, in milliseconds."""
    time_ = datetime.now(UTC)
    return time_.replace(microsecond=time_.microsecond // 1000 * 1000)
