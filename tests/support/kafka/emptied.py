"""One node for many tests, without topics at the start of each."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.admin import AIOKafkaAdminClient

from tests.support.kafka.broker import KafkaBroker
from tests.support.waiting import wait_until


@contextmanager
def emptied(broker: KafkaBroker) -> Iterator[KafkaBroker]:
    """Yield the node, and delete its topics afterwards; restarts a killed node."""
    yield broker
    if not broker.is_running:
        broker.start()
    asyncio.run(_delete_topics(broker.bootstrap))
    wait_until("topics are gone", lambda: not asyncio.run(_topics(broker.bootstrap)))


async def _topics(bootstrap: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return [name for name in await admin.list_topics() if not name.startswith("__")]
    finally:
        await admin.close()


async def _delete_topics(bootstrap: str) -> None:
    names = await _topics(bootstrap)
    if not names:
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(names)
    finally:
        await admin.close()
