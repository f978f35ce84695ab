"""Several instances of one collector: one at a time, and another when it dies."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ConsumerStoppedError

from breakout import tasks
from breakout.contract import RunRecord
from breakout.contract.topics import RUNS, partition_of
from breakout.kafka import clients
from breakout.settings import Settings
from collectors.publishing.rejected_rows import RejectedRows
from collectors.scheduling import leader_lease
from collectors.scheduling.cadence import Cadence
from collectors.scheduling.job import Job
from collectors.scheduling.leader_lease import LeaderLease, run_as_leader
from collectors.scheduling.outcome import Collected, Outcome
from collectors.scheduling.schedule import State
from tests.collectors.quick import until
from tests.collectors.records import PARTITIONS, read_events
from tests.support.server_process import Broker

# aiokafka leaves a connection open that a consumer is making when it is stopped while it joins.
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def forgotten_connections() -> Iterator[None]:
    """Let what aiokafka left open be found here, not in whatever test comes next."""
    yield
    gc.collect()


class Ticks(Job):
    """Runs often, and says when two instances run at once."""

    name: ClassVar[str] = "ticks"
    under_way: ClassVar[int] = 0
    most_at_once: ClassVar[int] = 0

    def __init__(self, settings: Settings, period: float = 0.1, seconds: float = 0.05) -> None:
        super().__init__(settings)
        self.period, self.seconds = period, seconds
        self.runs = self.cancelled = 0
        self.states: list[State] = []

    @property
    def cadence(self) -> Cadence:
        return Cadence(self.period)

    async def run(self, observed_at: datetime | None = None) -> Outcome:
        now = observed_at or datetime.now(UTC)
        return Outcome.of(self.name, now, await self.collect(now), 1)

    async def collect(self, observed_at: datetime) -> Collected:
        Ticks.under_way += 1
        Ticks.most_at_once = max(Ticks.most_at_once, Ticks.under_way)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            Ticks.under_way -= 1
        self.runs += 1
        return Collected({"ticks": 1}, RejectedRows("ticks", "ticks"))

    async def tell(self, state: State, _error: str | None) -> None:
        self.states.append(state)


@pytest.fixture
def settings(broker: Broker) -> Settings:
    Ticks.under_way = Ticks.most_at_once = 0
    return Settings(kafka_bootstrap_servers=broker.bootstrap, partitions=PARTITIONS)


@asynccontextmanager
async def instance(job: Ticks) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(run_as_leader(job, on_state=job.tell))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_told_to_stop_while_it_leaves_its_turn_it_stops(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[LeaderLease] = []

    class ObservedLease(LeaderLease):
        def __init__(self, settings: Settings, source: str) -> None:
            super().__init__(settings, source)
            seen.append(self)

    class ToldToStop(Ticks):
        async def tell(self, state: State, error: str | None) -> None:
            await super().tell(state, error)
            if state == "stopped":
                running.cancel()

    monkeypatch.setattr(leader_lease, "LeaderLease", ObservedLease)
    job = ToldToStop(settings)
    async with instance(job) as running:
        await until(lambda: job.runs >= 1, 120)
        seen[0].lost.set()
        await until(running.done, 120)
    assert len(seen) == 1


@pytest.mark.parametrize("steps", range(4))
@pytest.mark.parametrize(
    ("client", "method"), [(AIOKafkaConsumer, "stop"), (AIOKafkaAdminClient, "close")]
)
async def test_told_to_stop_while_a_client_stops_it_stops(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, client: Any, method: str, steps: int
) -> None:
    """aiokafka suppresses the cancellation of who awaits a client's end, in some of its steps."""
    stop = getattr(client, method)
    stopping: list[asyncio.Task[None]] = []

    async def cancel() -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()

    async def stop_meanwhile(self: Any) -> None:
        if not stopping:
            stopping.append(asyncio.create_task(cancel()))
        await stop(self)

    monkeypatch.setattr(client, method, stop_meanwhile)
    job = Ticks(settings)
    async with instance(job) as running:
        await until(lambda: bool(stopping), 120)
        await until(running.done, 120)
    assert job.runs == 0


class StubbornConsumer:
    """A member of a group that ignores all cancellations, of its calls and of its end."""

    made: ClassVar[list["StubbornConsumer"]] = []

    def __init__(self, **_options: Any) -> None:
        self.may_end = asyncio.Event()
        self.under_way = 0
        self.made.append(self)

    async def start(self) -> None:
        pass

    def subscribe(self, topics: list[str], listener: LeaderLease) -> None:
        pass

    async def getmany(self, *, timeout_ms: int) -> dict[Any, Any]:
        await self._endless()
        raise ConsumerStoppedError

    async def stop(self) -> None:
        await self._endless()

    async def _endless(self) -> None:
        self.under_way += 1
        while not self.may_end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.may_end.wait()
        self.under_way -= 1


