"""What workers publish arrives, whatever Kafka answers first, and stops when the worker does."""

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
from breakout.contract.topics import POINTS
from breakout.settings import read_settings
from streams.app import create_app
from streams.clickhouse import Stopping
from streams.outbox import Outbox
from streams.processor import Processor
from streams.ram.processor import ScoreProcessor
from tests.faults.events import model

EVENTS: list[tuple[str, Event]] = [(f"7-9B:{number}", model(f"a/{number}")) for number in range(20)]


class Producer:
    """Fails the first records of some partitions, at once or when it should acknowledge them."""

    def __init__(self, errors: dict[int, list[KafkaError]], *, at_once: bool = False) -> None:
        self.errors = errors
        self.at_once = at_once
        self.taken: dict[int, list[bytes]] = defaultdict(list)
        self.asked = asyncio.Event()

    async def send(
        self, topic: str, key: bytes, value: bytes, partition: int, *_: Any
    ) -> asyncio.Future[None]:
        assert topic == POINTS.name
        self.asked.set()
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self.errors.get(partition)
        if not waiting:
            self.taken[partition].append(key)
            acknowledged.set_result(None)
        elif self.at_once:
            error = waiting.pop(0)
            raise ProducerSendError(f"Error while sending: {error!r}") from error
        else:
            acknowledged.set_exception(waiting.pop(0))
        return acknowledged


def outbox(producer: Any) -> Outbox:
    return Outbox(SimpleNamespace(producer=producer), 4)


def keys_of(producer: Producer) -> Sequence[bytes]:
    return [key for keys in producer.taken.values() for key in keys]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(
    "error", [RequestTimedOutError(), NotLeaderForPartitionError(), KafkaTimeoutError()]
)
async def test_what_is_not_acknowledged_is_sent_again(error: KafkaError, *, at_once: bool) -> None:
    producer = Producer({2: [error]}, at_once=at_once)
    await outbox(producer).send(POINTS, EVENTS)
    assert set(keys_of(producer)) == {key.encode() for key, _ in EVENTS}


async def test_records_of_a_partition_keep_their_order() -> None:
    # Of the first attempt only the first record fails: the others must not overtake it.
    producer = Producer({number: [RequestTimedOutError()] for number in range(4)})
    await outbox(producer).send(POINTS, EVENTS)
    for keys in producer.taken.values():
        whole = sorted(set(keys), key=lambda key: int(key.split(b":")[1]))
        assert keys[-len(whole) :] == whole


async def test_partitions_that_took_theirs_get_nothing_twice() -> None:
    producer = Producer({2: [RequestTimedOutError()]})
    await outbox(producer).send(POINTS, EVENTS)
    for partition, keys in producer.taken.items():
        assert partition == 2 or len(keys) == len(set(keys))


async def test_a_refusal_is_no_reason_to_wait() -> None:
    producer = Producer({2: [TopicAuthorizationFailedError("breakout.points")]})
    with pytest.raises(TopicAuthorizationFailedError):
        await outbox(producer).send(POINTS, EVENTS)


class Silent(Producer):
    """Never acknowledges anything."""

    async def send(self, *_: Any) -> asyncio.Future[None]:
        self.asked.set()
        return asyncio.get_running_loop().create_future()


async def test_nobody_waits_for_kafka_when_the_worker_stops() -> None:
    producer = Silent({})
    box = outbox(producer)
    settings = read_settings(clickhouse_url="http://127.0.0.1:1/breakout")
    clickhouse: Any = SimpleNamespace(stop=lambda: None)
    processor: Processor[Any] = ScoreProcessor(settings, box, clickhouse)
    sending = asyncio.create_task(box.send(POINTS, EVENTS))
    await producer.asked.wait()
    processor.stop()
    with pytest.raises(Stopping):
        await sending


def test_no_client_of_a_worker_waits_longer_for_a_node_than_it_is_told() -> None:
    app = create_app(read_settings(kafka_timeout_seconds=12))
    assert app.conf.producer_request_timeout == 12
    assert app.conf.broker_request_timeout == 12
