"""Publishes records as fast as Python can: complete batches, one partition each."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.support.pipeline import KafkaRecord


def publish(
    bootstrap: str,
    records: Iterable[KafkaRecord],
    *,
    topic: str | None = None,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Publish records and return when the broker has them all; `topic` overrules theirs.

    `before` is called when all is ready to be sent.
    """
    asyncio.run(_publish(bootstrap, records, topic, before))


async def _publish(
    bootstrap: str,
    records: Iterable[KafkaRecord],
    topic: str | None,
    before: Callable[[], None],
) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_request_size=16_000_000, max_batch_size=2_000_000
    )
    await producer.start()
    try:
        full: list[tuple[tuple[str, int], Any]] = []
        filling: dict[tuple[str, int], Any] = {}
        for its_topic, key, partition, value in records:
            place, raw = (topic or its_topic, partition), key.encode()
            batch = filling.get(place)
            if batch is None or batch.append(key=raw, value=value, timestamp=None) is None:
                if batch is not None:
                    full.append((place, batch))
                batch = filling[place] = producer.create_batch()
                batch.append(key=raw, value=value, timestamp=None)
        before()
        await asyncio.gather(
            *[
                await producer.send_batch(batch, place[0], partition=place[1])
                for place, batch in [*full, *filling.items()]
            ]
        )
    finally:
        await producer.stop()
