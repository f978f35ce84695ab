"""Observations per second from topic to queryable rows, beside inserting the same rows alone.

`python -m bench.throughput` runs everything on this machine with the embedded servers: one worker
reads slices of scrapes from Kafka, and then the rows it made are inserted into an equal table by
clickhouse-connect alone, in batches of the same size, in the same run. It prints both rates, their
ratio, and the worker's peak memory.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from breakout.contract import DownloadsSlice, ModelRecord
from tests.pipeline import Pipeline, running_pipeline
from tests.waiting import wait_until

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
BINS = ("<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+")
SLICE_MODELS = 60_000
"""Over four partitions, as many models a record as the publisher puts into one."""


def scrapes(models: int, number: int, *, first: int = 1) -> Iterator[DownloadsSlice]:
    """Yield slices of daily scrapes of growing counters."""
    random = Random(1)
    ids = [f"org-{index % 100}/model-{index}" for index in range(models)]
    counters = [random.randrange(1_000_000) for _ in ids]
    growth = [random.randrange(1, 5_000) for _ in ids]
    for scrape in range(first, first + number):
        counters = [now + more for now, more in zip(counters, growth, strict=True)]
        at = START + timedelta(days=scrape)
        for low in range(0, models, SLICE_MODELS):
            part = slice(low, low + SLICE_MODELS)
            yield DownloadsSlice(
                source="huggingface",
                scrape_id=f"bench-{scrape}",
                slice=low // SLICE_MODELS,
                observed_at=at,
                models=ids[part],
                downloads_all_time=counters[part],
                downloads_30d=[now % 100_000 for now in counters[part]],
                likes=[now % 1_000 for now in counters[part]],
            )


def registry(models: int) -> Iterator[ModelRecord]:
    """Yield registry records of the first models: tracked, and scored by the workers."""
    for index in range(models):
        yield ModelRecord(
            model_id=f"org-{index % 100}/model-{index}",
            observed_at=START - timedelta(days=1),
            org=f"org-{index % 100}",
            region="us",
            total_params_b=8,
            size_bin=BINS[index % len(BINS)],
            released_at=START.date(),
            tracked=True,
        )


def measure_worker(pipeline: Pipeline, models: int, number: int) -> dict[str, float]:
    """Return the worker's rate from the first record published to the last row queryable."""
    worker = pipeline.workers[-1]
    client = pipeline.client()
    before = client.query("SELECT count() FROM downloads_log").result_rows[0][0]
    records = pipeline.records(scrapes(models, number))
    rows = models * number
    started = time.perf_counter()
    pipeline.publish_records(records)
    published = time.perf_counter() - started
    wait_until(
        "all rows are queryable",
        lambda: (
            client.query("SELECT count() FROM downloads_log").result_rows[0][0] >= before + rows
        ),
        seconds=600,
    )
    seconds = time.perf_counter() - started
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)
    return {
        "observations": rows,
        "seconds": seconds,
        "publish_seconds": published,
        "per_second": rows / seconds,
        "worker_peak_mb": peak / 1024,
    }


def measure_bare(pipeline: Pipeline, batch_rows: int) -> dict[str, float]:
    """Return the rate of clickhouse-connect inserting the same rows into an equal table."""
    client = pipeline.client()
    client.command("CREATE TABLE bare AS downloads_log")
    rows: pa.Table = client.query_arrow(
        "SELECT * REPLACE (toString(model_id) AS model_id, toString(source) AS source, "
        "toString(origin) AS origin) FROM downloads_log ORDER BY observed_at",
        use_strings=True,
    )
    batches = [rows.slice(low, batch_rows) for low in range(0, rows.num_rows, batch_rows)]
    started = time.perf_counter()
    for batch in batches:
        client.insert_arrow("bare", batch)
    seconds = time.perf_counter() - started
    assert client.query("SELECT count() FROM bare").result_rows[0][0] == rows.num_rows
    return {"rows": rows.num_rows, "seconds": seconds, "per_second": rows.num_rows / seconds}


def run(models: int, scored: int, number: int) -> dict[str, Any]:
    """Measure both in one run."""
    with (
        tempfile.TemporaryDirectory(prefix="breakout-bench-") as directory,
        running_pipeline(Path(directory), BREAKOUT_BATCH_SECONDS="0.5") as pipeline,
    ):
        pipeline.start_worker()
        if scored:
            pipeline.publish(registry(scored))
        pipeline.publish(scrapes(models, 1, first=0))
        pipeline.wait_caught_up(300)
        ours = measure_worker(pipeline, models, number)
        pipeline.wait_caught_up(300)
        bare = measure_bare(pipeline, pipeline.settings.batch_rows)
    return {
        "models": models,
        "scored": scored,
        "worker": ours,
        "bare": bare,
        "ratio": ours["per_second"] / bare["per_second"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100_000)
    parser.add_argument("--scored", type=int, default=2_000, help="models with RAM")
    parser.add_argument("--scrapes", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = run(options.models, options.scored, options.scrapes)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    table = Table(title=f"{options.models:,} models, {options.scored:,} of them scored")
    table.add_column("")
    table.add_column("observations/s", justify="right")
    table.add_column("observations", justify="right")
    table.add_column("seconds", justify="right")
    ours, bare = result["worker"], result["bare"]
    table.add_row(
        "topic to queryable rows, one worker",
        f"{ours['per_second']:,.0f}",
        f"{ours['observations']:,.0f}",
        f"{ours['seconds']:.2f}",
    )
    table.add_row(
        "clickhouse-connect alone, same rows",
        f"{bare['per_second']:,.0f}",
        f"{bare['rows']:,.0f}",
        f"{bare['seconds']:.2f}",
    )
    console = Console()
    console.print(table)
    console.print(
        f"ratio {result['ratio']:.2f} of the bare insert; "
        f"worker's peak memory {ours['worker_peak_mb']:.0f} MB"
    )


if __name__ == "__main__":
    main()
