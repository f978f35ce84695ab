"""A pipeline whose workers reach ClickHouse and the broker through what a test can break."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer

from breakout.contract import DownloadsSlice, Event, ModelRecord, read_event
from breakout.contract.topics import DOWNLOADS, MODELS
from tests.oracle.batch import recompute
from tests.oracle.deliveries import make_delivery
from tests.oracle.histories import History, make_history
from tests.oracle.inputs import FrozenRow, Observation, observations_of
from tests.streams.views import view_differences
from tests.support.broker_link import BrokerLink, running_linked_broker
from tests.support.clickhouse_proxy import ClickHouseProxy, running_clickhouse_proxy
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.kafka.cluster import KafkaCluster, running_cluster
from tests.support.pipeline import Pipeline, Worker
from tests.support.server_process import Broker
from tests.support.waiting import wait_until

READER_PASSWORD = "a-password-for-readers"


class Rig(Pipeline):
    """Remembers all it was told, so that the oracle can judge the tables after every fault."""

    def __init__(
        self,
        directory: Path,
        bootstrap: str,
        clickhouse: ClickHouseServer,
        proxy: ClickHouseProxy,
    ) -> None:
        self.proxy = proxy
        self.observations: list[Observation] = []
        self.models: list[ModelRecord] = []
        self.frozen: list[FrozenRow] = []
        super().__init__(directory, bootstrap, clickhouse)

    @property
    def environment(self) -> dict[str, str]:
        """What workers need; they come to ClickHouse through the proxy."""
        return {
            **super().environment,
            "CLICKHOUSE_URL": f"{self.proxy.url}/{self.database}",
            "BREAKOUT_KAFKA_TIMEOUT_SECONDS": "10",
            # More than anything here takes, but a worker must not wait for ever.
            "BREAKOUT_INSERT_TIMEOUT_SECONDS": "90",
            **self._overrides,
        }

    def start_worker(self, **environment: str) -> Worker:
        """Start one more worker, with more environment variables."""
        self._overrides = environment
        return super().start_worker()

    def alive(self) -> list[Worker]:
        """Return the workers that run."""
        return [worker for worker in self.workers if worker.process.poll() is None]

    def worker(self) -> Worker:
        """Return a worker that runs and has its partitions: caught up with all so far."""
        worker = next(iter(self.alive()), None) or self.start_worker()
        self.wait_caught_up(120)
        return worker

    def tell(self, events: Iterable[Event]) -> None:
        """Publish events, and remember what they say."""
        events = list(events)
        self.observations += observations_of(
            event for event in events if isinstance(event, DownloadsSlice)
        )
        self.models += [event for event in events if isinstance(event, ModelRecord)]
        self.publish(events)

    def believe_kafka(self) -> None:
        """Hold the tables against what is in the topics, whoever published it."""
        slices = (read_event(DownloadsSlice, one.value) for one in self.consume(DOWNLOADS.name))
        self.observations = observations_of(slices)
        self.models = [read_event(ModelRecord, one.value) for one in self.consume(MODELS.name)]

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

    def mend(self) -> None:
        """Undo every fault."""
        self.proxy.open_all()

    def wait_for_log(self, worker: Worker, text: str) -> None:
        """Wait until the worker has logged a text."""
        wait_until(f"log {text!r}", lambda: text in worker.log.read_text(), seconds=120)

    def judge_with_successors(self) -> None:
        """Judge, and meanwhile start a worker anew that ended with an error, as supervisors do."""

        def caught_up() -> bool:
            if not self.alive():
                assert self.workers[-1].process.returncode != 0
                self.start_worker()
            return not any(self.lag().values())

        try:
            wait_until("workers catch up", caught_up, seconds=270)
        except TimeoutError:
            raise TimeoutError(self.what_is_left()) from None
        self.judge()

    def judge(self) -> None:
        """Wait until all is worked off, and hold the tables against the oracle."""
        if not self.alive():
            self.start_worker()
        self.wait_caught_up(120)
        expected = recompute(self.observations, self.models, frozen=self.frozen)
        found = view_differences(self, expected)
        assert not found, found


class LinkedRig(Rig):
    """A rig on one broker, which everybody comes to through a link."""

    def __init__(
        self,
        directory: Path,
        broker: Broker,
        link: BrokerLink,
        clickhouse: ClickHouseServer,
        proxy: ClickHouseProxy,
    ) -> None:
        self.broker = broker
        self.link = link
        super().__init__(directory, broker.bootstrap, clickhouse, proxy)

    def mend(self) -> None:
        """Undo every fault."""
        super().mend()
        self.link.mend()


class ClusterRig(Rig):
    """A rig on three nodes of Apache Kafka, each record on all of them."""

    replication_factor = 3
    idempotent = True
    # A node that stands still is given up within the workers' shortest time, and not asked on.
    request_seconds = 10.0

    def __init__(
        self,
        directory: Path,
        cluster: KafkaCluster,
        clickhouse: ClickHouseServer,
        proxy: ClickHouseProxy,
    ) -> None:
        self.cluster = cluster
        super().__init__(directory, cluster.bootstrap, clickhouse, proxy)

    def mend(self) -> None:
        """Undo every fault: all nodes run."""
        super().mend()
        for broker in self.cluster.brokers.values():
            if not broker.is_running:
                broker.start()


@contextmanager
def running_rig(directory: Path, kind: str) -> Iterator[LinkedRig]:
    """A rig with fresh servers and no workers yet, on a broker of `BROKERS`."""
    with (
        running_linked_broker(directory / "broker", kind) as (broker, link),
        running_clickhouse(directory / "clickhouse", reader_password=READER_PASSWORD) as clickhouse,
        running_clickhouse_proxy(clickhouse.port) as proxy,
        contextlib.closing(LinkedRig(directory, broker, link, clickhouse, proxy)) as rig,
    ):
        yield rig


@contextmanager
def running_cluster_rig(directory: Path) -> Iterator[ClusterRig]:
    """A rig with fresh servers and no workers yet, on a cluster."""
    with (
        running_cluster(directory / "cluster") as cluster,
        running_clickhouse(directory / "clickhouse") as clickhouse,
        running_clickhouse_proxy(clickhouse.port) as proxy,
        contextlib.closing(ClusterRig(directory, cluster, clickhouse, proxy)) as rig,
    ):
        yield rig


def deliveries(seed: str, *, models: int = 12, moments: int = 12, pieces: int = 2) -> list[Any]:
    """Return a small history in some order of arrival, cut into pieces; its models are its own."""
    random = Random(seed)
    history = make_history(random, models=models, moments=moments)
    own = History(
        observations=[
            replace(one, model_id=_named(one.model_id, seed)) for one in history.observations
        ],
        models=[
            one.model_copy(update={"model_id": _named(one.model_id, seed)})
            for one in history.models
        ],
    )
    arrivals = make_delivery(random, own).arrivals
    # Each piece has its share of the slices, so that workers write downloads for each.
    slices = [at for at, one in enumerate(arrivals) if isinstance(one, DownloadsSlice)]
    cuts = [slices[len(slices) * number // pieces] for number in range(1, pieces)]
    return [arrivals[start:end] for start, end in pairwise([0, *cuts, len(arrivals)])]


def _named(model_id: str, name: str) -> str:
    org, _, model = model_id.partition("/")
    return f"{org}/{name}-{model}"
