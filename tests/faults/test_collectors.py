"""Two schedulers of one source die and are paused: every scrape is complete and counts once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from breakout.contract import DownloadsSlice, read_event
from breakout.contract.topics import DOWNLOADS
from breakout.simulation import Catalog, SimulatedClock
from tests.support.faulty_hub.faults import Stalled
from tests.support.faulty_hub.hub import FaultyHub
from tests.support.pipeline import REPOSITORY
from tests.support.rig import LinkedRig, Rig
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.timeout(300)]

MODELS = [f"scheduled/model-{size}B" for size in range(1, 25)]
ELECTED = "elected leader"
LOST = "lost the leader lease"


@contextmanager
def running_hub() -> Iterator[FaultyHub]:
    """A simulated Hub in a thread, its counters growing by a day a second."""
    now = datetime.now(UTC)
    hub = FaultyHub(
        Catalog.of(MODELS, created_at=now - timedelta(days=40)),
        clock=SimulatedClock(now, speed=86400),
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(hub.__aenter__(), loop).result(30)
    try:
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(hub.__aexit__(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Collector:
    """A process that collects a source, over and over or once."""

    def __init__(self, rig: Rig, hub: FaultyHub, log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "breakout", "collect", *arguments],
                cwd=REPOSITORY,
                env={
                    **os.environ,
                    **rig.environment,
                    "HF_ENDPOINT": hub.url,
                    "TRACKED_MODELS_URL": hub.tracked_models_url,
                    "BREAKOUT_SCRAPE_SECONDS": "1",
                    # Other tests of this rig have tracked models that this hub's list lacks.
                    "BREAKOUT_WITHDRAW_LIMIT": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def elections(self) -> int:
        """How often it became the leader."""
        return self.log.read_text().count(ELECTED)

    @property
    def leads(self) -> bool:
        """Whether it is the leader, as far as it knows."""
        return self.elections > self.log.read_text().count(LOST)


def scrapes(rig: Rig) -> Counter[str]:
    """Return how many of these models each scrape in the topic has."""
    pieces = [read_event(DownloadsSlice, one.value) for one in rig.consume(DOWNLOADS.name)]
    return Counter(
        piece.scrape_id for piece in pieces for one in piece.models if one.startswith("scheduled/")
    )


def wait_for_more_scrapes(rig: Rig) -> None:
    known = len(scrapes(rig))
    wait_until("more scrapes", lambda: len(scrapes(rig)) >= known + 2, seconds=90)


def test_leader_that_stops_or_dies_is_replaced(rig: Rig, tmp_path: Path) -> None:
    rig.caught_up_worker()
    collectors: list[Collector] = []

    def collector() -> Collector:
        log = tmp_path / f"collector-{len(collectors)}.log"
        collectors.append(Collector(rig, hub, log, "huggingface"))
        return collectors[-1]

    def some_more_scrapes() -> None:
        wait_for_more_scrapes(rig)

    with running_hub() as hub:
        registry = Collector(rig, hub, tmp_path / "registry.log", "registry", "--once")
        assert registry.process.wait(60) == 0, registry.log.read_text()
        try:
            first = collector()
            some_more_scrapes()
            second = collector()
            some_more_scrapes()
            # A rebalance may give the lease to the one that joined.
            wait_until("one leads", lambda: first.leads != second.leads, seconds=90)
            first, second = (first, second) if first.leads else (second, first)
            before = second.elections

            # The leader is paused: the other takes over, and the paused one finds out.
            first.process.send_signal(signal.SIGSTOP)
            wait_until("the other takes over", lambda: second.elections > before, seconds=90)
            some_more_scrapes()
            first.process.send_signal(signal.SIGCONT)
            some_more_scrapes()
            wait_until("one leads", lambda: first.leads != second.leads, seconds=90)
            first, second = (first, second) if second.leads else (second, first)

            # The one that works dies in the middle of a scrape.
            hub.faults.add(Stalled(match="/api/models", after=1))
            stalled = len(hub.requests)
            wait_until("a scrape is stuck", lambda: len(hub.requests) > stalled + 1)
            before = first.elections
            second.process.kill()
            hub.faults.clear()
            some_more_scrapes()
            assert first.elections > before

            # Both die, and a third goes on.
            first.process.kill()
            collector()
            some_more_scrapes()
        finally:
            for one in collectors:
                one.process.kill()
                one.process.wait(10)
    # A scrape that a killed process left unfinished is there in part; none counts a model twice.
    found = scrapes(rig)
    assert sum(models == len(MODELS) for models in found.values()) >= 10
    assert all(models <= len(MODELS) for models in found.values()), found
    rig.expect_topics()
    rig.verify()


@pytest.mark.slow
def test_collector_survives_broker_pause_of_a_minute(rig: LinkedRig, tmp_path: Path) -> None:
    """Longer than any of its clients waits for an answer: what they had to publish comes after."""
    worker = rig.caught_up_worker()
    with running_hub() as hub:
        registry = Collector(rig, hub, tmp_path / "registry.log", "registry", "--once")
        assert registry.process.wait(60) == 0, registry.log.read_text()
        collector = Collector(rig, hub, tmp_path / "collector.log", "huggingface")
        try:
            wait_for_more_scrapes(rig)
            rig.broker.pause()
            try:
                over = time.monotonic() + 61
                wait_until("the minute is over", lambda: time.monotonic() > over, seconds=90)
            finally:
                rig.broker.resume()
            wait_for_more_scrapes(rig)
            assert collector.process.poll() is None, collector.log.read_text()
        finally:
            collector.process.kill()
            collector.process.wait(10)
    rig.expect_topics()
    rig.verify()
    assert worker.is_running
