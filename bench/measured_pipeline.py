"""Breakout's pipeline under measurement, with the defaults of a release."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
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


def wait_observations(
    pipeline: Pipeline, process: MeasuredProcess, published: int, seconds: float
) -> None:
    """Wait until so many observations are queryable; raises `RuntimeError` if the worker dies.

    Slices are counted, which are written last: `downloads_log` has restated observations twice.
    """
    with closing(pipeline.client()) as client:

        def are_inserted() -> bool:
            process.check()
            result = client.query("SELECT sum(models) FROM scrapes_log FINAL")
            return int(result.result_rows[0][0]) >= published

        wait_until(f"{published:,} observations", are_inserted, seconds=seconds)


def write_history(pipeline: Pipeline, models: int, hours: int) -> None:
    """Insert hourly observations before `START` and their days directly, as a worker would.

    Counters stay below those of any scrape of `bench.workload`.
    """
    begin = f"toDateTime64('{START - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}', 3, 'UTC')"
    model = "concat('org-', toString(m % 100), '/model-', toString(m))"
    observations = f"""
INSERT INTO downloads_log (model_id, observed_at, source, origin, downloads_all_time,
    downloads_30d, likes, state, opening, version)
SELECT {model}, at, 'huggingface', 'live', 1 + intDiv(h * 900, {hours}) AS total, 1, 1,
    multiIf(h = 0, 'first', total > 1 + intDiv((h - 1) * 900, {hours}), 'rise', 'between') AS state,
    if(state != 'between' AND midnight >= 0, toUInt64(1 + intDiv(midnight * 900, {hours})), NULL),
    h + 1
FROM
(
    SELECT number % {models} AS m, {{first}} + intDiv(number, {models}) AS h,
        {begin} + toIntervalHour(h) AS at, toInt64(h) - toHour(at) AS midnight
    FROM numbers({{rows}})
)"""
    days = f"""
INSERT INTO daily_log (model_id, source, day, cumulative, downloads, correction, basis, known_at,
    withdrawn, version)
WITH (midnight -> toUInt64(1 + intDiv(midnight * 900, {hours}))) AS counter
SELECT {model}, 'huggingface', toDate({begin}) + d, counter(midnight),
    if(d = 0, NULL, counter(midnight) - counter(midnight - 24)), 0, 'observed',
    toDateTime64(toDate({begin}) + d + 1, 3, 'UTC'), 0, midnight + 1
FROM
(
    SELECT number % {models} AS m, intDiv(number, {models}) AS d,
        24 * (d + 1) - toHour({begin}) AS midnight
    FROM numbers({models} * (toDate({begin} + toIntervalHour({hours} - 1)) - toDate({begin})))
)"""
    step = max(1, 1_000_000 // models)
    with closing(pipeline.client()) as client:
        for first in range(0, hours, step):
            rows = models * min(step, hours - first)
            client.command(observations.format(first=first, rows=rows))
        if hours:
            client.command(days)
