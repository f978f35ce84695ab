"""What Kafka holds and how far behind the workers are."""

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
    DEAD_LETTERS,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
    POINTS,
)
from breakout.kafka.clients import stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.offsets import committed_positions, log_ends
from breakout.kafka.positions import LostPosition, lost_positions
from breakout.kafka.rejection import refusal
from breakout.kafka.topics import KafkaUnavailableError
from breakout.settings import Settings

WORKED = (MODELS.name, DOWNLOADS.name, POINTS.name)
"""What lag is told of."""
READ = (*WORKED, NAMES.name, INFERENCE.name, DERIVATIVES.name, LEADERBOARDS.name)
"""All that workers read."""
ANSWER_SECONDS = 10.0
RECENT_SECONDS = 86400.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Lag:
    """How far the workers are behind on one topic: records not yet finished with, and the
    seconds since the oldest of them was written (null when there is none)."""

    topic: str
    records: int
    seconds: float | None


@dataclass(frozen=True)
class KafkaState:
    """What a broker said. `dead_letters` are those kept, `recent` those of the last day."""

    brokers: int
    missing: tuple[str, ...]
    lags: tuple[Lag, ...]
    lost: tuple[LostPosition, ...]
    dead_letters: int
    recent: int


async def read_kafka(settings: Settings, *, patience: float = ANSWER_SECONDS) -> KafkaState:
    """Ask Kafka. Raises `KafkaUnavailableError` when it does not answer in `patience` seconds."""

    async def read(admin: Any, consumer: Any) -> KafkaState:
        return await _read(settings, admin, consumer)

    return await _ask(settings, read, patience)


async def count_published(settings: Settings, *, patience: float = 60.0) -> int:
    """Return how many observations are in the records of `breakout.downloads`.

    A slice that was published twice counts once. Raises as `read_kafka` does.
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

    return await _ask(settings, read, patience)


async def _ask(
    settings: Settings, read: Callable[[Any, Any], Awaitable[ResultT]], patience: float
) -> ResultT:
    # The client says by itself, at length, what we say in one line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    options = {
        **kafka_connection(settings),
        "request_timeout_ms": int(patience * 1000),
    }
    admin = AIOKafkaAdminClient(**options)
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, group_id=None)
    try:
        async with asyncio.timeout(patience):
            await admin.start()
            await consumer.start()
            return await read(admin, consumer)
    except (KafkaError, OSError, TimeoutError) as error:
        refused = await refusal(settings)
        if refused is not None:
            raise KafkaUnavailableError(refused) from None
        raise KafkaUnavailableError(
            f"no Kafka answers at {settings.kafka_bootstrap_servers} (KAFKA_BOOTSTRAP_SERVERS): "
            f"{_why(error)}"
        ) from None
    finally:
        for stop in (consumer.stop, admin.close):
            await stop_client(stop)


def _why(error: Exception) -> str:
    if isinstance(error, KafkaConnectionError):
        return "cannot connect"
    return str(error) or "timed out"


async def _read(settings: Settings, admin: Any, consumer: Any) -> KafkaState:
    partitions = await _partitions(admin)
    cluster = await admin.describe_cluster()
    read = [one for topic in READ for one in partitions.get(topic, [])]
    logs = _Logs(
        committed=await committed_positions(admin, settings.group, read),
        begins=await consumer.beginning_offsets(read),
        ends=await log_ends(consumer, read),
    )
    lost = await lost_positions(consumer, logs.committed, logs.begins, logs.ends)
    again = {one.partition for one in lost}
    lags = [
        await _lag(partitions[topic], topic, logs, again, consumer)
        for topic in WORKED
        if topic in partitions
    ]
    letters = partitions.get(DEAD_LETTERS.name, [])
    return KafkaState(
        brokers=len(cluster["brokers"]),
        missing=tuple(topic for topic in WORKED if topic not in partitions),
        lags=tuple(lags),
        lost=tuple(lost),
        dead_letters=await _count(consumer, letters),
        recent=await _count_recent(consumer, letters),
    )


async def _partitions(admin: Any) -> dict[str, list[TopicPartition]]:
    # Naming a topic in the request would make it on a broker that makes topics when asked.
    return {
        topic["topic"]: [
            TopicPartition(topic["topic"], p["partition"]) for p in topic["partitions"]
        ]
        for topic in await admin.describe_topics()
        if not topic["error_code"]
    }


@dataclass(frozen=True)
class _Logs:
    """What a group has committed, and the bounds of the logs."""

    committed: dict[TopicPartition, OffsetAndMetadata]
    begins: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]


async def _lag(
    partitions: Sequence[TopicPartition],
    topic: str,
    logs: _Logs,
    again: Container[TopicPartition],
    consumer: Any,
) -> Lag:
    waiting = {}
    for partition in partitions:
        # A group that has committed nothing, or lost its position, begins at the earliest record.
        start = begin = logs.begins[partition]
        if partition in logs.committed and partition not in again:
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
    """Return the timestamp, in milliseconds, of the oldest of the partitions' next records."""
    if not starts:
        return None
    consumer.assign(list(starts))
    for partition, offset in starts.items():
        consumer.seek(partition, offset)
    oldest, left = None, set(starts)
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=1000, max_records=len(left))
        if not fetched:
            break  # a compacted tail: nothing is left to work on there
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
