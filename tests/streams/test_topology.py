"""Random histories through workers that are killed and added, compared with the oracle."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from breakout.contract import ModelRecord
from tests.oracle.batch import recompute
from tests.oracle.deliveries import make_delivery
from tests.oracle.histories import History, make_history
from tests.support.brokers import KAFKA_FIRST
from tests.support.pipeline import Pipeline, running_pipeline
from tests.support.views import view_differences
from tests.support.worker_kills import publish_under_kills, random_parts

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=KAFKA_FIRST)
def pipeline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path_factory.mktemp("topology"), request.param) as running:
        yield running


class Published:
    """Everything published so far, the input of the oracle."""

    def __init__(self) -> None:
        self.observations: list[Any] = []
        self.models: list[ModelRecord] = []

    def add(self, history: History, name: str) -> History:
        """Add a history under other model ids; returns it."""
        renamed = history.renamed(name)
        self.observations += renamed.observations
        self.models += renamed.models
        return renamed


@pytest.fixture(scope="module")
def published(pipeline: Pipeline) -> Published:
    """The events published to this pipeline."""
    return Published()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]
)
def test_views_equal_the_oracle_under_worker_kills(
    pipeline: Pipeline, published: Published, seed: int
) -> None:
    random = Random(seed)
    history = published.add(make_history(random, models=14, times=40), f"s{seed}")
    arrivals = make_delivery(random, history).arrivals
    publish_under_kills(pipeline, random, random_parts(random, arrivals))
    pipeline.wait_caught_up(120)
    assert view_differences(pipeline, recompute(published.observations, published.models)) == {}


def test_replay_from_the_start_changes_nothing(pipeline: Pipeline, published: Published) -> None:
    """A new consumer group reads every topic again over the same tables."""
    pipeline.replay()
    assert view_differences(pipeline, recompute(published.observations, published.models)) == {}
