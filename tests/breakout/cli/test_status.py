"""`breakout status`: what is wrong is said, and makes it exit with 1."""

import asyncio
import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from clickhouse_connect.driver.client import Client
from rich.console import Console

from breakout.cli.status import as_table
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.contract.topics import DEAD_LETTERS, DOWNLOADS, INFERENCE, LEADERBOARDS
from breakout.kafka.positions import LastRecord
from breakout.kafka.topics import ensure_topics
from breakout.observability.health import Part
from breakout.observability.heartbeat import Heartbeat
from breakout.settings import Settings, read_settings
from tests.breakout.cli.conftest import Breakout
from tests.breakout.cli.seed import insert
from tests.support import busy_models
from tests.support.brokers import BROKERS, KAFKA_FIRST, requires_kafka, running_broker
from tests.support.server_process import Broker, free_port

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture(scope="module", params=KAFKA_FIRST)
def kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("broker"), request.param) as server:
        asyncio.run(ensure_topics(read_settings(kafka_bootstrap_servers=server.bootstrap)))
        yield server


@pytest.fixture
def settings(settings: Settings, kafka: Broker) -> Settings:
    """With a schema, and a consumer group of its own."""
    migrate(settings)
    return read_settings(
        clickhouse_url=settings.clickhouse_url,
        kafka_bootstrap_servers=kafka.bootstrap,
        group=f"g{uuid.uuid4().hex}",
    )


@pytest.fixture
def environment(environment: dict[str, str], settings: Settings) -> dict[str, str]:
    return {**environment, "BREAKOUT_GROUP": settings.group}


@pytest.fixture
def client(settings: Settings) -> Client:
    return writer_client(settings)


def checked(breakout: Breakout, code: int, **variables: str) -> dict[str, dict[str, Any]]:
    """Run it, and return its parts by name."""
    shown = breakout("status", "--format", "json", **variables)
    assert shown.returncode == code, shown.stdout + shown.stderr
    status = json.loads(shown.stdout)
    assert status["ok"] is (code == 0)
    return {part["part"]: part for part in status["parts"]}


def observe(client: Client, at: datetime, origin: str = "live") -> None:
    insert(
        client,
        "downloads_log",
        {
            "model_id": "a/b",
            "observed_at": at,
            "source": "huggingface",
            "origin": origin,
            "version": 1,
        },
    )


def beat(client: Client, component: str, **facts: Any) -> None:
    row = {
        "component": component,
        "instance": f"host:{uuid.uuid4().hex[:4]}",
        "at": datetime.now(UTC),
        "interval_seconds": 10.0,
        "state": "running",
        "last_error": None,
        "last_error_at": None,
        **facts,
    }
    insert(client, "heartbeats", row)


def test_all_is_well(breakout: Breakout, settings: Settings, client: Client) -> None:
    observe(client, datetime.now(UTC) - timedelta(minutes=5))
    with Heartbeat(settings, "worker"), Heartbeat(settings, "collector:huggingface") as heart:
        heart.beat("idle")
        # The first beat is written by a thread of its own.
        parts: dict[str, dict[str, Any]] = {}
        while "worker" not in parts or parts["worker"]["state"] == "down":
            shown = breakout("status", "--format", "json")
            parts = {part["part"]: part for part in json.loads(shown.stdout)["parts"]}
        parts = checked(breakout, 0)
        assert parts["kafka"]["state"] == "up"
        assert parts["clickhouse"]["state"] == "up"
        assert parts["schema"]["state"] == "up to date"
        assert parts["worker"]["state"] == "running"
        assert parts["data huggingface"]["state"] == "fresh"
        assert parts["dead letters"]["recent"] == 0
        table = breakout("status")
    assert table.returncode == 0
    assert table.stdout.rstrip().endswith("all parts are healthy")


def test_a_fresh_installation_says_what_is_missing(breakout: Breakout, settings: Settings) -> None:
    parts = checked(breakout, 1)
    assert parts["worker"]["state"] == "down"
    assert "breakout worker" in parts["worker"]["detail"]
    assert parts["data"]["state"] == "none"
    assert "breakout collect registry" in parts["data"]["detail"]


def test_servers_that_are_away_are_lines_of_the_answer(breakout: Breakout) -> None:
    parts = checked(
        breakout,
        1,
        KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{free_port()}",
        CLICKHOUSE_URL=f"http://me:topsecret@127.0.0.1:{free_port()}/breakout",
    )
    assert parts.keys() == {"kafka", "clickhouse"}
    assert "KAFKA_BOOTSTRAP_SERVERS" in parts["kafka"]["detail"]
    assert "CLICKHOUSE_URL" in parts["clickhouse"]["detail"]
    assert "topsecret" not in json.dumps(parts)


@pytest.mark.parametrize("kind", BROKERS)
def test_a_broker_without_topics(breakout: Breakout, tmp_path: Path, kind: str) -> None:
    with running_broker(tmp_path, kind) as empty:
        parts = checked(breakout, 1, KAFKA_BOOTSTRAP_SERVERS=empty.bootstrap)
        assert parts["kafka"]["state"] == "empty"
        assert "breakout.downloads" in parts["kafka"]["detail"]
        # Asking did not make them.
        assert (
            checked(breakout, 1, KAFKA_BOOTSTRAP_SERVERS=empty.bootstrap)["kafka"]["state"]
            == "empty"
        )


