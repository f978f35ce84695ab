"""What a collector's run is: from its source to Kafka's acknowledgement."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import structlog

from breakout.kafka.topics import KafkaUnavailableError, ensure_topics
from breakout.observability import metrics
from breakout.registry.table import RegistryFileError
from breakout.settings import Settings, SettingsError
from collectors.http.client import DEFAULT_PATIENCE, Patience, SourceError
from collectors.publishing.publisher import TOPICS, Publisher, open_publisher
from collectors.scheduling.cadence import Cadence

log = structlog.get_logger(__name__)

Progress = Callable[[int, int | None], None]
"""Called with how much is done, of how much (null: nobody knows yet)."""


class EmptyAnswerError(Exception):
    """A source answered with nothing, or with nothing that could be read: an alarm, never zero."""


EXPECTED = (SourceError, EmptyAnswerError, RegistryFileError, SettingsError, KafkaUnavailableError)
"""Failures of a run whose message is all a person needs."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run; all of it is acknowledged by Kafka."""

    source: str
    observed_at: datetime
    published: Mapping[str, int]
    """How many things were published, by what a person calls them."""
    records: int
    """Records of the source's topic."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """What was wanted and not got, and why."""
    troubles: tuple[str, ...] = ()
    """What else went wrong, so that things nobody knows of may be missing."""
    dead_letters: int = 0
    not_kept: int = 0
    """Rows that could not be read, and of which there were too many for dead letters."""
    notes: tuple[str, ...] = ()
    """What was decided where the source says two things; nothing is missing for it."""

    @property
    def complete(self) -> bool:
        """Whether the run got all it wanted."""
        return not (self.missing or self.troubles or self.not_kept)


class Job(ABC):
    """A collector: what it does once, and how often it should.

    `give_up_after` bounds the wait for Kafka in seconds; null waits for ever.
    """

    name: ClassVar[str]
    needs: ClassVar[str | None] = None
    """Setting without which its source answers nothing."""

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
        self.last_run: datetime | None = None
        """When the source was last read completely, UTC; null = never, as far as is known."""

    @property
    @abstractmethod
    def cadence(self) -> Cadence:
        """When it is due."""

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
        metrics.SCRAPE_MODELS.labels(self.name).set(sum(outcome.published.values()))
        metrics.SCRAPE_MISSING.labels(self.name).set(len(outcome.missing))
        metrics.LAST_SCRAPE.labels(self.name).set(outcome.observed_at.timestamp())


def now() -> datetime:
    """Return this moment, UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
