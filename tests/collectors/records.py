"""Reads back what was published."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from breakout.contract.events import Event, read_event
from breakout.contract.topics import Topic

PARTITIONS = 4
"""As many as `settings` makes."""

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Record:
    partition: int
    key: str
    value: bytes


async def read_records(bootstrap: str, topic: Topic) -> list[Record]:
    """All records of a topic, by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[Record] = []
        async with asyncio.timeout(30):
            while sum(ends.values()) > len(records):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += [
                        Record(one.partition, (one.key or b"").decode(), one.value or b"")
                        for one in batch
                    ]
        return sorted(records, key=lambda record: record.partition)
    finally:
        await consumer.stop()


async def read_events(bootstrap: str, topic: Topic, kind: type[EventT]) -> list[EventT]:
    """All events of a topic, by partition."""
    return [read_event(kind, record.value) for record in await read_records(bootstrap, topic)]
