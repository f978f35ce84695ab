"""Seconds from a worker's start with a large state until it has written its first row."""

import time
from collections.abc import Callable, Iterator

from bench.figures import Figure, Target
from bench.measured_pipeline import (
    measured_pipeline,
    rows_of,
    start_worker,
    wait_observations,
    write_history,
)
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import Workload

NAME = "recovery"
TARGETS = {100_000: Target(5, at_least=False)}
_SECONDS = 120.0


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the seconds at each number of models."""
    size = sizes.recovery
    for models in size.models:
        report(f"{models:,} models")
        hours = max(1, size.history // models)
        workload = Workload(models)
        with measured_pipeline() as pipeline:
            write_history(pipeline, models, hours)
            process = start_worker(pipeline)
            pipeline.publish(workload.registry(min(size.with_points, models)))
            publish(pipeline.bootstrap, workload.slices(0, 0))
            wait_observations(pipeline, process, models, _SECONDS)
            pipeline.wait_caught_up(_SECONDS)
            pipeline.workers[-1].stop()
            publish(pipeline.bootstrap, workload.slices(1, 1))
            started = time.perf_counter()
            process = start_worker(pipeline)
            wait_observations(pipeline, process, models + 1, _SECONDS)
            took = time.perf_counter() - started
            (rows,) = rows_of(pipeline, "SELECT sum(models) FROM scrapes_log FINAL")[0]
        note = f"a history of {models * hours:,} observations; {rows - models:,} rows written first"
        name = f"to the first row, {models:,} models"
        yield Figure(NAME, name, took, "s", note, TARGETS.get(models))