async def test_instance_stops_although_its_consumer_does_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(leader_lease, "AIOKafkaConsumer", StubbornConsumer)
    monkeypatch.setattr(tasks, "END_SECONDS", 0.05)
    monkeypatch.setattr(tasks, "SECOND_SECONDS", 0.05)
    monkeypatch.setattr(clients, "STOP_SECONDS", 0.05)
    job = Ticks(settings)
    async with instance(job) as running:
        await until(lambda: "standby" in job.states, 120)
        consumer = StubbornConsumer.made.pop()
        await until(lambda: consumer.under_way == 1)
        running.cancel()
        await until(running.done, 120)
    assert running.cancelled()
    assert consumer.under_way == 2
    assert "ignores its cancellation" in caplog.text
    consumer.may_end.set()
    await until(lambda: consumer.under_way == 0)


async def test_of_two_instances_one_runs(settings: Settings) -> None:
    one, other = Ticks(settings), Ticks(settings)
    async with instance(one), instance(other):
        await until(lambda: "standby" in one.states and "standby" in other.states, 30)
        await until(lambda: one.runs + other.runs >= 10, 120)
    assert Ticks.most_at_once == 1


async def test_another_takes_over_from_one_that_ends(settings: Settings) -> None:
    one, other = Ticks(settings), Ticks(settings)
    async with instance(one) as first:
        await until(lambda: one.runs >= 2, 120)
        async with instance(other):
            await until(lambda: "standby" in other.states, 120)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await until(lambda: other.runs >= 2, 120)
    assert Ticks.most_at_once == 1


async def test_a_run_is_remembered_for_who_takes_over(broker: Broker, settings: Settings) -> None:
    one = Ticks(settings, period=3600)
    async with instance(one):
        await until(lambda: "idle" in one.states, 120)
    records = await read_events(broker.bootstrap, RUNS, RunRecord)
    assert [record.source for record in records] == ["ticks"]
    other = Ticks(settings, period=3600)
    async with instance(other), LeaderLease(settings, "somebody else"):
        # It is the leader, and finds no missed run.
        await until(lambda: other.last_run == records[0].observed_at, 120)
        assert other.runs == 0


async def test_a_missed_run_is_caught_up_once(settings: Settings) -> None:
    async with LeaderLease(settings, "ticks") as lease:
        await lease.acquired.wait()
        long_ago = datetime.now(UTC) - timedelta(days=9)
        await lease.record(Outcome("ticks", long_ago, {}, 0))
    one = Ticks(settings, period=86_400)
    async with instance(one):
        await until(lambda: "idle" in one.states, 120)
        assert one.runs == 1


async def test_the_latest_run_counts_and_the_latest_complete_one(settings: Settings) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    async with LeaderLease(settings, "ticks") as lease:
        await lease.acquired.wait()
        assert await lease.last_run() is None
        await lease.record(Outcome("ticks", first, {}, 0))
        second = first + timedelta(hours=1)
        await lease.record(Outcome("ticks", second, {}, 0, missing={"a": "away"}))
    async with LeaderLease(settings, "ticks") as lease:
        await lease.acquired.wait()
        last = await lease.last_run()
    assert last is not None
    assert (last.observed_at, last.complete_at) == (second, first)


async def test_a_run_ends_when_the_turn_is_lost(settings: Settings) -> None:
    """The group rebalances when another joins; who loses the partition stops in its run."""
    jobs = [Ticks(settings, period=0.1, seconds=30)]
    async with instance(jobs[0]):
        await until(lambda: Ticks.under_way == 1, 120)
        jobs += [Ticks(settings, period=0.1, seconds=30) for _ in range(3)]
        async with instance(jobs[1]), instance(jobs[2]), instance(jobs[3]):
            await until(lambda: all("standby" in job.states for job in jobs), 120)
            await until(lambda: Ticks.under_way == 1, 120)
    assert Ticks.most_at_once == 1


async def test_tombstone_forgets_the_latest_run_of_its_source(
    broker: Broker, settings: Settings
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    async with LeaderLease(settings, "ticks") as lease:
        await lease.acquired.wait()
        await lease.record(Outcome("ticks", datetime.now(UTC), {}, 0))
        await producer.start()
        partition = partition_of("ticks", PARTITIONS)
        try:
            await producer.send_and_wait(RUNS.name, None, key=b"other", partition=partition)
            assert await lease.last_run() is not None
            await producer.send_and_wait(RUNS.name, None, key=b"ticks", partition=partition)
            assert await lease.last_run() is None
        finally:
            await producer.stop()
