"""Publishes events to Kafka: acknowledged by all replicas, with a bounded number in flight."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    UnknownError,
    UnsupportedVersionError,
)

from breakout.contract.events import (
    DeadLetter,
    DerivativesSlice,
    DownloadsSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    ModelRecord,
    NameRecord,
    RunRecord,
)
from breakout.contract.topics import (
    DEAD_LETTERS,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
    RUNS,
    partition_of,
)
from breakout.kafka.clients import start_client, stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.topics import KafkaUnavailableError, ensure_topics, wait_for_broker
from breakout.observability import metrics
from breakout.settings import Settings
from collectors.publishing.dead_letters import dead_letter_of_bytes
from collectors.publishing.slices import Scrape, split_scrape

log = structlog.get_logger(__name__)

TOPICS = (MODELS, DOWNLOADS, NAMES, INFERENCE, DERIVATIVES, LEADERBOARDS, RUNS, DEAD_LETTERS)
"""Topics that collectors publish to."""

_TOPIC_OF = {topic.event: topic for topic in TOPICS}

_IN_FLIGHT = 500
_ACKNOWLEDGE_SECONDS = 30.0
_CLOSE_SECONDS = 3.0
_LINGER_MS = 20
_MAX_RECORD_BYTES = 1_000_000
_NO_IDEMPOTENCE = (UnknownError, UnsupportedVersionError, ClusterAuthorizationFailedError)


def key_of(event: Event) -> str:
    """Return the key of an event's record."""
    match event:
        case ModelRecord() | NameRecord() | RunRecord():
            return event.key
        case DownloadsSlice():
            return f"{event.source}:{event.scrape_id}"
        case InferenceDay():
            return f"{event.source}:{event.day}"
        case LeaderboardSlice():
            return f"{event.source}:{event.board}:{event.version}"
        case DerivativesSlice():
            # One key, so one partition: lineage needs the complete graph.
            return event.source
        case DeadLetter():
            return event.topic
        case _:
            raise TypeError(f"collectors do not publish {type(event).__name__}")


