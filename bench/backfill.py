"""Observations per second of a backfill, from a CSV file to queryable rows, and to RAM.

A live scrape is published first, so that every observation of the file is late.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.figures import Figure
from bench.measured_pipeline import measured_pipeline, start_worker, wait_observations
from bench.sizes import Sizes
from breakout.contract import DownloadsSlice, ModelRecord
from tests.support.pipeline import Pipeline

NAME = "backfill"
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
BINS = ("<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+")
_SECONDS = 900.0


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the rate of `breakout backfill file`."""
    size = sizes.backfill
    report("writing the file")
    with tempfile.TemporaryDirectory() as folder, measured_pipeline() as pipeline:
        file = Path(folder) / "history.csv"
        totals = write_history(file, size.models, size.days)
        process = start_worker(pipeline)
        pipeline.publish([*registry(totals, size.days), *live(totals)])
        pipeline.wait_caught_up(_SECONDS)
        report("publishing")
        rows = size.models * size.days
        started = time.perf_counter()
        _publish(pipeline, file)
        published = time.perf_counter() - started
        report("waiting for the rows")
        wait_observations(pipeline, process, rows + size.models, _SECONDS)
        queryable = time.perf_counter() - started
        pipeline.wait_caught_up(_SECONDS)
        ram = time.perf_counter() - started
    note = (
        f"{rows:,} late observations: published after {published:.1f} s, queryable after "
        f"{queryable:.1f} s, with RAM after {ram:.1f} s"
    )
    yield Figure(NAME, "late observations, queryable", rows / queryable, "/s", note)
    yield Figure(NAME, "late observations, with RAM", rows / ram, "/s", note)


def _publish(pipeline: Pipeline, file: Path) -> None:
    command = [sys.executable, "-m", "breakout", "backfill", "file", str(file)]
    run = subprocess.run(
        command, env=pipeline.environment, check=False, capture_output=True, text=True
    )
    if run.returncode:
        raise RuntimeError(f"breakout backfill: {run.stderr.strip()[-500:]}")


def write_history(file: Path, models: int, days: int) -> dict[str, int]:
    """Write the file, day by day; return each model's last total."""
    random = Random(1)
    totals = {f"org-{n % 60}/model-{n:04}": random.randrange(100_000) for n in range(models)}
    with file.open("w") as lines:
        lines.write("model_id,observed_at,downloads_all_time\n")
        for day in range(days, 0, -1):
            observed_at = f"{END - timedelta(days=day):%Y-%m-%d}"
            for model_id, total in totals.items():
                totals[model_id] = total + random.randrange(5000)
                lines.write(f"{model_id},{observed_at},{totals[model_id]}\n")
    return totals


def registry(totals: dict[str, int], days: int) -> list[ModelRecord]:
    """Return records of all models: tracked, in size bins, released over the complete period."""
    random = Random(2)
    return [
        ModelRecord.model_validate(
            {
                "model_id": model_id,
                "observed_at": END,
                "org": model_id.partition("/")[0],
                "region": None,
                "total_params_b": 1.0,
                "size_bin": BINS[n % len(BINS)],
                "released_at": (END - timedelta(days=random.randrange(days))).date(),
                "tracked": True,
            }
        )
        for n, model_id in enumerate(totals)
    ]


def live(totals: dict[str, int]) -> list[DownloadsSlice]:
    """Return one live scrape, after all of the history."""
    return [
        DownloadsSlice(
            source="huggingface",
            scrape_id="bench-live",
            observed_at=END,
            models=list(totals),
            downloads_all_time=[total + 1 for total in totals.values()],
            downloads_30d=[None] * len(totals),
            likes=[None] * len(totals),
        )
    ]
