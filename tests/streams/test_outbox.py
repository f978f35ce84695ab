"""The outbox retries until Kafka acknowledges, and stops with the worker."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NotLeaderForPartitionError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
)
from faust.exceptions import ProducerSendError

from breakout.contract import Event
from breakout.contract.topics import DAILY
from breakout.settings import read_settings
from streams.app import create_app
from streams.clickhouse import StoppingError
from streams.outbox import Outbox
from streams.processor import Processor
from streams.ram.processor import RamProcessor
from tests.support.events import model

EVENTS: list[tuple[str, Event]] = [(f"7-9B:{number}", model(f"a/{number}")) for number in range(20)]


class Producer:
    """Fails the first records of partitions, when sent or when they should be acknowledged."""

    def __init__(self, errors: dict[int, list[KafkaError]], *, immediately: bool = False) -> None:
        self.errors = errors
        self.immediately = immediately
        self.taken: dict[int, list[bytes]] = defaultdict(list)
        self.called = asyncio.Event()

    async def send(
        self, topic: str, key: bytes, value: bytes, partition: int, *_: Any
    ) -> asyncio.Future[None]:
        assert topic == DAILY.name
        self.called.set()
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self.errors.get(partition)
        if not waiting:
            self.taken[partition].append(key)
            acknowledged.set_result(None)
        elif self.immediately:
            error = waiting.pop(0)
            raise ProducerSendError(f"Error while sending: {error!r}") from error
        else:
            acknowledged.set_exception(waiting.pop(0))
        return acknowledged


def outbox(producer: Any) -> Outbox:
    return Outbox(SimpleNamespace(producer=producer), 4)


def keys_of(producer: Producer) -> Sequence[bytes]:
    return [key for keys in producer.taken.values() for key in keys]


@pytest.mark.parametrize("immediately", [False, True])
@pytest.mark.parametrize(
    "error", [RequestTimedOutError(), NotLeaderForPartitionError(), KafkaTimeoutError()]
)
async def test_unacknowledged_records_are_retried(error: KafkaError, *, immediately: bool) -> None:
    producer = Producer({2: [error]}, immediately=immediately)
    await outbox(producer).send(DAILY, EVENTS)
    assert set(keys_of(producer)) == {key.encode() for key, _ in EVENTS}


async def test_retries_keep_the_order_of_a_partition() -> None:
    # Only the first record of each partition fails: later ones must not overtake it.
    producer = Producer({number: [RequestTimedOutError()] for number in range(4)})
    await outbox(producer).send(DAILY, EVENTS)
    for keys in producer.taken.values():
        expected = sorted(set(keys), key=lambda key: int(key.split(b":")[1]))
        assert keys[-len(expected) :] == expected


async def test_acknowledged_partitions_are_not_retried() -> None:
    producer = Producer({2: [RequestTimedOutError()]})
    await outbox(producer).send(DAILY, EVENTS)
    for partition, keys in producer.taken.items():
        assert partition == 2 or len(keys) == len(set(keys))


async def test_permanent_error_is_raised() -> None:
    producer = Producer({2: [TopicAuthorizationFailedError("breakout.daily")]})
    with pytest.raises(TopicAuthorizationFailedError):
        await outbox(producer).send(DAILY, EVENTS)


class Silent(Producer):
    """Never acknowledges anything."""

    async def send(self, *_: Any) -> asyncio.Future[None]:
        self.called.set()
        return asyncio.get_running_loop().create_future()


async def test_send_ends_when_the_worker_stops() -> None:
    producer = Silent({})
    box = outbox(producer)
    settings = read_settings(clickhouse_url="http://127.0.0.1:1/breakout")
    clickhouse: Any = SimpleNamespace(stop=lambda: None)
    processor: Processor[Any] = RamProcessor(settings, box, clickhouse)
    sending = asyncio.create_task(box.send(DAILY, EVENTS))
    await producer.called.wait()
    processor.stop()
    with pytest.raises(StoppingError):
        await sending


def test_kafka_timeout_applies_to_producer_and_consumer() -> None:
    app = create_app(read_settings(kafka_timeout_seconds=12))
    assert app.conf.producer_request_timeout == 12
    assert app.conf.broker_request_timeout == 12