class Publisher:
    """A connection to Kafka; see `open_publisher`."""

    def __init__(self, producer: Any, partitions: dict[str, int], address: str) -> None:
        self._producer = producer
        self._partitions = partitions
        self._address = address
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._pending: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self.acknowledged: Counter[str] = Counter()
        """Records acknowledged so far, by topic."""

    async def publish(self, events: Iterable[Event]) -> None:
        """Publish events, each to its topic and the partition of its key."""
        for event in events:
            await self._send(event)
            if isinstance(event, DeadLetter):
                metrics.DEAD_LETTERS.labels(event.topic).inc()

    async def publish_scrape(self, scrape: Scrape) -> int:
        """Publish a scrape's slices; returns how many."""
        slices = list(split_scrape(scrape, self._partitions[DOWNLOADS.name]))
        await self.publish_slices(slices)
        return len(slices)

    async def publish_slices(self, slices: Iterable[tuple[int, DownloadsSlice]]) -> None:
        """Publish (partition, slice) pairs: a slice's partition is that of its models."""
        for partition, piece in slices:
            await self._send(piece, partition)

    async def flush(self) -> None:
        """Wait until Kafka has acknowledged everything.

        Raises `KafkaUnavailableError` when it did not in time.
        """
        if self._pending:
            await asyncio.wait(self._pending)
        if self._failure:
            raise self._failure

    async def _send(self, event: Event, partition: int | None = None) -> None:
        """Send a record; waits while too many are unacknowledged."""
        topic, key = _TOPIC_OF[type(event)].name, key_of(event)
        if partition is None:
            partition = partition_of(key, self._partitions[topic])
        await self._slots.acquire()
        if self._failure:
            raise self._failure
        task = asyncio.create_task(self._deliver(topic, event.to_bytes(), key.encode(), partition))
        self._pending.add(task)
        task.add_done_callback(self._delivered)

    async def _deliver(self, topic: str, value: bytes, key: bytes, partition: int) -> None:
        try:
            async with asyncio.timeout(_ACKNOWLEDGE_SECONDS):
                await self._producer.send_and_wait(topic, value, key=key, partition=partition)
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, MessageSizeTooLargeError) and topic != DEAD_LETTERS.name:
                await self._send_dead_letter(topic, key, value)
                return
            raise KafkaUnavailableError(
                f"Kafka at {self._address} did not acknowledge a record of {topic} within "
                f"{_ACKNOWLEDGE_SECONDS:g} s ({str(error) or type(error).__name__}): "
                "check KAFKA_BOOTSTRAP_SERVERS"
            ) from error
        self.acknowledged[topic] += 1
        metrics.PUBLISHED.labels(topic).inc()

    async def _send_dead_letter(self, topic: str, key: bytes, value: bytes) -> None:
        """Publish a record that exceeds Kafka's size limit as a dead letter, truncated."""
        reason = f"key {key.decode()[:256]!r}: {len(value):,} bytes exceed Kafka's record limit"
        log.error("record sent to the dead-letter topic", topic=topic, reason=reason)
        letter = dead_letter_of_bytes(topic, "publisher", value, reason)
        partition = partition_of(topic, self._partitions[DEAD_LETTERS.name])
        await self._deliver(DEAD_LETTERS.name, letter.to_bytes(), topic.encode(), partition)
        metrics.DEAD_LETTERS.labels(topic).inc()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._slots.release()
        self._pending.discard(task)
        if not task.cancelled():
            # Retrieved in any case: asyncio warns about exceptions that nobody retrieves.
            error = task.exception()
            self._failure = self._failure or error

    async def close(self) -> None:
        """Wait a few seconds for records in flight, then disconnect."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=_CLOSE_SECONDS)
        for task in self._pending:
            task.cancel()
        await stop_client(self._producer.stop)


@asynccontextmanager
async def open_publisher(
    settings: Settings, *, give_up_after: float | None = None
) -> AsyncIterator[Publisher]:
    """Connect to Kafka, create missing topics, and disconnect cleanly at the end of the block.

    Waits for an unavailable broker; raises `KafkaUnavailableError` after `give_up_after` seconds
    (null: never).
    """
    partitions = await ensure_topics(settings, TOPICS, give_up_after=give_up_after)

    async def start() -> Any:
        return await _start_producer(settings)

    producer = await wait_for_broker(settings, start, give_up_after=give_up_after)
    publisher = Publisher(producer, partitions, settings.kafka_bootstrap_servers)
    try:
        yield publisher
    finally:
        await publisher.close()


_without_idempotence: set[str] = set()
"""Brokers without support for idempotent producers: detected once, logged once."""


async def _start_producer(settings: Settings) -> Any:
    """Start an idempotent producer, or a plain one where the broker lacks support.

    Without it a retry may write a record twice; consumers of the topics deduplicate.
    """
    address = settings.kafka_bootstrap_servers
    if address not in _without_idempotence:
        try:
            with _unlogged("aiokafka.producer.sender"):
                return await _started(settings, idempotent=True)
        except _NO_IDEMPOTENCE as error:
            _without_idempotence.add(address)
            log.info(
                "broker does not support idempotent producers, continuing without",
                KAFKA_BOOTSTRAP_SERVERS=address,
                reason=type(error).__name__,
            )
    return await _started(settings, idempotent=False)


@contextmanager
def _unlogged(name: str) -> Iterator[None]:
    """Silence a library's logger: what it logs as an error is logged as info just after."""
    logger = logging.getLogger(name)
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


async def _started(settings: Settings, *, idempotent: bool) -> Any:
    producer = AIOKafkaProducer(
        **kafka_connection(settings),
        acks="all",
        enable_idempotence=idempotent,
        linger_ms=_LINGER_MS,
        max_request_size=_MAX_RECORD_BYTES,
        request_timeout_ms=int(_ACKNOWLEDGE_SECONDS * 1000),
    )
    await start_client(producer, within=_ACKNOWLEDGE_SECONDS)
    return producer
