"""Makes the topics when they are missing, and waits for a broker that is away."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from breakout.contract.topics import TOPICS, Topic
from breakout.core.times import DAY_MS
from breakout.kafka.clients import stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.rejection import refusal
from breakout.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")

_REQUEST_SECONDS = 10.0
_FIRST_WAIT_SECONDS = 0.25
_LONGEST_WAIT_SECONDS = 15.0


class KafkaUnavailableError(Exception):
    """No broker answered in time. The message names the address and its setting."""


async def ensure_topics(
    settings: Settings, topics: Iterable[Topic] = TOPICS, *, give_up_after: float | None = None
) -> dict[str, int]:
    """Make the topics that are missing; return the partitions of each, by topic name.

    A topic that exists stays as it is. A broker that is away is waited for, with a log line
    every time; after `give_up_after` seconds `KafkaUnavailableError` is raised (null: never).
    Raises `SettingsError` when the broker refuses a topic.
    """
    wanted = list(topics)

    async def once() -> dict[str, int]:
        return await _ensure(settings, wanted)

    return await wait_for_broker(settings, once, give_up_after=give_up_after)


async def wait_for_broker(
    settings: Settings,
    ask: Callable[[], Awaitable[ResultT]],
    *,
    give_up_after: float | None = None,
) -> ResultT:
    """Return what `ask` returns, asking again with backoff while no broker answers it.

    Raises `KafkaUnavailableError` after `give_up_after` seconds (null: never), and
    `SettingsError` when a broker answers but refuses how we connect.
    """
    address = settings.kafka_bootstrap_servers
    deadline = None if give_up_after is None else time.monotonic() + give_up_after
    bound = _FIRST_WAIT_SECONDS
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                return await ask()
        except (KafkaError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
        refused = await refusal(settings)
        if refused is not None:
            raise SettingsError(refused)
        wait = random.uniform(bound / 2, bound)  # noqa: S311
        if deadline is not None and time.monotonic() + wait >= deadline:
            raise KafkaUnavailableError(
                f"Kafka at {address} did not answer within {give_up_after:g} s ({reason}): "
                "check KAFKA_BOOTSTRAP_SERVERS"
            )
        log.warning(
            "Kafka does not answer, waiting for it",
            KAFKA_BOOTSTRAP_SERVERS=address,
            reason=reason,
            wait_seconds=round(wait, 1),
        )
        await asyncio.sleep(wait)
        bound = min(bound * 2, _LONGEST_WAIT_SECONDS)


async def _ensure(settings: Settings, topics: list[Topic]) -> dict[str, int]:
    admin = AIOKafkaAdminClient(
        **kafka_connection(settings),
        request_timeout_ms=int(_REQUEST_SECONDS * 1000),
    )
    try:
        await admin.start()
        existing = await _partitions(admin)
        missing = [topic for topic in topics if topic.name not in existing]
        if missing:
            await _create(admin, settings, missing)
        bound = time.monotonic() + _REQUEST_SECONDS
        while not all(existing.get(topic.name) for topic in topics):
            if time.monotonic() > bound:
                raise TimeoutError("the topics were made but the broker does not list them")
            existing = await _partitions(admin)
            await asyncio.sleep(0.05)
        return {topic.name: existing[topic.name] for topic in topics}
    finally:
        await stop_client(admin.close)


async def _partitions(admin: Any) -> dict[str, int]:
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in await admin.describe_topics()
        if not topic["error_code"]
    }


async def _create(admin: Any, settings: Settings, topics: list[Topic]) -> None:
    response = await admin.create_topics(
        [
            NewTopic(
                topic.name,
                settings.partitions,
                settings.replication_factor,
                topic_configs=_config(topic),
            )
            for topic in topics
        ]
    )
    for name, code, *_ in response.topic_errors:
        error = for_code(code)
        if code == 0 or error is TopicAlreadyExistsError:
            continue
        if error.retriable:
            raise error(f"creating {name}")
        raise SettingsError(
            f"Kafka at {settings.kafka_bootstrap_servers} refuses topic {name} "
            f"({error.__name__}: {error.description or 'no reason given'}) with "
            f"BREAKOUT_PARTITIONS={settings.partitions}, "
            f"BREAKOUT_REPLICATION_FACTOR={settings.replication_factor}"
        )
    log.info("made topics", topics=[topic.name for topic in topics], partitions=settings.partitions)


def _config(topic: Topic) -> dict[str, str]:
    config = {"cleanup.policy": topic.cleanup}
    if topic.retention_days is not None:
        config["retention.ms"] = str(topic.retention_days * DAY_MS)
    return config
