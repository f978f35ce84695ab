"""Topics on the embedded broker."""

import asyncio
import socket

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from breakout.contract.topics import DOWNLOADS, MODELS, TOPICS
from breakout.kafka.topics import KafkaUnavailableError, ensure_topics
from breakout.settings import Settings
from tests.collectors.quick import until
from tests.support.kafka.broker import KafkaBroker
from tests.support.server_process import Broker, free_port


@pytest.fixture
def broker(each_broker: Broker) -> Broker:
    """Both kinds of broker must do."""
    return each_broker


async def test_missing_topics_are_made_and_others_stay(broker: Broker) -> None:
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap, partitions=3)
    assert await ensure_topics(settings, [MODELS]) == {"breakout.models": 3}
    other = Settings(kafka_bootstrap_servers=broker.bootstrap, partitions=5)
    made = await ensure_topics(other)
    assert made == {topic.name: 3 if topic is MODELS else 5 for topic in TOPICS}
    assert await ensure_topics(settings) == made


_DEFAULT = 5
"""Kafka's number for a value that nobody set; the embedded broker gives it to all it lists."""


async def test_topics_are_kept_as_they_say(broker: Broker) -> None:
    await ensure_topics(Settings(kafka_bootstrap_servers=broker.bootstrap), [MODELS, DOWNLOADS])
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        found = {}
        for topic in (MODELS, DOWNLOADS):
            [response] = await admin.describe_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic.name)]
            )
            entries = response.resources[0][4]
            found[topic.name] = {
                entry[0]: entry[1]
                for entry in entries
                if entry[3] != _DEFAULT or not isinstance(broker, KafkaBroker)
            }
    finally:
        await admin.close()
    assert found["breakout.models"]["cleanup.policy"] == "compact"
    assert "retention.ms" not in found["breakout.models"]
    assert found["breakout.downloads"]["cleanup.policy"] == "delete"
    assert found["breakout.downloads"]["retention.ms"] == str(30 * 86_400_000)


async def test_two_that_make_the_same_topics_at_once_agree(broker: Broker) -> None:
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap)
    one, other = await asyncio.gather(ensure_topics(settings), ensure_topics(settings))
    assert one == other


async def test_a_broker_that_is_away_is_given_up_in_time() -> None:
    settings = Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    with pytest.raises(KafkaUnavailableError, match=r"127\.0\.0\.1:\d+ .*KAFKA_BOOTSTRAP_SERVERS"):
        await ensure_topics(settings, give_up_after=1.0)


async def test_a_listener_that_never_answers_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(kafka_bootstrap_servers=f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(KafkaUnavailableError, match="check KAFKA_BOOTSTRAP_SERVERS"):
            await ensure_topics(settings, give_up_after=1.0)


async def test_a_broker_that_comes_later_is_waited_for(stopped_broker: Broker) -> None:
    server = stopped_broker
    settings = Settings(kafka_bootstrap_servers=server.bootstrap, partitions=2)
    with capture_logs() as logs:
        waiting = asyncio.create_task(ensure_topics(settings, [MODELS]))
        await until(lambda: len(logs) > 0)
        assert logs[0]["event"] == "waiting for Kafka"
        assert logs[0]["KAFKA_BOOTSTRAP_SERVERS"] == server.bootstrap
        try:
            await asyncio.to_thread(server.start)
            assert await waiting == {"breakout.models": 2}
        finally:
            server.close()
