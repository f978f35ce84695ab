"""Breakout's pipeline under measurement, with the defaults of a release."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.broker import KIND
from bench.processes import MeasuredProcess
from bench.workload import START
from tests.support.pipeline import Pipeline, running_pipeline
from tests.support.waiting import wait_until

DEFAULTS = {"BREAKOUT_BATCH_SECONDS": "0.5"}
"""Defaults that the tests' pipeline overrides."""


@contextmanager
def measured_pipeline() -> Iterator[Pipeline]:
    """Run new servers with the schema, and no worker."""
    with (
        tempfile.TemporaryDirectory(prefix="breakout-bench-") as directory,
        running_pipeline(Path(directory), KIND, **DEFAULTS) as pipeline,
    ):
        yield pipeline


def start_worker(pipeline: Pipeline) -> MeasuredProcess:
    """Start one more worker."""
    worker = pipeline.start_worker()
    return MeasuredProcess(worker.process, worker.log)


def rows_of(pipeline: Pipeline, sql: str) -> list[tuple[Any, ...]]:
    """Return a query's rows."""
    with closing(pipeline.client()) as client:
        return [tuple(row) for row in client.query(sql).result_rows]


def wait_rows(pipeline: Pipeline, process: MeasuredProcess, rows: int, seconds: float) -> None:
    """Wait until `downloads_log` has so many rows; raises `RuntimeError` if the worker dies."""
    with closing(pipeline.client()) as client:

        def are_inserted() -> bool:
            process.check()
            result = client.query("SELECT count() FROM downloads_log")
            return int(result.result_rows[0][0]) >= rows

        wait_until(f"{rows:,} rows", are_inserted, seconds=seconds)


def write_history(pipeline: Pipeline, models: int, hours: int) -> None:
    """Insert hourly observations before `START` directly into the table, as a worker would.

    Counters stay below those of any scrape of `bench.workload`.
    """
    statement = f"""
INSERT INTO downloads_log (model_id, observed_at, source, origin, downloads_all_time,
    downloads_30d, likes, state, version)
SELECT concat('org-', toString(m % 100), '/model-', toString(m)),
    toDateTime64('{START:%Y-%m-%d %H:%M:%S}', 3, 'UTC') - toIntervalHour({hours} - h),
    'huggingface', 'live', 1 + intDiv(h * 900, {hours}) AS total, 1, 1,
    multiIf(h = 0, 'first', total > 1 + intDiv((h - 1) * 900, {hours}), 'rise', 'between'), h + 1
FROM
(
    SELECT number % {models} AS m, {{first}} + intDiv(number, {models}) AS h
    FROM numbers({{rows}})
)"""
    step = max(1, 1_000_000 // models)
    with closing(pipeline.client()) as client:
        for first in range(0, hours, step):
            rows = models * min(step, hours - first)
            client.command(statement.format(first=first, rows=rows))
