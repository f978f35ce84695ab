"""The state of Kafka, and how far the workers lag behind."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from breakout.contract import ContractError, DownloadsSlice, read_event
from breakout.contract.topics import (
    DAILY,
    DEAD_LETTERS,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
)
from breakout.kafka.clients import stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.connection_rejection import connection_rejection
from breakout.kafka.offsets import committed_positions, log_ends
from breakout.kafka.positions import LostPosition, lost_positions
from breakout.kafka.topics import KafkaUnavailableError
from breakout.settings import Settings

LAG_TOPICS = (MODELS.name, DOWNLOADS.name, DAILY.name)
"""Topics whose lag is reported."""
WORKER_TOPICS = (*LAG_TOPICS, NAMES.name, INFERENCE.name, DERIVATIVES.name, LEADERBOARDS.name)
"""Topics that workers read."""
TIMEOUT_SECONDS = 10.0
RECENT_SECONDS = 86400.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Lag:
    """Lag of the workers on one topic."""

    topic: str
    records: int
    """Records that are not processed yet."""
    seconds: float | None
    """Age of the oldest of them; None without any."""


@dataclass(frozen=True)
class KafkaStatus:
    """State of the cluster, its topics and the workers' group."""

    brokers: int
    missing: tuple[str, ...]
    lags: tuple[Lag, ...]
    lost: tuple[LostPosition, ...]
    dead_letters: int
    """Dead letters that Kafka retains."""
    recent: int
    """Dead letters of the last 24 hours."""


async def read_kafka_status(
    settings: Settings, *, timeout_seconds: float = TIMEOUT_SECONDS
) -> KafkaStatus:
    """Return the state of Kafka. Raises `KafkaUnavailableError` if it does not respond in time."""

    async def read(admin: Any, consumer: Any) -> KafkaStatus:
        return await _read(settings, admin, consumer)

    return await _request(settings, read, timeout_seconds)


async def count_published_observations(settings: Settings, *, timeout_seconds: float = 60.0) -> int:
    """Return the number of observations in the topic `breakout.downloads`.

    A slice that was published twice counts once. Raises what `read_kafka_status` raises.
    """

    async def read(admin: Any, consumer: Any) -> int:
        partitions = (await _partitions(admin)).get(DOWNLOADS.name, [])
        ends = await log_ends(consumer, partitions)
        left = {partition for partition, end in ends.items() if end > 0}
        slices: dict[tuple[str, str, int], int] = {}
        if left:
            consumer.assign(list(left))
            await consumer.seek_to_beginning(*left)
        while left:
            for partition, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                for record in records:
                    with contextlib.suppress(ContractError):  # a dead letter, no observation
                        event = read_event(DownloadsSlice, record.value)
                        slices[event.source, event.scrape_id, event.slice] = len(event.models)
                if records[-1].offset + 1 >= ends[partition]:
                    left.discard(partition)
        return sum(slices.values())

    return await _request(settings, read, timeout_seconds)


async def _request(
    settings: Settings, read: Callable[[Any, Any], Awaitable[ResultT]], timeout_seconds: float
) -> ResultT:
    # The client logs at length what our error says in one line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    options = {
        **kafka_connection(settings),
        "request_timeout_ms": int(timeout_seconds * 1000),
    }
    admin = AIOKafkaAdminClient(**options)
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, group_id=None)
    try:
        async with asyncio.timeout(timeout_seconds):
            await admin.start()
            await consumer.start()
            return await read(admin, consumer)
    except (KafkaError, OSError, TimeoutError) as error:
        rejected = await connection_rejection(settings)
        if rejected is not None:
            raise KafkaUnavailableError(rejected) from None
        raise KafkaUnavailableError(
            f"cannot connect to Kafka at {settings.kafka_bootstrap_servers} "
            f"(KAFKA_BOOTSTRAP_SERVERS): {_reason(error)}"
        ) from None
    finally:
        for stop in (consumer.stop, admin.close):
            await stop_client(stop)


