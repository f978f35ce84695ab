"""Seconds from publishing a late observation that changes a baseline until all RAM reflects it.

Models of a size bin have daily observations. A late observation then gives a model outside the top
ten more downloads than any other, half way: the baseline of every later age changes, and with it
the RAM of all models of the bin at these ages.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

from bench.figures import Figure
from bench.measured_pipeline import measured_pipeline, rows_of, start_worker, wait_rows
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import BINS, Workload
from breakout.contract import DownloadsSlice
from tests.support.pipeline import Pipeline
from tests.support.waiting import wait_until

NAME = "restating"
RANK = 14
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
        wait_rows(pipeline, process, size.models * (size.days + 1), _SECONDS)
        pipeline.wait_caught_up(_SECONDS)
        took, restated = [], 0
        for number, size_bin in enumerate(BINS[: size.bins]):
            report(f"size bin {size_bin}")
            own = range(number, size.models, len(BINS))
            totals = workload.counters(last)
            ranked = sorted(own, key=lambda index: -totals[index])
            model_id, highest = workload.ids[ranked[RANK]], int(totals[ranked[0]])
            seconds, rows = late(
                pipeline, workload, size_bin, model_id, 2 * highest, size.days // 2
            )
            took.append(seconds)
            restated += rows
    each = ", ".join(f"{one:.2f}" for one in took)
    note = f"median of {each}; {restated // len(took):,} RAM rows restated each"
    yield Figure(NAME, "a late observation changes a baseline", statistics.median(took), "s", note)


def late(
    pipeline: Pipeline, workload: Workload, size_bin: str, model_id: str, total: int, day: int
) -> tuple[float, int]:
    """Publish a late total of a model; return the seconds and the number of RAM rows restated."""
    later = f"baseline = 'live' AND size_bin = '{size_bin}' AND age_days > {day}"
    query = f"SELECT age_days, baseline_downloads, count() FROM ram WHERE {later} GROUP BY ALL"
    before = {(age, downloads) for age, downloads, _ in rows_of(pipeline, query)}
    if not before:
        raise RuntimeError(f"no RAM in size bin {size_bin} after day {day}")
    event = DownloadsSlice(
        source="huggingface",
        scrape_id=f"late-{size_bin}",
        observed_at=workload.time_of(day * 24) + timedelta(hours=1),
        models=[model_id],
        downloads_all_time=[total],
        downloads_30d=[None],
        likes=[None],
    )
    with closing(pipeline.client()) as client:

        def restated() -> int:
            rows = [tuple(row) for row in client.query(query).result_rows]
            ages = {age for age, *_ in rows}
            old = [row for row in rows if row[:2] in before]
            return 0 if old or len(ages) < len(before) else sum(row[2] for row in rows)

        started = time.perf_counter()
        pipeline.publish([event])
        count = wait_until("RAM is restated", restated, seconds=_SECONDS)
        return time.perf_counter() - started, int(count)
