"""Readers of the API while observations come in, beside the same SQL asked of ClickHouse itself.

Half of the questions are those of the page's overview, the others are of one model each. While they
are asked, observations are published all the time, and each is waited for.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from clickhouse_connect.driver.binding import format_bind_value

from api import paging
from api.answers import Operation, bound
from api.operations import downloads, models, ram, scrapes, sources
from api.parameters import PAGE_ROWS, Asked
from api.queries import query
from bench.figures import Aim, Figure, Ratio
from bench.latency import measure, tick
from bench.ours import our_pipeline, start_worker
from bench.publishing import publish
from bench.sizes import Sizes
from bench.workload import Workload
from tests.api.server import ApiServer
from tests.support.pipeline import REPOSITORY, Pipeline

NAME = "readers"
OURS, DIRECT = "answers of the API", "answers of ClickHouse to the same SQL"
RATIOS = (Ratio("API to ClickHouse asked directly", (NAME, OURS), (NAME, DIRECT), Aim(1)),)
LAG = Aim(5, at_least=False)
Question = tuple[str, Operation, Asked]
"""Path, operation, and what is asked of it."""


def figures(sizes: Sizes, say: Callable[[str], None]) -> Iterator[Figure]:
    """Yield answers a second, p99, and how long observations waited, of both ways to ask."""
    size = sizes.readers
    workload = Workload(size.models)
    last = 24 * (size.days - 1)
    with our_pipeline() as pipeline, ThreadPoolExecutor(1) as pool:
        start_worker(pipeline)
        say("filling")
        pipeline.publish(workload.registry(size.models))
        publish(pipeline.bootstrap, workload.slices(0, last, step=24))
        pipeline.wait_caught_up(300)
        asked = list(questions(workload, size.questions))
        as_of = workload.moment(last).strftime("%Y-%m-%d %H:%M:%S.000")
        number = 0
        for name in (OURS, DIRECT):
            say(name)
            ticks = [
                tick(pipeline, workload, number + one, size.models, scrape=last)
                for one in range(1, size.seconds // size.every_seconds + 1)
            ]
            number += len(ticks)
            with _served(pipeline, name) as address:
                file = pipeline.directory / "questions.json"
                file.write_text(json.dumps([_request(one, name, address, as_of) for one in asked]))
                reading = pool.submit(_read, file, size.readers, size.seconds)
                waited, _ = measure(pipeline, ticks, 1 / size.every_seconds)
                answers, others = reading.result()
            note = f"{size.readers} readers, {len(answers):,} answers in {size.seconds} s"
            if others:
                note += "; besides " + ", ".join(f"{n} x {what}" for what, n in others.items())
            yield Figure(NAME, name, len(answers) / size.seconds, "/s", note)
            if answers:
                p50, p99 = np.percentile(answers, (50, 99)) * 1000
                yield Figure(NAME, f"p50 of {name}", float(p50), "ms")
                yield Figure(NAME, f"p99 of {name}", float(p99), "ms")
            longest = (
                f"{sum(one.rows for one in ticks):,} observations, the one that waited longest"
            )
            yield Figure(NAME, f"lag during {name}", max(waited), "s", longest, LAG)


def questions(workload: Workload, many: int) -> Iterator[Question]:
    """Yield what readers ask, the same in every run."""
    choices = random.Random(1)
    shown = workload.ids[:8]
    page: list[Question] = [
        ("ram", ram.NOW, ram.RamAsked(max_age=90, limit=100)),
        ("ram/curves", ram.CURVES, ram.CurvesAsked(model=shown, limit=5000)),
        ("downloads", downloads.OPERATION, _monthly("region")),
        ("downloads", downloads.OPERATION, _monthly("org")),
        ("scrapes", scrapes.OPERATION, scrapes.ScrapesAsked(limit=5)),
        ("sources", sources.SOURCES, Asked()),
    ]
    for number in range(many):
        if number % 2:
            yield page[number // 2 % len(page)]
            continue
        model = [choices.choice(workload.ids)]
        yield choices.choice(
            [
                ("ram", ram.NOW, ram.RamAsked(model=model)),
                ("ram/curves", ram.CURVES, ram.CurvesAsked(model=model)),
                ("downloads", downloads.OPERATION, downloads.DownloadsAsked(model=model)),
                ("models", models.OPERATION, models.ModelsAsked(model=model)),
            ]
        )


def _monthly(by: str) -> downloads.DownloadsAsked:
    return downloads.DownloadsAsked(by=downloads.By(by), interval=downloads.Interval.MONTH)


@contextmanager
def _served(pipeline: Pipeline, name: str) -> Iterator[str]:
    """Yield the address that is asked: of the API, or of ClickHouse."""
    if name == DIRECT:
        yield f"{pipeline.clickhouse.url}/"
        return
    environment = {
        **pipeline.environment,
        "BREAKOUT_API_RATE": "1000000",
        "BREAKOUT_API_QUERY_RATE": "1000000",
    }
    server = ApiServer(pipeline.directory / "api.log", environment)
    server.start()
    try:
        yield f"{server.url}/v1/"
    finally:
        server.close()


def _request(question: Question, name: str, address: str, as_of: str) -> dict[str, str | None]:
    """Return a question as a request of the API, or of ClickHouse with the SQL that the API has."""
    path, operation, asked = question
    if name == OURS:
        given = asked.model_dump(mode="json", exclude_unset=True)
        return {"url": f"{address}{path}?{urlencode(given, doseq=True)}", "body": None}
    sql = query(operation.query, now=True)
    values = bound(sql, asked.values(), None)
    sql = paging.page(sql, operation.keys, after=False, limited=True)
    if "as_of" in values:
        values["as_of"] = as_of
    values |= {"page_rows": (asked.limit or PAGE_ROWS) + 1}
    given = {f"param_{key}": format_bind_value(value) for key, value in values.items()}
    settings = {"database": "breakout", "do_not_merge_across_partitions_select_final": 1}
    return {
        "url": f"{address}?{urlencode({**settings, **given})}",
        "body": f"{sql}\nFORMAT JSONEachRow",
    }


def _read(file: Path, readers: int, seconds: int) -> tuple[list[float], dict[str, int]]:
    """Let readers ask; returns the seconds of their answers, and what else they got."""
    command = [sys.executable, "-m", "bench.reading", str(file), str(readers), str(seconds)]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if said.returncode:
        raise RuntimeError(f"the readers ended with an error: {said.stderr[-500:]}")
    found = json.loads(said.stdout)
    return found["seconds"], found["others"]
