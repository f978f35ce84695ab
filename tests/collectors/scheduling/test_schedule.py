"""A collector that runs for ever."""

import asyncio
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from breakout.contract import RunRecord
from breakout.kafka.topics import KafkaUnavailableError
from breakout.settings import Settings
from collectors.http.errors import SourceError
from collectors.publishing.rejected_rows import RejectedRows
from collectors.scheduling.cadence import DAY, HOUR, MONDAY, WEEK, Cadence
from collectors.scheduling.job import Job
from collectors.scheduling.outcome import Collected, Outcome
from collectors.scheduling.schedule import State, first_run, retry_wait, run_for_ever, wait_after
from tests.collectors.quick import until

NOW = datetime(2026, 8, 22, 11, tzinfo=UTC)


MOMENTS = st.floats(1.5e9, 2e9)
CADENCES = st.builds(Cadence, st.integers(1, 604_800), st.integers(0, 604_800))


@given(CADENCES, MOMENTS)
def test_a_source_is_due_once_a_period(cadence: Cadence, now: float) -> None:
    latest, following = cadence.latest_due(now), cadence.next_due(now)
    assert latest <= now < following
    assert following - latest == pytest.approx(cadence.period_seconds)
    whole = (latest - cadence.offset_seconds) / cadence.period_seconds
    assert whole == pytest.approx(round(whole), abs=1e-6)


def test_the_registry_is_due_on_mondays() -> None:
    due = Cadence(WEEK, MONDAY + 7 * HOUR).next_due(NOW.timestamp())
    assert datetime.fromtimestamp(due, UTC) == datetime(2026, 8, 24, 7, tzinfo=UTC)


def run_at(moment: datetime, *, complete: bool = True) -> RunRecord:
    return RunRecord(
        source="tick",
        observed_at=moment,
        complete_at=moment if complete else None,
        finished_at=moment,
        instance="there:1",
    )


DAILY = Cadence(DAY, 2 * HOUR)


@given(st.floats(0, 400 * DAY))
def test_a_restart_runs_nothing_that_was_run_and_catches_up_once(age: float) -> None:
    now = NOW.timestamp()
    moment = datetime.fromtimestamp(now - age, UTC)
    first = first_run(DAILY, run_at(moment), now)
    if moment.timestamp() >= DAILY.latest_due(now) + 1e-3:
        assert DAILY.next_due(now) <= first <= DAILY.next_due(now) + DAILY.jitter_seconds
    elif moment.timestamp() < DAILY.latest_due(now) - 1e-3:
        assert now <= first <= now + 5


def test_what_never_ran_runs_at_once() -> None:
    assert first_run(DAILY, None, NOW.timestamp()) == NOW.timestamp()


@given(st.integers(1, 10_000), st.floats(0.01, 604_800))
def test_retries_wait_twice_as_long_each_time_up_to_the_interval(
    failures: int, interval: float
) -> None:
    bound = min(interval, 5 * 2 ** min(failures - 1, 60))
    assert bound / 2 <= retry_wait(failures, interval) <= bound


@given(st.integers(1, 100), st.floats(0, 1e9))
def test_retry_waits_as_long_as_source_demands(failures: int, asked: float) -> None:
    error = SourceError("tick", "http://tick", 1, "spent", retry_after=asked)
    assert min(asked, DAY) <= wait_after(error, failures, DAY) <= DAY


class Tick(Job):
    """Runs as told; each run takes a few turns of the event loop."""

    name: ClassVar[str] = "tick"

    def __init__(self, errors: list[Exception | None]) -> None:
        super().__init__(Settings())
        self.errors = errors
        self.runs = self.under_way = self.most_at_once = 0

    @property
    def cadence(self) -> Cadence:
        return Cadence(0.02)

    async def collect(self, observed_at: datetime) -> Collected:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(0.03)
        self.under_way -= 1
        error = self.errors[self.runs] if self.runs < len(self.errors) else None
        self.runs += 1
        if error:
            raise error
        return Collected({"models": 1}, RejectedRows("tick", "tick"))

    async def run(self, observed_at: datetime | None = None) -> Outcome:
        return Outcome.of(self.name, NOW, await self.collect(NOW), 1)


async def run_until(job: Tick, runs: int) -> list[tuple[State, str | None]]:
    told: list[tuple[State, str | None]] = []

    async def on_state(state: State, error: str | None) -> None:
        told.append((state, error))

    async def on_run(outcome: Outcome) -> None:
        assert outcome.observed_at == NOW

    task = asyncio.create_task(run_for_ever(job, on_run=on_run, on_state=on_state))
    await until(lambda: job.runs >= runs)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return told


async def test_runs_follow_each_other_and_never_overlap() -> None:
    job = Tick([])
    told = await run_until(job, 4)
    assert job.most_at_once == 1
    assert told[:4] == [("running", None), ("idle", None)] * 2
    assert told[-1] == ("stopped", None)


async def test_a_failed_run_is_said_and_tried_again() -> None:
    job = Tick([KafkaUnavailableError("Kafka is unavailable"), ValueError("a surprise"), None])
    with capture_logs() as logs:
        told = await run_until(job, 3)
    assert told[:5] == [
        ("running", None),
        ("waiting", "KafkaUnavailableError: Kafka is unavailable"),
        ("running", None),
        ("waiting", "ValueError: a surprise"),
        ("running", None),
    ]
    failures = [entry for entry in logs if entry["event"] == "run failed, retrying"]
    # An expected failure says all in its message, a surprise needs its traceback.
    assert [entry["exc_info"] for entry in failures] == [False, True]


async def test_a_complete_run_is_remembered_by_the_job() -> None:
    job = Tick([])
    assert job.last_run is None
    await run_until(job, 2)
    assert job.last_run == NOW
