"""Reading the latest record of each key, on both kinds of broker."""

from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from breakout.contract.events import ModelRecord
from breakout.contract.topics import MODELS, partition_of
from breakout.kafka.compacted import read_latest, read_models
from breakout.kafka.topics import ensure_topics
from breakout.settings import Settings
from tests.support.events import model
from tests.support.server_process import Broker

PARTITIONS = 3


@pytest.fixture
def settings(each_broker: Broker) -> Settings:
    return Settings(kafka_bootstrap_servers=each_broker.bootstrap, partitions=PARTITIONS)


async def publish(settings: Settings, *records: tuple[str, bytes | None]) -> None:
    await ensure_topics(settings, [MODELS])
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers) as producer:
        for key, value in records:
            number = partition_of(key, PARTITIONS)
            await producer.send_and_wait(MODELS.name, value, key=key.encode(), partition=number)


def of(record: ModelRecord) -> tuple[str, bytes]:
    return record.key, record.to_bytes()


async def test_latest_record_of_each_key_is_read(settings: Settings) -> None:
    records = [model(f"org/model-{number}") for number in range(50)]
    again = records[0].model_copy(
        update={"tracked": False, "observed_at": datetime(2026, 3, 1, tzinfo=UTC)}
    )
    await publish(settings, *map(of, records), of(again))
    found = await read_models(settings, give_up_after=20)
    assert found == {one.model_id: one for one in [*records[1:], again]}
    number = partition_of("org/model-7", PARTITIONS)
    some = await read_latest(settings, MODELS, ModelRecord, partitions=[number], give_up_after=20)
    assert set(some) == {one for one in found if partition_of(one, PARTITIONS) == number}


async def test_topic_without_records_has_none(settings: Settings) -> None:
    assert await read_models(settings, give_up_after=20) == {}


async def test_deleted_keys_and_invalid_records_are_passed_over(settings: Settings) -> None:
    kept, deleted = model("org/kept"), model("org/deleted")
    later = model("org/kept").model_copy(update={"observed_at": kept.observed_at + timedelta(1)})
    await publish(
        settings,
        of(kept),
        of(deleted),
        ("org/deleted", None),
        ("org/broken", b"{"),
        ("org/other", later.to_bytes()),
    )
    with capture_logs() as logs:
        assert await read_models(settings, give_up_after=20) == {"org/kept": kept}
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == [
        "invalid record ignored"
    ] * 2
