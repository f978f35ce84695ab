"""Records into Kafka as quickly as Python can: whole batches, a partition each."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.pipeline import KafkaRecord


def publish(bootstrap: str, records: Iterable[KafkaRecord], *, topic: str | None = None) -> None:
    """Publish records and return when the broker has them all; `topic` overrules theirs."""
    asyncio.run(_publish(bootstrap, records, topic))


async def _publish(bootstrap: str, records: Iterable[KafkaRecord], topic: str | None) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_request_size=16_000_000, max_batch_size=2_000_000
    )
    await producer.start()
    try:
        batches: dict[tuple[str, int], Any] = {}
        sent = []

        async def send(place: tuple[str, int]) -> None:
            sent.append(await producer.send_batch(batches.pop(place), place[0], partition=place[1]))

        for its_topic, key, partition, value in records:
            place = (topic or its_topic, partition)
            raw = key.encode()
            while True:
                batch = batches.get(place)
                if batch is None:
                    batch = batches[place] = producer.create_batch()
                if batch.append(key=raw, value=value, timestamp=None) is not None:
                    break
                await send(place)
        for place in list(batches):
            await send(place)
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
