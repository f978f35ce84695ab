"""Seconds from a worker's start until it has written its first row, its state being large."""

import time
from collections.abc import Callable, Iterator

from bench.figures import Aim, Figure
from bench.ours import ask, our_pipeline, start_worker, wait_rows, write_history
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import Workload

NAME = "recovery"
AIMS = {100_000: Aim(5, at_least=False)}
_SECONDS = 120.0


def figures(sizes: Sizes, say: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the seconds at each number of models."""
    size = sizes.recovery
    for models in size.models:
        say(f"{models:,} models")
        hours = max(1, size.history // models)
        workload = Workload(models)
        with our_pipeline() as pipeline:
            write_history(pipeline, models, hours)
            process = start_worker(pipeline)
            pipeline.publish(workload.registry(min(size.scored, models)))
            publish(pipeline.bootstrap, workload.slices(0, 0))
            there = models * (hours + 1)
            wait_rows(pipeline, process, there, _SECONDS)
            pipeline.wait_caught_up(_SECONDS)
            pipeline.workers[-1].stop()
            publish(pipeline.bootstrap, workload.slices(1, 1))
            started = time.perf_counter()
            process = start_worker(pipeline)
            wait_rows(pipeline, process, there + 1, _SECONDS)
            took = time.perf_counter() - started
            (rows,) = ask(pipeline, "SELECT count() FROM downloads_log")[0]
        note = f"a history of {models * hours:,} observations; {rows - there:,} rows at once"
        name = f"to the first row, {models:,} models"
        yield Figure(NAME, name, took, "s", note, AIMS.get(models))
