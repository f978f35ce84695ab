"""The loop of the peers on aiokafka: read, insert, commit."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer

from bench.peers import place

BATCH_ROWS = 250_000
"""Most observations of a batch, as in a Breakout worker."""


async def consume(group: str, insert: Callable[[list[bytes]], object]) -> None:
    """Insert the values of records for ever, in a thread; commit after each insert."""
    consumer = AIOKafkaConsumer(
        place.TOPIC,
        bootstrap_servers=place.BROKERS,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4_000_000,
    )
    await consumer.start()
    try:
        while True:
            limit = 50 if place.SLICES else BATCH_ROWS
            batch = await consumer.getmany(timeout_ms=200, max_records=limit)
            if batch:
                values = [record.value for records in batch.values() for record in records]
                await asyncio.to_thread(insert, values)
                await consumer.commit()
    finally:
        await consumer.stop()
