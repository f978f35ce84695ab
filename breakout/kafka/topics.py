"""Creates missing topics, and retries while no broker is available."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from breakout.contract.topics import TOPICS, Topic
from breakout.core.times import DAY_MS
from breakout.kafka.clients import stop_client
from breakout.kafka.connection import kafka_connection
from breakout.kafka.connection_rejection import connection_rejection
from breakout.retry import Retry, RetryPolicy
from breakout.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")

_REQUEST_SECONDS = 10.0
_RETRY_POLICY = RetryPolicy(first_wait_seconds=0.25, max_wait_seconds=15.0)
_UNAVAILABLE = (KafkaError, OSError, TimeoutError)


class KafkaUnavailableError(Exception):
    """No broker responded in time. The message names the address and its setting."""


async def ensure_topics(
    settings: Settings, topics: Iterable[Topic] = TOPICS, *, give_up_after: float | None = None
) -> dict[str, int]:
    """Create missing topics; return the number of partitions of each topic, by name.

    Existing topics are not changed. Raises `KafkaUnavailableError` if no broker is available for
    `give_up_after` seconds (None: retries for ever), and `SettingsError` if it rejects a topic.
    """
    wanted = list(topics)

    async def attempt() -> dict[str, int]:
        return await _ensure(settings, wanted)

    return await wait_for_broker(settings, attempt, give_up_after=give_up_after)


async def wait_for_broker(
    settings: Settings,
    request: Callable[[], Awaitable[ResultT]],
    *,
    give_up_after: float | None = None,
) -> ResultT:
    """Return what `request` returns, retried while no broker is available.

    Raises `KafkaUnavailableError` after `give_up_after` seconds (None: never), and
    `SettingsError` when a broker rejects how we connect.
    """
    servers = settings.kafka_bootstrap_servers
    deadline = None if give_up_after is None else time.monotonic() + give_up_after

    async def attempt() -> ResultT:
        try:
            async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
                return await request()
        except _UNAVAILABLE:
            rejected = await connection_rejection(settings)
            if rejected is not None:
                raise SettingsError(rejected) from None
            raise

    def log_wait(retry: Retry) -> None:
        log.warning(
            "waiting for Kafka",
            KAFKA_BOOTSTRAP_SERVERS=servers,
            reason=_reason(retry.error),
            wait_seconds=round(retry.wait_seconds, 1),
        )

    policy = replace(_RETRY_POLICY, timeout_seconds=give_up_after)
    try:
        return await policy.call_async(attempt, retry_on=_UNAVAILABLE, on_retry=log_wait)
    except _UNAVAILABLE as error:
        raise KafkaUnavailableError(
            f"Kafka at {servers} did not respond within {give_up_after:g} s ({_reason(error)}): "
            "check KAFKA_BOOTSTRAP_SERVERS"
        ) from None


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


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
                raise TimeoutError("the broker does not list the topics it created")
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
            f"Kafka at {settings.kafka_bootstrap_servers} rejected topic {name} "
            f"({error.__name__}: {error.description or 'no reason given'}) with "
            f"BREAKOUT_PARTITIONS={settings.partitions}, "
            f"BREAKOUT_REPLICATION_FACTOR={settings.replication_factor}"
        )
    log.info(
        "created topics", topics=[topic.name for topic in topics], partitions=settings.partitions
    )


def _config(topic: Topic) -> dict[str, str]:
    config = {"cleanup.policy": topic.cleanup}
    if topic.retention_days is not None:
        config["retention.ms"] = str(topic.retention_days * DAY_MS)
    return config
