"""What a job publishes, read back from the embedded broker."""

import asyncio
import base64
import gc
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from breakout.contract.events import DeadLetter, DownloadsSlice, ModelRecord
from breakout.contract.topics import DEAD_LETTERS, DOWNLOADS, MODELS, partition_of
from breakout.kafka.topics import KafkaUnavailableError
from breakout.settings import Settings
from breakout.simulation import Catalog, Model, SimulatedClock
from collectors.http.errors import EmptyResponseError
from collectors.hub.counters import Counters
from collectors.publishing.publisher import Publisher, open_publisher
from collectors.publishing.rejected_rows import RejectedRows
from collectors.publishing.slices import Scrape, split_scrape
from collectors.scheduling.outcome import Collected
from collectors.sources.huggingface import HuggingFaceJob
from collectors.sources.registry import RegistryJob
from tests.collectors.quick import QUICK, until
from tests.collectors.records import PARTITIONS, read_events, read_records
from tests.support.faulty_hub.faults import ErrorStatus, Stalled, Vanished, WrongValues
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.kafka.broker import KafkaBroker
from tests.support.server_process import Broker, free_port

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)
TRACKED = [f"org-{i % 5}/tiny-{i}B" for i in range(200)]
FRESH = Model("org-0/fresh-8B", tracked_in=None)


@pytest.fixture
def broker(each_broker: Broker) -> Broker:
    """Both kinds of broker must do."""
    return each_broker


@pytest.fixture
async def hub() -> AsyncIterator[FaultyHub]:
    async with FaultyHub(Catalog.of([*TRACKED, FRESH]), clock=SimulatedClock(NOW)) as running:
        yield running


def settings(broker: Broker, hub: FaultyHub, **more: Any) -> Settings:
    return Settings(
        kafka_bootstrap_servers=broker.bootstrap,
        hf_endpoint=hub.url,
        tracked_models_url=hub.tracked_models_url,
        partitions=PARTITIONS,
        **more,
    )


def huggingface(broker: Broker, hub: FaultyHub, **more: Any) -> HuggingFaceJob:
    return HuggingFaceJob(settings(broker, hub, **more), give_up_after=20.0, request_policy=QUICK)


async def test_a_scrape_is_one_slice_a_partition(broker: Broker, hub: FaultyHub) -> None:
    outcome = await huggingface(broker, hub).run(NOW)
    assert outcome.published == {"tracked models": 200, "other models": 1}
    assert outcome.records == PARTITIONS
    assert outcome.complete
    records = await read_records(broker.bootstrap, DOWNLOADS)
    assert [record.partition for record in records] == list(range(PARTITIONS))
    assert {record.key for record in records} == {"huggingface:huggingface-20260822T110000.000Z"}
    models: list[str] = []
    for record in records:
        piece = DownloadsSlice.model_validate_json(record.value)
        assert piece.slice == record.partition
        assert piece.observed_at == NOW
        assert piece.complete
        assert {partition_of(one, PARTITIONS) for one in piece.models} == {record.partition}
        assert None not in piece.downloads_all_time
        models += piece.models
    assert sorted(models) == sorted([*TRACKED, FRESH.id])


async def test_a_rerun_writes_the_same_records(broker: Broker, hub: FaultyHub) -> None:
    await huggingface(broker, hub).run(NOW)
    await huggingface(broker, hub).run(NOW)
    records = await read_records(broker.bootstrap, DOWNLOADS)
    assert len(records) == 2 * PARTITIONS
    assert len(set(records)) == PARTITIONS


async def test_newly_discovered_models_are_registered_once(broker: Broker, hub: FaultyHub) -> None:
    job = huggingface(broker, hub)
    await job.run(NOW)
    await job.run(NOW + timedelta(hours=1))
    [record] = await read_events(broker.bootstrap, MODELS, ModelRecord)
    assert (record.model_id, record.tracked, record.observed_at) == (FRESH.id, False, NOW)


async def test_observed_at_is_start_of_run(broker: Broker, hub: FaultyHub) -> None:
    before = datetime.now(UTC)
    outcome = await huggingface(broker, hub).run()
    assert before - timedelta(milliseconds=1) <= outcome.observed_at <= datetime.now(UTC)
    assert outcome.observed_at.microsecond % 1000 == 0
    pieces = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert {piece.observed_at for piece in pieces} == {outcome.observed_at}