def _reason(error: Exception) -> str:
    if isinstance(error, KafkaConnectionError):
        return "no broker responds"
    return str(error) or "timed out"


async def _read(settings: Settings, admin: Any, consumer: Any) -> KafkaStatus:
    partitions = await _partitions(admin)
    cluster = await admin.describe_cluster()
    read = [partition for topic in WORKER_TOPICS for partition in partitions.get(topic, [])]
    logs = _Logs(
        committed=await committed_positions(admin, settings.group, read),
        begins=await consumer.beginning_offsets(read),
        ends=await log_ends(consumer, read),
    )
    lost = await lost_positions(consumer, logs.committed, logs.begins, logs.ends)
    lost_partitions = {position.partition for position in lost}
    lags = [
        await _lag(partitions[topic], topic, logs, lost_partitions, consumer)
        for topic in LAG_TOPICS
        if topic in partitions
    ]
    letters = partitions.get(DEAD_LETTERS.name, [])
    return KafkaStatus(
        brokers=len(cluster["brokers"]),
        missing=tuple(topic for topic in LAG_TOPICS if topic not in partitions),
        lags=tuple(lags),
        lost=tuple(lost),
        dead_letters=await _count(consumer, letters),
        recent=await _count_recent(consumer, letters),
    )


async def _partitions(admin: Any) -> dict[str, list[TopicPartition]]:
    # A broker with auto.create.topics.enable would create topics that the request names.
    return {
        topic["topic"]: [
            TopicPartition(topic["topic"], p["partition"]) for p in topic["partitions"]
        ]
        for topic in await admin.describe_topics()
        if not topic["error_code"]
    }


@dataclass(frozen=True)
class _Logs:
    """Committed offsets of a group, and the bounds of the logs."""

    committed: dict[TopicPartition, OffsetAndMetadata]
    begins: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]


async def _lag(
    partitions: Sequence[TopicPartition],
    topic: str,
    logs: _Logs,
    lost: Container[TopicPartition],
    consumer: Any,
) -> Lag:
    waiting = {}
    for partition in partitions:
        # A group that committed nothing, or lost its position, starts at the earliest record.
        start = begin = logs.begins[partition]
        if partition in logs.committed and partition not in lost:
            start = max(logs.committed[partition].offset, begin)
        if start < logs.ends[partition]:
            waiting[partition] = start
    oldest = await _oldest(consumer, waiting)
    return Lag(
        topic=topic,
        records=sum(logs.ends[partition] - start for partition, start in waiting.items()),
        seconds=None if oldest is None else max(time.time() - oldest / 1000, 0.0),
    )


async def _oldest(consumer: Any, starts: dict[TopicPartition, int]) -> int | None:
    """Return the timestamp in ms of the oldest record at these offsets; None without one."""
    if not starts:
        return None
    consumer.assign(list(starts))
    for partition, offset in starts.items():
        consumer.seek(partition, offset)
    oldest, left = None, set(starts)
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=1000, max_records=len(left))
        if not fetched:
            break  # the rest was compacted away: no record is left to process
        for partition, records in fetched.items():
            left.discard(partition)
            oldest = min(oldest or records[0].timestamp, records[0].timestamp)
    return oldest


async def _count(consumer: Any, partitions: Sequence[TopicPartition]) -> int:
    if not partitions:
        return 0
    begins = await consumer.beginning_offsets(partitions)
    ends = await log_ends(consumer, partitions)
    return sum(ends[partition] - begins[partition] for partition in partitions)


async def _count_recent(consumer: Any, partitions: Sequence[TopicPartition]) -> int:
    if not partitions:
        return 0
    since = int((time.time() - RECENT_SECONDS) * 1000)
    first = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
    ends = await log_ends(consumer, partitions)
    return sum(ends[partition] - found.offset for partition, found in first.items() if found)