def test_a_database_that_was_not_migrated(breakout: Breakout, settings: Settings) -> None:
    url = settings.clickhouse_url.rpartition("/")[0] + "/never_made"
    parts = checked(breakout, 1, CLICKHOUSE_URL=url)
    assert parts["clickhouse"]["state"] == "up"
    assert parts["schema"]["state"] == "outdated"
    assert "breakout migrate" in parts["schema"]["detail"]


def test_a_database_newer_than_the_program(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    insert(
        client,
        "schema_migrations",
        {"version": 9999, "name": "9999_future.sql", "checksum": "0", "applied": True},
    )
    parts = checked(breakout, 1)
    assert parts["schema"]["state"] == "invalid"
    assert "upgrade breakout" in parts["schema"]["detail"]


def test_a_lost_part_is_wrong_until_another_takes_over(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    observe(client, datetime.now(UTC))
    beat(client, "worker")
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    beat(
        client,
        "collector:huggingface",
        at=long_ago,
        last_error="SourceError: no answer",
        last_error_at=long_ago,
    )
    part = checked(breakout, 1)["collector:huggingface"]
    assert part["state"] == "lost"
    assert part["last_error"] == "SourceError: no answer"
    assert "last error 10 min ago: SourceError" in part["detail"]
    beat(client, "collector:huggingface", state="idle")
    assert checked(breakout, 0)["collector:huggingface"]["state"] == "idle"


def test_a_worker_that_stopped_is_down_a_collector_may_stop(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    observe(client, datetime.now(UTC))
    beat(client, "collector:registry", state="stopped")
    beat(client, "worker", state="stopped")
    parts = checked(breakout, 1)
    assert parts["collector:registry"]["ok"] is True
    assert parts["worker"]["ok"] is False


def test_stale_data_are_wrong(breakout: Breakout, settings: Settings, client: Client) -> None:
    beat(client, "worker")
    observe(client, datetime.now(UTC) - timedelta(hours=4))
    # What comes from an archive is no sign of a collector's health.
    observe(client, datetime.now(UTC), origin="an archive")
    observe(client, datetime.now(UTC), origin="hub-stats-30d")
    part = checked(breakout, 1)["data huggingface"]
    assert part["state"] == "stale"
    assert part["seconds"] == pytest.approx(4 * 3600, abs=600)
    assert checked(breakout, 0, BREAKOUT_SCRAPE_SECONDS="7200")["data huggingface"]["ok"]


def test_scrape_of_young_models_alone_is_fresh(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    observe(client, datetime.now(UTC), origin="live-30d")
    assert checked(breakout, 0)["data huggingface"]["state"] == "fresh"


def test_a_source_that_is_read_daily_is_stale_after_days(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    observe(client, datetime.now(UTC))
    for days, state in ((2, "fresh"), (4, "stale")):
        counted = {"day": date(2026, 1, 1), "slug": "a/b", "tokens": 1}
        at = datetime.now(UTC) - timedelta(days=days)
        insert(client, "inference_log", {"source": f"read-{days}", "as_of": at, **counted})
        assert checked(breakout, int(days > 3))[f"data read-{days}"]["state"] == state


def count(client: Client, models: int, *, held: int = 0, fallen: int = 0) -> None:
    for table, rows in busy_models.rows(models, held=held, fallen=fallen).items():
        insert(client, table, *rows)


def test_held_counters_are_said(breakout: Breakout, settings: Settings, client: Client) -> None:
    beat(client, "worker")
    count(client, 24, held=17)
    part = checked(breakout, 0)["counters huggingface"]
    assert part["state"] == "held"
    assert part["detail"] == (
        "Hub counters: 70.8% of busy models created since 2025 have not been renewed for 31 h"
    )
    held = next(alarm for alarm in part["alarms"] if alarm["alarm"] == "held")
    assert (held["age_band"], held["firing"], held["busy"]) == ("2025 and after", True, 24)
    assert (held["share"], held["threshold"], held["hours"]) == (17 / 24, 0.5, 31)


def test_fallen_counters_are_said(breakout: Breakout, settings: Settings, client: Client) -> None:
    beat(client, "worker")
    count(client, 24, fallen=3)
    part = checked(breakout, 0)["counters huggingface"]
    assert part["state"] == "fallen"
    assert part["detail"] == (
        "Hub counters: 12.5% of busy models created since 2025 have fallen below an earlier value"
    )


def test_few_held_counters_are_nothing_to_say(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    count(client, 24, held=11, fallen=2)
    part = checked(breakout, 0)["counters huggingface"]
    assert part["state"] == "renewed"
    assert part["detail"] == (
        "Hub counters: 24 busy models, at most 45.8% held (limit: 50.0%), "
        "at most 8.3% fallen (limit: 10.0%)"
    )


def test_counters_of_few_models_are_not_judged(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    count(client, 19, held=19)
    assert "counters huggingface" not in checked(breakout, 0)


async def _produce(bootstrap: str, topic: str, values: list[bytes], at_ms: int | None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0, timestamp_ms=at_ms)
    finally:
        await producer.stop()


async def _commit(settings: Settings, topic: str, offset: int, metadata: str = "") -> None:
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=settings.group,
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([partition])
        await consumer.commit({partition: OffsetAndMetadata(offset, metadata)})
    finally:
        await consumer.stop()


@pytest.mark.parametrize("kafka", BROKERS, indirect=True)
def test_lag_counts_what_the_group_has_not_finished(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    observe(client, datetime.now(UTC))
    before = checked(breakout, 0)[f"lag {DOWNLOADS.name}"]["records"]
    bootstrap = settings.kafka_bootstrap_servers
    asyncio.run(_produce(bootstrap, DOWNLOADS.name, [b"1", b"2", b"3"], None))
    part = checked(breakout, 0)[f"lag {DOWNLOADS.name}"]
    assert part["records"] == before + 3
    assert part["state"] == "keeping up"
    asyncio.run(_commit(settings, DOWNLOADS.name, before + 2))
    assert checked(breakout, 0)[f"lag {DOWNLOADS.name}"]["records"] == 1
    asyncio.run(_commit(settings, DOWNLOADS.name, before + 3))
    part = checked(breakout, 0)[f"lag {DOWNLOADS.name}"]
    assert (part["records"], part["seconds"]) == (0, None)


@pytest.mark.parametrize("kafka", BROKERS, indirect=True)
def test_position_beyond_the_log_is_wrong(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    observe(client, datetime.now(UTC))
    assert checked(breakout, 0)["positions"]["lost"] == []
    asyncio.run(_produce(settings.kafka_bootstrap_servers, LEADERBOARDS.name, [b"1", b"2"], None))
    asyncio.run(_commit(settings, LEADERBOARDS.name, 50))
    part = checked(breakout, 1)["positions"]
    (lost,) = part["lost"]
    assert (lost["topic"], lost["partition"], lost["position"]) == (LEADERBOARDS.name, 0, 50)
    assert lost["why"] == "beyond_end"
    assert part["state"] == "lost"
    assert (
        f"{LEADERBOARDS.name}, partition 0: position 50 is beyond the end of the log"
        in part["detail"]
    )
    asyncio.run(_commit(settings, LEADERBOARDS.name, lost["end"]))
    assert checked(breakout, 0)["positions"]["state"] == "valid"


@requires_kafka
@pytest.mark.parametrize("kafka", ["kafka"], indirect=True)
def test_position_after_another_record_is_wrong(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    # The embedded broker keeps nothing beside a position, and its positions end with its logs.
    beat(client, "worker")
    observe(client, datetime.now(UTC))
    asyncio.run(_produce(settings.kafka_bootstrap_servers, INFERENCE.name, [b"1", b"2"], None))
    other = LastRecord(0, 1)  # a timestamp that no record here has
    asyncio.run(_commit(settings, INFERENCE.name, 1, other.metadata()))
    (lost,) = checked(breakout, 1)["positions"]["lost"]
    assert (lost["topic"], lost["position"], lost["why"]) == (INFERENCE.name, 1, "other_log")
    # What somebody else committed says nothing of the record before it.
    asyncio.run(_commit(settings, INFERENCE.name, 1, "read 0 of long ago"))
    assert checked(breakout, 0)["positions"]["lost"] == []


def test_dead_letters_of_the_last_day_are_wrong(
    breakout: Breakout, settings: Settings, client: Client
) -> None:
    beat(client, "worker")
    observe(client, datetime.now(UTC))
    assert checked(breakout, 0)["dead letters"]["dead_letters"] == 0
    asyncio.run(_produce(settings.kafka_bootstrap_servers, DEAD_LETTERS.name, [b"x"], None))
    part = checked(breakout, 1)["dead letters"]
    assert (part["recent"], part["dead_letters"]) == (1, 1)


def test_wrong_options_are_refused(breakout: Breakout) -> None:
    assert breakout("status", "--format", "csv").returncode == 2
    assert breakout("status", "now").returncode == 2


def test_the_table_reads_well() -> None:
    out = Console(width=100, file=io.StringIO())
    out.print(
        as_table(
            [
                Part("kafka", "up", ok=True, detail="127.0.0.1:9092, brokers: 1"),
                Part("schema", "up to date", ok=True),
                Part(
                    "collector:huggingface",
                    "lost",
                    ok=False,
                    detail="host:1, last heartbeat 10 min ago, last error 12 min ago: SourceError: "
                    "[503] no answer from https://huggingface.co/api/models within 30 s",
                ),
            ],
            100,
        )
    )
    assert isinstance(out.file, io.StringIO)
    lines = [line.rstrip() for line in out.file.getvalue().splitlines()]
    assert lines == (SNAPSHOTS / "status.txt").read_text().splitlines()