async def test_partial_scrape_is_published_with_missing_models(
    broker: Broker, hub: FaultyHub
) -> None:
    hub.faults.add(
        Vanished(models=TRACKED[:3]),
        WrongValues(values={"downloads": -1}, models=[TRACKED[9]]),
    )
    outcome = await huggingface(broker, hub).run(NOW)
    gone = {*TRACKED[:3], TRACKED[9]}
    assert set(outcome.missing) == gone
    assert not outcome.complete
    records = await read_records(broker.bootstrap, DOWNLOADS)
    missing: dict[str, str] = {}
    for record in records:
        piece = DownloadsSlice.model_validate_json(record.value)
        assert not piece.complete
        for one in piece.missing:
            assert partition_of(one.model_id, PARTITIONS) == record.partition
            missing[one.model_id] = one.reason
    assert missing == dict(outcome.missing)
    assert set(missing) == gone
    [letter] = await read_events(broker.bootstrap, DEAD_LETTERS, DeadLetter)
    assert letter.topic == "huggingface"
    assert letter.error.startswith(f"{TRACKED[9]}: downloads: Input should be greater")
    row = json.loads(base64.b64decode(letter.value_base64))
    assert (row["id"], row["downloads"]) == (TRACKED[9], -1)


async def test_failed_scrape_publishes_nothing(broker: Broker, hub: FaultyHub) -> None:
    hub.faults.add(ErrorStatus(status=503))
    with pytest.raises(EmptyResponseError, match="HTTP 503"):
        await huggingface(broker, hub).run(NOW)
    for topic in (DOWNLOADS, MODELS, DEAD_LETTERS):
        assert await read_records(broker.bootstrap, topic) == []


async def test_the_registry_is_one_record_a_model(broker: Broker, hub: FaultyHub) -> None:
    job = RegistryJob(settings(broker, hub), give_up_after=20.0, request_policy=QUICK)
    outcome = await job.run(NOW)
    assert outcome.published == {"tracked models": 200, "other models": 1}
    assert outcome.records == 201
    records = await read_records(broker.bootstrap, MODELS)
    assert sorted(record.key for record in records) == sorted([*TRACKED, FRESH.id])
    for record in records:
        known = ModelRecord.model_validate_json(record.value)
        assert known.model_id == record.key
        assert record.partition == partition_of(record.key, PARTITIONS)
        assert known.tracked is (record.key != FRESH.id)


async def test_tracked_list_is_read_again_every_registry_interval(
    broker: Broker, hub: FaultyHub
) -> None:
    job = huggingface(broker, hub, registry_seconds=1)
    await job.run(NOW)
    job._list_read_at -= 2
    hub.faults.add(ErrorStatus(match="/lists/", status=500))
    with capture_logs() as logs:
        outcome = await job.run(NOW + timedelta(hours=1))
    assert "using the earlier tracked-models list" in {entry["event"] for entry in logs}
    assert outcome.complete
    hub.faults.clear()
    asked = len(hub.requests)
    await job.run(NOW + timedelta(hours=2))
    assert hub.requests[asked].path == "/lists/models.csv"


async def test_existing_topic_keeps_partitions(broker: Broker, hub: FaultyHub) -> None:
    await huggingface(broker, hub).run(NOW)
    many = settings(broker, hub).model_copy(update={"partitions": 16})
    outcome = await HuggingFaceJob(many, give_up_after=20.0, request_policy=QUICK).run(NOW)
    assert outcome.records == PARTITIONS


async def test_missing_idempotence_is_logged_once(broker: Broker, hub: FaultyHub) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            async with open_publisher(settings(broker, hub), give_up_after=20.0):
                pass
    events = [entry["event"] for entry in logs]
    lacking = events.count("broker does not support idempotent producers, continuing without")
    assert lacking == (0 if isinstance(broker, KafkaBroker) else 1)


