"""How long a backfill takes: 2,000 models by 730 days, from a CSV file to queryable rows.

`python -m bench.backfill` runs everything on this machine with the embedded servers and one
worker. A live scrape is there first, so that every observation of the file comes late.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from rich.console import Console

from breakout.contract import DownloadsSlice, ModelRecord
from tests.pipeline import Pipeline, running_pipeline
from tests.waiting import wait_until

END = datetime(2026, 10, 1, tzinfo=UTC)
BINS = ("<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+")


def main() -> None:
    """Run it and print the seconds."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--models", type=int, default=2000)
    arguments.add_argument("--days", type=int, default=730)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history.csv"
        totals = write_history(file, chosen.models, chosen.days)
        with running_pipeline(Path(folder), BREAKOUT_BATCH_SECONDS="0.5") as pipeline:
            pipeline.start_worker()
            pipeline.publish([*registry(totals, chosen.days), *live(totals)])
            pipeline.wait_caught_up(120)
            measure(pipeline, file, chosen.models * chosen.days)


def measure(pipeline: Pipeline, file: Path, rows: int) -> None:
    """Backfill, and print the time until published and until queryable."""
    started = time.monotonic()
    command = [sys.executable, "-m", "breakout", "backfill", "file", str(file)]
    subprocess.run(command, env=pipeline.environment, check=True)
    published = time.monotonic() - started

    def landed() -> bool:
        (found,) = pipeline.rows("SELECT count() AS n FROM downloads_log FINAL")
        return int(found["n"]) > rows

    wait_until("all of it", landed, seconds=900)
    queryable = time.monotonic() - started
    pipeline.wait_caught_up(600)
    scored = time.monotonic() - started
    Console().print(
        f"{rows:,} observations: published after {published:.1f} s, queryable after "
        f"{queryable:.1f} s ({rows / queryable:,.0f}/s), scored after {scored:.1f} s",
        highlight=False,
    )


def write_history(file: Path, models: int, days: int) -> dict[str, int]:
    """Write the file, day by day; return each model's last total."""
    random = Random(1)
    totals = {f"org-{n % 60}/model-{n:04}": random.randrange(100_000) for n in range(models)}
    with file.open("w") as lines:
        lines.write("model_id,observed_at,downloads_all_time\n")
        for day in range(days, 0, -1):
            moment = f"{END - timedelta(days=day):%Y-%m-%d}"
            for model_id, total in totals.items():
                totals[model_id] = total + random.randrange(5000)
                lines.write(f"{model_id},{moment},{totals[model_id]}\n")
    return totals


def registry(totals: dict[str, int], days: int) -> list[ModelRecord]:
    """Return records of all models: tracked, scored, released over the whole time."""
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


if __name__ == "__main__":
    main()
