"""Reads the latest record of each key of a compacted topic."""

from collections.abc import Collection
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from breakout.contract.compacted import check_key, is_tombstone
from breakout.contract.events import ContractError, ModelRecord, NameRecord, RunRecord, read_event
from breakout.contract.topics import MODELS, NAMES, Topic
from breakout.kafka.clients import start_client, stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.offsets import log_ends
from breakout.kafka.topics import ensure_topics, wait_for_broker
from breakout.settings import Settings
from breakout.tasks import in_own_task

log = structlog.get_logger(__name__)

KeyedT = TypeVar("KeyedT", ModelRecord, NameRecord, RunRecord)

_READ_SECONDS = 120.0


async def read_models(
    settings: Settings, *, give_up_after: float | None = None
) -> dict[str, ModelRecord]:
    """Return the latest record of each model, by id; raises as `read_latest`."""
    return await read_latest(settings, MODELS, ModelRecord, give_up_after=give_up_after)


async def read_names(
    settings: Settings, source: str, *, give_up_after: float | None = None
) -> dict[str, NameRecord]:
    """Return the latest record of each name of a source, by name; raises as `read_latest`."""
    records = await read_latest(settings, NAMES, NameRecord, give_up_after=give_up_after)
    return {record.name: record for record in records.values() if record.source == source}


async def read_latest(
    settings: Settings,
    topic: Topic,
    kind: type[KeyedT],
    *,
    partitions: Collection[int] | None = None,
    give_up_after: float | None = None,
) -> dict[str, KeyedT]:
    """Return the latest record of each key of a compacted topic, or of some partitions, by key.

    A key with a tombstone has none; invalid records are logged. Raises `KafkaUnavailableError`
    without a broker for `give_up_after` seconds (None: waits for ever).
    """
    if partitions is None:
        all_topics = await ensure_topics(settings, [topic], give_up_after=give_up_after)
        partitions = range(all_topics[topic.name])
    assigned = [TopicPartition(topic.name, number) for number in partitions]

    async def attempt() -> dict[str, KeyedT]:
        reading = _read(settings, topic, kind, assigned)
        return await in_own_task(reading, within=_READ_SECONDS)

    return await wait_for_broker(settings, attempt, give_up_after=give_up_after)


async def _read(
    settings: Settings, topic: Topic, kind: type[KeyedT], assigned: list[TopicPartition]
) -> dict[str, KeyedT]:
    consumer = AIOKafkaConsumer(**kafka_connection(settings))
    await start_client(consumer)
    latest: dict[bytes, bytes] = {}
    try:
        ends = await log_ends(consumer, assigned)
        consumer.assign(assigned)
        await consumer.seek_to_beginning(*assigned)
        for partition in assigned:
            while await consumer.position(partition) < ends[partition]:
                batches = await consumer.getmany(partition, timeout_ms=200)
                for record in (record for records in batches.values() for record in records):
                    if is_tombstone(topic.name, record.key, record.value):
                        latest.pop(record.key, None)
                    elif record.key is not None and record.value is not None:
                        latest[record.key] = record.value
    finally:
        await stop_client(consumer.stop)
    events: dict[str, KeyedT] = {}
    for key, value in latest.items():
        try:
            event = read_event(kind, value)
            check_key(topic.name, key, event)
        except ContractError as error:
            log.warning("invalid record ignored", topic=topic.name, why=str(error))
            continue
        events[event.key] = event
    return events
