"""Random histories of tokens, names, leaderboards and derivatives through the real topology."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from breakout.contract import Event
from tests.oracle.signals import KEYS, make_signals, recompute
from tests.pipeline import Pipeline, running_pipeline
from tests.streams.views import differing

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))]
)
def test_views_equal_the_oracle_whatever_happens_to_workers(pipeline: Pipeline, seed: int) -> None:
    random = Random(seed)
    events = make_signals(random)
    told = events + random.choices(events, k=len(events) // 4)
    random.shuffle(told)
    for piece in _pieces(random, told):
        pipeline.publish(piece)
        alive = [worker for worker in pipeline.workers if worker.process.poll() is None]
        if len(alive) < random.choice((1, 2)):
            pipeline.start_worker()
        elif random.random() < 0.5:
            # At any moment: within a batch as well as before or after its insert.
            time.sleep(random.random())
            random.choice(alive).kill()
    if all(worker.process.poll() is not None for worker in pipeline.workers):
        pipeline.start_worker()
    pipeline.wait_caught_up(120)
    expected = recompute(events)
    # Nothing is equal only because it is empty.
    assert seed > 1 or all(expected.values())
    assert differing(pipeline, KEYS, expected) == {}
    _stop_all(pipeline)
    pipeline.group = "replay"
    pipeline.start_worker()
    pipeline.wait_caught_up(120)
    assert differing(pipeline, KEYS, expected) == {}


def _stop_all(pipeline: Pipeline) -> None:
    for worker in pipeline.workers:
        if worker.process.poll() is None:
            worker.stop()


def _pieces(random: Random, events: list[Event]) -> Iterator[list[Event]]:
    start = 0
    while start < len(events):
        end = start + random.randint(1, max(len(events) // 3, 1))
        yield events[start:end]
        start = end
