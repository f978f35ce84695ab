"""Random histories of tokens, names, leaderboards and derivatives through the real topology."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.oracle.signals import KEYS, make_signals, recompute
from tests.streams.turmoil import pieces_of, publish_in_turmoil
from tests.streams.views import differing
from tests.support.brokers import KAFKA_FIRST
from tests.support.pipeline import Pipeline, running_pipeline

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(params=KAFKA_FIRST)
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path, request.param) as running:
        yield running


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))]
)
def test_views_equal_the_oracle_whatever_happens_to_workers(pipeline: Pipeline, seed: int) -> None:
    random = Random(seed)
    events = make_signals(random)
    told = events + random.choices(events, k=len(events) // 4)
    random.shuffle(told)
    publish_in_turmoil(pipeline, random, pieces_of(random, told))
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
