"""A test rig: a pipeline whose connections to ClickHouse and the broker can be broken."""

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from breakout.contract import DownloadsSlice, Event, ModelRecord, read_event
from breakout.contract.topics import DOWNLOADS, MODELS
from tests.oracle.batch import recompute
from tests.oracle.deliveries import make_delivery
from tests.oracle.histories import make_history
from tests.oracle.inputs import FrozenRow, Observation, observations_of
from tests.support.broker_link import BrokerLink, running_linked_broker
from tests.support.clickhouse_proxy import ClickHouseProxy, running_clickhouse_proxy
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.kafka.cluster import KafkaCluster, running_cluster
from tests.support.pipeline import Pipeline, Worker
from tests.support.server_process import Broker
from tests.support.views import view_differences
from tests.support.waiting import wait_until

READER_PASSWORD = "a-password-for-readers"


class Rig(Pipeline):
    """Records what is published, and compares the views with the oracle after every fault."""

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
        """Environment variables of workers, which reach ClickHouse through the proxy."""
        return {
            **super().environment,
            "CLICKHOUSE_URL": f"{self.proxy.url}/{self.database}",
            "BREAKOUT_KAFKA_TIMEOUT_SECONDS": "10",
            # Longer than any insert of the tests.
            "BREAKOUT_INSERT_TIMEOUT_SECONDS": "90",
            **self._overrides,
        }

    def start_worker(self, **environment: str) -> Worker:
        """Start one more worker, with additional environment variables."""
        self._overrides = environment
        return super().start_worker()

    def caught_up_worker(self) -> Worker:
        """Return a running worker that has processed everything so far."""
        worker = next(iter(self.running_workers()), None) or self.start_worker()
        self.wait_caught_up(120)
        return worker

    def publish(self, events: Iterable[Event]) -> None:
        """Publish events, and add them to the input of the oracle."""
        events = list(events)
        self.observations += observations_of(
            event for event in events if isinstance(event, DownloadsSlice)
        )
        self.models += [event for event in events if isinstance(event, ModelRecord)]
        super().publish(events)

    def expect_topics(self) -> None:
        """Make the records in the topics, of any publisher, the input of the oracle."""
        slices = (read_event(DownloadsSlice, one.value) for one in self.consume(DOWNLOADS.name))
        self.observations = observations_of(slices)
        self.models = [read_event(ModelRecord, one.value) for one in self.consume(MODELS.name)]

    def repair(self) -> None:
        """Undo all faults."""
        self.proxy.open_all()

    def wait_for_log(self, worker: Worker, text: str) -> None:
        """Wait until the worker has logged a text."""
        wait_until(f"log {text!r}", lambda: text in worker.log.read_text(), seconds=120)

    def verify_with_restarts(self) -> None:
        """Verify the views; restart a worker that ended with an error, like a supervisor."""

        def caught_up() -> bool:
            if not self.running_workers():
                assert self.workers[-1].process.returncode != 0
                self.start_worker()
            return not any(self.lag().values())

        try:
            wait_until("workers catch up", caught_up, seconds=270)
        except TimeoutError:
            raise TimeoutError(self.lag_report()) from None
        self.verify()

    def verify(self) -> None:
        """Wait until all records are processed, and compare the views with the oracle."""
        if not self.running_workers():
            self.start_worker()
        self.wait_caught_up(120)
        expected = recompute(self.observations, self.models, frozen=self.frozen)
        found = view_differences(self, expected)
        assert not found, found


class LinkedRig(Rig):
    """A rig with one broker, which all clients reach through a link."""

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

    def repair(self) -> None:
        """Undo all faults."""
        super().repair()
        self.link.restore()


class ClusterRig(Rig):
    """A rig with three nodes of Apache Kafka and three replicas."""

    replication_factor = 3
    idempotent = True
    # Below the shortest timeout of the workers, so that an unresponsive node is abandoned.
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

    def repair(self) -> None:
        """Undo every fault: all nodes run."""
        super().repair()
        for broker in self.cluster.brokers.values():
            if not broker.is_running:
                broker.start()


@contextmanager
def running_rig(directory: Path, kind: str) -> Iterator[LinkedRig]:
    """Run a rig with new servers and no workers, on a broker of `BROKERS`."""
    with (
        running_linked_broker(directory / "broker", kind) as (broker, link),
        running_clickhouse(directory / "clickhouse", reader_password=READER_PASSWORD) as clickhouse,
        running_clickhouse_proxy(clickhouse.port) as proxy,
        contextlib.closing(LinkedRig(directory, broker, link, clickhouse, proxy)) as rig,
    ):
        yield rig


@contextmanager
def running_cluster_rig(directory: Path) -> Iterator[ClusterRig]:
    """Run a rig with new servers and no workers, on a cluster."""
    with (
        running_cluster(directory / "cluster") as cluster,
        running_clickhouse(directory / "clickhouse") as clickhouse,
        running_clickhouse_proxy(clickhouse.port) as proxy,
        contextlib.closing(ClusterRig(directory, cluster, clickhouse, proxy)) as rig,
    ):
        yield rig


def deliveries(seed: str, *, models: int = 12, times: int = 12, parts: int = 2) -> list[Any]:
    """Return the arrivals of a random history, in `parts`; each seed has its own models."""
    random = Random(seed)
    history = make_history(random, models=models, times=times).renamed(seed)
    arrivals = make_delivery(random, history).arrivals
    # Each part has its share of the slices, so that workers write downloads for each.
    slices = [at for at, one in enumerate(arrivals) if isinstance(one, DownloadsSlice)]
    cuts = [slices[len(slices) * number // parts] for number in range(1, parts)]
    return [arrivals[start:end] for start, end in pairwise([0, *cuts, len(arrivals)])]
