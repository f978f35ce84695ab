"""The processors' states compared with the batch oracle, in memory."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.batch import recompute
from tests.oracle.compare import differences
from tests.oracle.deliveries import Delivery, make_delivery
from tests.oracle.histories import make_history
from tests.oracle.strategies import deliveries
from tests.streams.memory import MemoryPipeline, deliver

COLUMNS = {
    "downloads_by_source_log": (
        "origin",
        "downloads_all_time",
        "downloads_30d",
        "likes",
        "state",
        "correction",
    ),
    "downloads_daily_by_source": ("cumulative", "downloads", "correction", "basis"),
    "points": ("cumulative", "capped"),
    "baselines": ("peers", "downloads", "as_of"),
    "breakouts": (
        "crossed_at",
        "age_days",
        "ram",
        "ended_at",
        "confirmed_at",
        "ram_capped",
        "top_day_share",
    ),
    "latest": ("observed_at", "cumulative"),
}


def check(delivery: Delivery, random: Random, *, crashes: bool) -> None:
    history = delivery.history
    pipeline = MemoryPipeline()
    deliver(pipeline, delivery.arrivals, random, crashes=crashes)
    expected = recompute(history.observations, history.models)
    actual = pipeline.tables()
    for name, columns in COLUMNS.items():
        rows = {
            key: {column: row[column] for column in columns}
            for key, row in getattr(expected, name).items()
            if name != "latest" or row["observed_at"] is not None
        }
        assert differences(rows, actual[name]) == [], name


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(delivery=deliveries(), random=st.builds(Random, st.integers(0, 2**32 - 1)))
def test_stream_equals_batch_in_any_order(delivery: Delivery, random: Random) -> None:
    check(delivery, random, crashes=False)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(delivery=deliveries(), random=st.builds(Random, st.integers(0, 2**32 - 1)))
def test_stream_equals_batch_after_crashes(delivery: Delivery, random: Random) -> None:
    check(delivery, random, crashes=True)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))]
)
def test_stream_equals_batch_on_long_histories(seed: int) -> None:
    random = Random(seed)
    history = make_history(random, models=40, times=150)
    check(make_delivery(random, history), random, crashes=bool(seed % 2))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_stream_equals_batch_on_thousands_of_histories() -> None:
    for seed in range(5_000):
        random = Random(seed)
        delivery = make_delivery(random, make_history(random))
        check(delivery, random, crashes=bool(seed % 2))
