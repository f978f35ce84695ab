"""Random histories of tokens, names, ratings and derivatives through workers that are killed."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.oracle.other_signals import KEYS, make_signals, recompute
from tests.support.brokers import KAFKA_FIRST
from tests.support.pipeline import Pipeline, running_pipeline
from tests.support.views import differences_by_view
from tests.support.worker_kills import publish_under_kills, random_parts

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(params=KAFKA_FIRST)
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path, request.param) as running:
        yield running


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))]
)
@pytest.mark.slow
def test_views_equal_the_oracle_under_worker_kills(pipeline: Pipeline, seed: int) -> None:
    random = Random(seed)
    events = make_signals(random)
    published = events + random.choices(events, k=len(events) // 4)
    random.shuffle(published)
    publish_under_kills(pipeline, random, random_parts(random, published))
    pipeline.wait_caught_up(120)
    expected = recompute(events)
    # The expected views are not empty.
    assert seed > 1 or all(expected.values())
    assert differences_by_view(pipeline, KEYS, expected) == {}
    pipeline.replay()
    assert differences_by_view(pipeline, KEYS, expected) == {}
