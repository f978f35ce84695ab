"""Random histories through the real topology, workers killed and added, against the oracle."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from breakout.contract import ModelRecord
from tests.oracle.batch import recompute
from tests.oracle.deliveries import make_delivery
from tests.oracle.histories import History, make_history
from tests.streams.turmoil import pieces_of, publish_in_turmoil
from tests.streams.views import view_differences
from tests.support.brokers import KAFKA_FIRST
from tests.support.pipeline import Pipeline, running_pipeline

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=KAFKA_FIRST)
def pipeline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    with running_pipeline(tmp_path_factory.mktemp("topology"), request.param) as running:
        yield running


class Published:
    """Everything published so far: the oracle judges it all together."""

    def __init__(self) -> None:
        self.observations: list[Any] = []
        self.models: list[ModelRecord] = []

    def add(self, history: History, name: str) -> History:
        """Add a history whose models get names of their own."""
        own = History(
            observations=[
                replace(one, model_id=_named(one.model_id, name)) for one in history.observations
            ],
            models=[
                one.model_copy(update={"model_id": _named(one.model_id, name)})
                for one in history.models
            ],
        )
        self.observations += own.observations
        self.models += own.models
        return own


def _named(model_id: str, name: str) -> str:
    org, _, model = model_id.partition("/")
    return f"{org}/{name}-{model}"


@pytest.fixture(scope="module")
def published(pipeline: Pipeline) -> Published:
    """What this pipeline was told."""
    return Published()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]
)
def test_views_equal_the_oracle_whatever_happens_to_workers(
    pipeline: Pipeline, published: Published, seed: int
) -> None:
    random = Random(seed)
    history = published.add(make_history(random, models=14, moments=40), f"s{seed}")
    arrivals = make_delivery(random, history).arrivals
    publish_in_turmoil(pipeline, random, pieces_of(random, arrivals))
    pipeline.wait_caught_up(120)
    assert view_differences(pipeline, recompute(published.observations, published.models)) == {}


def test_replay_from_the_beginning_changes_nothing(
    pipeline: Pipeline, published: Published
) -> None:
    """A new consumer group reads every topic again over the same tables."""
    for worker in pipeline.workers:
        if worker.process.poll() is None:
            worker.stop()
    pipeline.group = "replay"
    pipeline.start_worker()
    pipeline.wait_caught_up(120)
    assert view_differences(pipeline, recompute(published.observations, published.models)) == {}
