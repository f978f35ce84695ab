"""Seconds from publishing a late observation that changes a baseline until all RAM reflects it.

Models of a size bin have daily observations. A late observation, half way, then says that a peer
had the downloads of a day twelve hours earlier: the baseline at the end of that UTC day changes,
and with it the RAM of all models of the bin at that age.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta

from bench.figures import Figure
from bench.measured_pipeline import (
    measured_pipeline,
    rows_of,
    start_worker,
    wait_observations,
)
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import BINS, Workload
from breakout.contract import DownloadsSlice
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_until

NAME = "restating"
PEER = 4
"""The fifth of the top ten, of which the baseline is the median."""
_SECONDS = 120.0


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the median over size bins."""
    size = sizes.restating
    workload = Workload(size.models)
    report("daily observations")
    with measured_pipeline() as pipeline:
        process = start_worker(pipeline)
        pipeline.publish(workload.registry(size.models))
        pipeline.wait_caught_up(_SECONDS)
        last = size.days * 24
        publish(pipeline.bootstrap, workload.slices(0, last, step=24))
        wait_observations(pipeline, process, size.models * (size.days + 1), _SECONDS)
        pipeline.wait_caught_up(_SECONDS)
        took, restated = [], 0
        for number, size_bin in enumerate(BINS[: size.bins]):
            report(f"size bin {size_bin}")
            own = range(number, size.models, len(BINS))
            seconds, rows = late(pipeline, workload, size_bin, own, size.days // 2)
            took.append(seconds)
            restated += rows
    each = ", ".join(f"{one:.2f}" for one in took)
    note = f"median of {each}; {restated // len(took):,} RAM rows restated each"
    yield Figure(NAME, "a late observation changes a baseline", statistics.median(took), "s", note)


def late(
    pipeline: Pipeline, workload: Workload, size_bin: str, own: Sequence[int], day: int
) -> tuple[float, int]:
    """Publish a late total of a peer; return the seconds and the number of RAM rows restated.

    `own` are the places of the size bin's models.
    """
    totals, next_totals = (workload.counters(24 * one) for one in (day, day + 1))
    peer = sorted(own, key=lambda index: -totals[index])[PEER]
    # Scrapes are at 06:00 UTC, so the day ends between this observation and the next scrape.
    event = DownloadsSlice(
        source="huggingface",
        scrape_id=f"late-{size_bin}",
        observed_at=workload.time_of(24 * day) + timedelta(hours=12),
        models=[workload.ids[peer]],
        downloads_all_time=[int(next_totals[peer])],
        downloads_30d=[None],
        likes=[None],
    )
    age = f"baseline = 'live' AND size_bin = '{size_bin}' AND age_days = {day + 1}"
    query = f"SELECT baseline_downloads, count() FROM ram WHERE {age} GROUP BY ALL"
    ((before, models),) = rows_of(pipeline, query)
    with closing(pipeline.client()) as client:

        def is_restated() -> bool:
            ((now, count),) = client.query(query).result_rows
            return bool(now != before and count == models)

        started = time.perf_counter()
        pipeline.publish([event])
        wait_until("RAM is restated", is_restated, seconds=_SECONDS)
        return time.perf_counter() - started, int(models)
