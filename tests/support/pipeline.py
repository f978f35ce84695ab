"""The pipeline as processes (broker, ClickHouse, workers), for tests and bench."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from breakout.clickhouse.migrations import migrate
from breakout.contract import (
    DerivativesSlice,
    DownloadsSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    ModelRecord,
    NameRecord,
)
from breakout.contract.topics import (
    DAILY,
    DERIVATIVES,
    DOWNLOADS,
    INFERENCE,
    LEADERBOARDS,
    MODELS,
    NAMES,
    Topic,
    partition_of,
)
from breakout.kafka.offsets import committed_positions, log_ends
from breakout.kafka.topics import ensure_topics
from breakout.settings import Settings, read_settings
from tests.support.brokers import running_broker
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
KafkaRecord = tuple[str, str, int, bytes]
"""Topic, key, partition and value."""

WORKER_TOPICS = tuple(
    topic.name for topic in (MODELS, DOWNLOADS, DAILY, NAMES, INFERENCE, DERIVATIVES, LEADERBOARDS)
)


class Worker:
    """A `breakout worker` process."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "breakout", "worker"],
                cwd=REPOSITORY,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def is_running(self) -> bool:
        """Whether the process exists."""
        return self.process.poll() is None

    def kill(self) -> None:
        """Send SIGKILL and wait for the exit."""
        self.process.kill()
        self.process.wait(10)

    def stop(self, seconds: float = 20.0) -> int:
        """Send SIGTERM and wait for the exit; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the worker did not stop, see {self.log}") from None


class Pipeline:
    """A broker, a ClickHouse with the schema, and any number of workers."""

    replication_factor = 1
    idempotent = False
    """Whether `publish` uses an idempotent producer, as collectors do on Apache Kafka."""
    request_seconds = 40.0
    """Timeout of a test's own requests to the broker."""

    def __init__(
        self, directory: Path, bootstrap: str, clickhouse: ClickHouseServer, **overrides: str
    ) -> None:
        self.directory = directory
        self.clickhouse = clickhouse
        self.workers: list[Worker] = []
        self._overrides = overrides
        self.bootstrap = bootstrap
        self.database = "breakout"
        self.group = "breakout"
        self.prepare(self.database)

    def prepare(self, database: str) -> None:
        """Create a database with the schema, and use it with a consumer group of its own."""
        self.database = database
        self.group = f"group-{database}"
        migrate(self.settings)
        asyncio.run(ensure_topics(self.settings))

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of child processes."""
        return {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "CLICKHOUSE_URL": f"{self.clickhouse.url}/{self.database}",
            "BREAKOUT_GROUP": self.group,
            "BREAKOUT_REPLICATION_FACTOR": str(self.replication_factor),
            "BREAKOUT_BATCH_SECONDS": "0.2",
            "BREAKOUT_LOG_FORMAT": "json",
            **self._overrides,
        }

    @property
    def settings(self) -> Settings:
        """Settings of child processes."""
        return read_settings(
            kafka_bootstrap_servers=self.bootstrap,
            clickhouse_url=f"{self.clickhouse.url}/{self.database}",
            group=self.group,
            replication_factor=self.replication_factor,
        )

    def start_worker(self) -> Worker:
        """Start one more worker."""
        worker = Worker(self.environment, self.directory / f"worker-{len(self.workers)}.log")
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        """Kill the workers."""
        for worker in self.running_workers():
            worker.kill()

    def running_workers(self) -> list[Worker]:
        """Return the workers whose process exists."""
        return [worker for worker in self.workers if worker.is_running]

    def replay(self) -> None:
        """Stop all workers; a new worker with a new group reads every topic from its start."""
        for worker in self.running_workers():
            worker.stop()
        self.group = f"replay-{self.group}"
        self.start_worker()
        self.wait_caught_up(120)

    def publish(self, events: Iterable[Event]) -> None:
        """Publish events as the collectors do, in this order."""
        self.publish_records(self.records(events))

    def records(self, events: Iterable[Event]) -> list[KafkaRecord]:
        """Return the Kafka records of events; the slices of a scrape are split by partition."""
        partitions = self.settings.partitions
        return [record for event in events for record in _records(event, partitions)]

    def publish_records(self, records: Iterable[KafkaRecord]) -> None:
        """Publish Kafka records."""
        asyncio.run(self._publish(records))

    async def _publish(self, records: Iterable[KafkaRecord]) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            max_request_size=16_000_000,
            linger_ms=5,
            acks="all",
            enable_idempotence=self.idempotent,
            request_timeout_ms=int(self.request_seconds * 1000),
        )
        await producer.start()
        try:
            pending = []
            for topic, key, partition, value in records:
                pending.append(await producer.send(topic, value, key.encode(), partition=partition))
            await asyncio.gather(*pending)
        finally:
            await producer.stop()

    def publish_bytes(
        self, topic: str, partition: int, value: bytes | None, *, key: bytes | None = b"key"
    ) -> int:
        """Publish any bytes; returns the offset."""

        async def send() -> int:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap, max_request_size=16_000_000
            )
            await producer.start()
            try:
                sent = await producer.send_and_wait(topic, value, key, partition=partition)
                return int(sent.offset)
            finally:
                await producer.stop()

        return asyncio.run(send())

    def lag(self) -> dict[str, int]:
        """Return how many records of each topic the workers have not acknowledged."""
        return asyncio.run(self._lag())

    async def _lag(self) -> dict[str, int]:
        partitions = [
            TopicPartition(topic, number)
            for topic in WORKER_TOPICS
            for number in range(self.settings.partitions)
        ]
        timeout = {"request_timeout_ms": int(self.request_seconds * 1000)}
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, **timeout)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, **timeout)
        await consumer.start()
        await admin.start()
        try:
            ends = await log_ends(consumer, partitions)
            done = await committed_positions(admin, self.group, partitions)
        finally:
            await admin.close()
            await consumer.stop()
        lag = dict.fromkeys(WORKER_TOPICS, 0)
        for partition, end in ends.items():
            lag[partition.topic] += end - (done[partition].offset if partition in done else 0)
        return lag

    def wait_caught_up(self, seconds: float = 60.0) -> None:
        """Wait until every record is acknowledged, including the slices that others cause."""

        def caught_up() -> bool:
            for worker in self.workers[-1:]:
                if worker.process.poll() not in (None, -9, 0):
                    raise AssertionError(f"a worker died:\n{worker.log.read_text()[-4000:]}")
            return not any(self.lag().values())

        for stage in ("records", "daily slices"):
            try:
                wait_until(f"{stage} are processed", caught_up, seconds=seconds)
            except TimeoutError:
                raise TimeoutError(self.lag_report()) from None

    def lag_report(self) -> str:
        """Return the lag and the ends of the workers' logs, for a timeout."""
        logs = [f"{one.log}:\n{one.log.read_text()[-3000:]}" for one in self.workers[-3:]]
        try:
            lag = f"lag: {self.lag()}"
        except (KafkaError, OSError) as error:  # TimeoutError is one
            lag = f"the broker does not report the lag: {error!r}"
        return "\n".join([lag, *logs])

    def client(self) -> Any:
        """Return a ClickHouse client on the database."""
        return clickhouse_connect.get_client(
            host="127.0.0.1",
            port=self.clickhouse.port,
            database=self.database,
            tz_mode="aware",
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return a query's rows as dictionaries."""
        client = self.client()
        try:
            return list(client.query(sql).named_results())
        finally:
            client.close()

    def consume(self, topic: str) -> list[Any]:
        """Return all messages of a topic so far."""

        async def read() -> list[Any]:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
            )
            await consumer.start()
            try:
                partitions = [
                    TopicPartition(topic, number) for number in range(self.settings.partitions)
                ]
                ends = await log_ends(consumer, partitions)
                consumer.assign(partitions)
                await consumer.seek_to_beginning(*partitions)
                messages: list[Any] = []
                while len(messages) < sum(ends.values()):
                    for batch in (await consumer.getmany(timeout_ms=200)).values():
                        messages.extend(batch)
                return messages
            finally:
                await consumer.stop()

        return asyncio.run(read())