async def test_a_large_scrape_is_acknowledged_whole(broker: Broker, hub: FaultyHub) -> None:
    ids = [f"org/model-{i}" for i in range(60_000)]
    scrape = Scrape(
        "huggingface", NOW, {one: Counters(id=one, downloadsAllTime=2**60) for one in ids}
    )
    async with open_publisher(settings(broker, hub), give_up_after=20.0) as publisher:
        slices = await publisher.publish_scrape(scrape)
        await publisher.flush()
        assert publisher.acknowledged == {DOWNLOADS.name: slices}
    assert slices > PARTITIONS
    read = await read_events(broker.bootstrap, DOWNLOADS, DownloadsSlice)
    assert sorted(one for piece in read for one in piece.models) == sorted(ids)
    assert sorted(piece.slice for piece in read) == list(range(slices))


async def test_unavailable_broker_raises_before_any_request(
    hub: FaultyHub,
) -> None:
    nobody = Settings(
        kafka_bootstrap_servers=f"127.0.0.1:{free_port()}",
        hf_endpoint=hub.url,
        tracked_models_url=hub.tracked_models_url,
    )
    with pytest.raises(KafkaUnavailableError, match="check KAFKA_BOOTSTRAP_SERVERS"):
        await HuggingFaceJob(nobody, give_up_after=0.5, request_policy=QUICK).run(NOW)
    assert hub.requests == []


async def test_run_waits_for_broker_that_becomes_unavailable(
    stopped_broker: Broker, hub: FaultyHub
) -> None:
    server = stopped_broker
    server.start()
    try:
        job = HuggingFaceJob(settings(server, hub), request_policy=replace(QUICK, read=2.0))
        hub.faults.add(Stalled(match="author=org-4", times=1))
        running = asyncio.create_task(job.run(NOW))
        await until(lambda: any(("author", "org-4") in request.query for request in hub.requests))
        await asyncio.to_thread(server.kill)
        with capture_logs() as logs:
            away = "waiting for Kafka"
            await until(lambda: any(entry["event"] == away for entry in logs))
        await asyncio.to_thread(server.start)
        outcome = await running
        assert outcome.complete
        pieces = await read_events(server.bootstrap, DOWNLOADS, DownloadsSlice)
        assert sorted(one for piece in pieces for one in piece.models) == sorted(
            [*TRACKED, FRESH.id]
        )
    finally:
        server.close()


def _distinct(pieces: list[DownloadsSlice]) -> list[DownloadsSlice]:
    return [piece for index, piece in enumerate(pieces) if piece not in pieces[:index]]


async def test_publishing_restarts_from_first_record_without_acknowledgement(
    stopped_broker: Broker,
    hub: FaultyHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("collectors.publishing.publisher._ACKNOWLEDGE_SECONDS", 4.0)
    server = stopped_broker
    server.start()
    scrape = Scrape("huggingface", NOW, {one: Counters(id=one) for one in TRACKED})
    pieces = list(split_scrape(scrape, PARTITIONS))
    written = 0

    async def publish(publisher: Publisher, _collected: Collected) -> int:
        nonlocal written
        written += 1
        if written == 1:
            await publisher.publish_slices(pieces[:1])
            await publisher.flush()
            await asyncio.to_thread(server.kill)
        await publisher.publish_slices(pieces)
        await publisher.flush()
        return len(pieces)

    monkeypatch.setattr("collectors.scheduling.job.publish", publish)
    try:
        with capture_logs() as logs:
            job = HuggingFaceJob(settings(server, hub), request_policy=QUICK)
            publishing = asyncio.create_task(
                job._publish(Collected({}, RejectedRows("huggingface", "huggingface")))
            )
            again = "publishing again from the first record"
            await until(lambda: any(entry["event"] == again for entry in logs))
            await asyncio.to_thread(server.start)
            await publishing
        read = await read_events(server.bootstrap, DOWNLOADS, DownloadsSlice)
    finally:
        server.close()
    gc.collect()
    assert "never retrieved" not in caplog.text
    assert written == 2
    # What was sent before is read twice where the broker's log outlives it.
    durable = isinstance(server, KafkaBroker)
    said = [piece for _, piece in pieces]
    assert (_distinct(read) if durable else read) == said
