"""Publishes events to Kafka: acknowledged by all replicas, bounded in flight."""

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

from breakout.contract.events import DeadLetter, DownloadsSlice, Event, ModelRecord, NameRecord
from breakout.contract.topics import (
    DEAD_LETTERS,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
    RUNS,
    Topic,
    partition_of,
)
from breakout.kafka.clients import start_client, stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.topics import KafkaUnavailableError, ensure_topics, wait_for_broker
from breakout.observability import metrics
from breakout.settings import Settings
from collectors.publishing.rejected_rows import kept

log = structlog.get_logger(__name__)

TOPICS = (MODELS, DOWNLOADS, NAMES, INFERENCE, DERIVATIVES, LEADERBOARDS, RUNS, DEAD_LETTERS)
"""What collectors write to."""

_IN_FLIGHT = 500
_ACKNOWLEDGE_SECONDS = 30.0
_CLOSE_SECONDS = 3.0
_LINGER_MS = 20
_MAX_RECORD_BYTES = 1_000_000
_NO_IDEMPOTENCE = (UnknownError, UnsupportedVersionError, ClusterAuthorizationFailedError)


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

    @property
    def downloads_partitions(self) -> int:
        """How many partitions the topic of scrapes has."""
        return self._partitions[DOWNLOADS.name]

    async def publish(self, topic: Topic, events: Iterable[tuple[str, Event]]) -> None:
        """Publish (key, event) pairs, each to the partition of its key."""
        for key, event in events:
            await self._send(topic, event, key)

    async def publish_names(self, records: Iterable[NameRecord]) -> None:
        """Publish what names of a source mean."""
        await self.publish(NAMES, ((one.key, one) for one in records))

    async def publish_models(self, records: Iterable[ModelRecord]) -> None:
        """Publish what is known of models, each to the partition of its id."""
        await self.publish(MODELS, ((one.key, one) for one in records))

    async def publish_downloads(self, slices: Iterable[tuple[int, DownloadsSlice]]) -> None:
        """Publish slices of a scrape, each to the partition it is given with."""
        for partition, piece in slices:
            await self._send(
                DOWNLOADS, piece, f"{piece.source}:{piece.scrape_id}", partition=partition
            )

    async def publish_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Publish what could not be read."""
        for letter in letters:
            await self._send(DEAD_LETTERS, letter, letter.topic)
            metrics.DEAD_LETTERS.labels(letter.topic).inc()

    async def flush(self) -> None:
        """Wait until Kafka has acknowledged everything.

        Raises `KafkaUnavailableError` when it did not in time.
        """
        if self._pending:
            await asyncio.wait(self._pending)
        if self._failure:
            raise self._failure

    async def _send(
        self,
        topic: Topic,
        event: Event,
        key: str,
        *,
        partition: int | None = None,
    ) -> None:
        """Hand a record over; waits while too many are unacknowledged."""
        if partition is None:
            partition = partition_of(key, self._partitions[topic.name])
        await self._slots.acquire()
        if self._failure:
            raise self._failure
        task = asyncio.create_task(
            self._deliver(topic.name, event.to_bytes(), key.encode(), partition)
        )
        self._pending.add(task)
        task.add_done_callback(self._delivered)

    async def _deliver(self, topic: str, value: bytes, key: bytes, partition: int) -> None:
        try:
            async with asyncio.timeout(_ACKNOWLEDGE_SECONDS):
                await self._producer.send_and_wait(topic, value, key=key, partition=partition)
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, MessageSizeTooLargeError) and topic != DEAD_LETTERS.name:
                await self._bury(topic, key, value)
                return
            raise KafkaUnavailableError(
                f"Kafka at {self._address} did not acknowledge a record of {topic} within "
                f"{_ACKNOWLEDGE_SECONDS:g} s ({str(error) or type(error).__name__}): "
                "check KAFKA_BOOTSTRAP_SERVERS"
            ) from error
        self.acknowledged[topic] += 1
        metrics.PUBLISHED.labels(topic).inc()

    async def _bury(self, topic: str, key: bytes, value: bytes) -> None:
        """Keep of a record that Kafka never takes, however often it is sent, what fits."""
        why = f"key {key.decode()[:256]!r}: {len(value):,} bytes are more than Kafka takes"
        log.error("record goes to the dead-letter topic", topic=topic, why=why)
        letter = kept(topic, "publisher", value, why)
        partition = partition_of(topic, self._partitions[DEAD_LETTERS.name])
        await self._deliver(DEAD_LETTERS.name, letter.to_bytes(), topic.encode(), partition)
        metrics.DEAD_LETTERS.labels(topic).inc()

    def _delivered(self, task: asyncio.Task[None]) -> None:
        self._slots.release()
        self._pending.discard(task)
        if not task.cancelled():
            # Asked for in any case, or asyncio complains of an error nobody saw.
            error = task.exception()
            self._failure = self._failure or error

    async def close(self) -> None:
        """Give what is under way a few seconds to arrive, then let go."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=_CLOSE_SECONDS)
        for task in self._pending:
            task.cancel()
        await stop_client(self._producer.stop)


@asynccontextmanager
async def open_publisher(
    settings: Settings, *, give_up_after: float | None = None
) -> AsyncIterator[Publisher]:
    """Connect to Kafka, make missing topics, and close cleanly, whatever happens in between.

    A broker that is away is waited for; after `give_up_after` seconds (null: never)
    `KafkaUnavailableError` is raised.
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
"""Brokers that were found to have no idempotent producer: found once, said once."""


async def _start_producer(settings: Settings) -> Any:
    """Start an idempotent producer, or a plain one where the broker has no idempotence.

    Without it a retry may write a record twice; what reads the topics takes that as once.
    """
    address = settings.kafka_bootstrap_servers
    if address not in _without_idempotence:
        try:
            with _unlogged("aiokafka.producer.sender"):
                return await _started(settings, idempotent=True)
        except _NO_IDEMPOTENCE as error:
            _without_idempotence.add(address)
            log.info(
                "the broker has no idempotent producer, going on without",
                KAFKA_BOOTSTRAP_SERVERS=address,
                reason=type(error).__name__,
            )
    return await _started(settings, idempotent=False)


@contextmanager
def _unlogged(name: str) -> Iterator[None]:
    """Keep a library from logging as an error what is told as information just after."""
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