def _records(event: Event, partitions: int) -> Iterator[KafkaRecord]:
    if not isinstance(event, DownloadsSlice):
        topic, key = _topic_and_key(event)
        yield topic.name, key, partition_of(key, partitions), event.to_bytes()
        return
    columns = ("models", "downloads_all_time", "downloads_30d", "likes")
    for number in range(partitions):
        own = [
            index
            for index, model_id in enumerate(event.models)
            if partition_of(model_id, partitions) == number
        ]
        if own:
            part = {name: [getattr(event, name)[index] for index in own] for name in columns}
            value = event.model_copy(update=part).to_bytes()
            yield DOWNLOADS.name, f"{event.source}:{event.scrape_id}", number, value


def _topic_and_key(event: Event) -> tuple[Topic, str]:
    match event:
        case ModelRecord():
            return MODELS, event.model_id
        case NameRecord():
            return NAMES, f"{event.source}:{event.name}"
        case InferenceDay():
            return INFERENCE, f"{event.source}:{event.day}"
        case DerivativesSlice():
            return DERIVATIVES, event.source
        case LeaderboardSlice():
            return LEADERBOARDS, f"{event.source}:{event.board}:{event.version}"
    raise TypeError(f"no topic for {type(event).__name__}")


@contextmanager
def running_pipeline(
    directory: Path, kind: str = "embedded", **overrides: str
) -> Iterator[Pipeline]:
    """Run a pipeline with new servers and no workers, on a broker of `BROKERS`.

    `overrides` are environment variables of child processes.
    """
    with (
        running_broker(directory / "broker", kind) as broker,
        running_clickhouse(directory / "clickhouse") as clickhouse,
    ):
        pipeline = Pipeline(directory, broker.bootstrap, clickhouse, **overrides)
        try:
            yield pipeline
        finally:
            pipeline.close()
