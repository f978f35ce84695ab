"""Clients of the API while observations arrive, compared with the same SQL on ClickHouse.

First one client alone asks for one model after the other, and then for the same again. Then many
clients at once: half of their requests are those of the page's overview, the others are for one
model each. Observations of all tracked models are published meanwhile, and their latency is
measured. Beside the tracked models the tables hold many others with two years of daily downloads.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import numpy as np
from clickhouse_connect.driver.binding import format_bind_value

from api import paging
from api.as_of import bind
from api.operation import Operation
from api.operations import downloads, models, ram, scrapes, sources
from api.parameters import PAGE_ROWS, OperationParameters
from api.queries import query
from bench.figures import Figure, Ratio, Target
from bench.latency import measure, tick
from bench.measured_pipeline import measured_pipeline, start_worker
from bench.publishing import publish
from bench.sizes import Sizes
from bench.untracked import write_untracked
from bench.workload import Workload
from tests.api.server import ApiServer
from tests.support.pipeline import REPOSITORY, Pipeline

NAME = "readers"
OURS, DIRECT = "responses of the API", "responses of ClickHouse to the same SQL"
RATIOS = (Ratio("API / ClickHouse directly", (NAME, OURS), (NAME, DIRECT), Target(1)),)
LAG = Target(2, at_least=False)
RATE, P99 = Target(1000), Target(500, at_least=False)
FIRST = (Target(10, at_least=False), Target(50, at_least=False))
REPEATED = (Target(2, at_least=False), None)
ALONE = 50
"""Models that one client alone asks for."""
Request = tuple[str, Operation, OperationParameters]
"""Path, operation and parameters."""


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield responses per second, p99, and the latency of observations, for both servers."""
    size = sizes.readers
    workload = Workload(size.models)
    last = 24 * (size.days - 1)
    with measured_pipeline() as pipeline, ThreadPoolExecutor(1) as pool:
        start_worker(pipeline)
        report("filling")
        pipeline.publish(workload.registry(size.models))
        publish(pipeline.bootstrap, workload.slices(0, last, step=24))
        pipeline.wait_caught_up(300)
        with closing(pipeline.client()) as client:
            write_untracked(client, size.untracked, size.untracked_days)
        chosen = list(requests(workload, size.requests))
        report("one client")
        yield from _alone(pipeline, workload)
        as_of = workload.time_of(last).strftime("%Y-%m-%d %H:%M:%S.000")
        number = 0
        for name in (OURS, DIRECT):
            report(name)
            ticks = [
                tick(pipeline, workload, number + one, size.models, scrape=last)
                for one in range(1, size.seconds // size.every_seconds + 1)
            ]
            number += len(ticks)
            with _served(pipeline, name) as address:
                file = pipeline.directory / "requests.json"
                file.write_text(json.dumps([_request(one, name, address, as_of) for one in chosen]))
                reading = pool.submit(_read, file, size.readers, size.seconds)
                # Polls seldom: its queries take time from the readers'.
                waited, _ = measure(pipeline, ticks, 1 / size.every_seconds, poll_seconds=0.5)
                seconds, others = reading.result()
            note = f"{size.readers} clients, {len(seconds):,} responses in {size.seconds} s"
            if others:
                note += "; failed: " + ", ".join(f"{n} x {status}" for status, n in others.items())
            ours = name == OURS
            rate = len(seconds) / size.seconds
            yield Figure(NAME, name, rate, "/s", note, RATE if ours else None)
            if seconds:
                p50, p99 = np.percentile(seconds, (50, 99)) * 1000
                yield Figure(NAME, f"p50 of {name}", float(p50), "ms")
                yield Figure(NAME, f"p99 of {name}", float(p99), "ms", "", P99 if ours else None)
            longest = f"{sum(one.rows for one in ticks):,} observations, the slowest"
            yield Figure(NAME, f"lag during {name}", max(waited), "s", longest, LAG)


def requests(workload: Workload, count: int) -> Iterator[Request]:
    """Yield the requests of clients, the same in every run."""
    choices = random.Random(1)
    shown = workload.ids[:8]
    page: list[Request] = [
        ("ram", ram.RAM, ram.RamParameters(max_age=90, limit=100)),
        ("ram/curves", ram.CURVES, ram.RamCurvesParameters(model=shown, limit=5000)),
        *(
            (
                "downloads",
                downloads.OPERATION,
                downloads.DownloadsParameters(by=by, interval="month"),
            )
            for by in ("region", "org")
        ),
        ("scrapes", scrapes.OPERATION, scrapes.ScrapesParameters(limit=5)),
        ("sources", sources.SOURCES, OperationParameters()),
    ]
    for number in range(count):
        if number % 2:
            yield page[number // 2 % len(page)]
            continue
        model = [choices.choice(workload.ids)]
        yield choices.choice(
            [
                ("ram", ram.RAM, ram.RamParameters(model=model)),
                ("ram/curves", ram.CURVES, ram.RamCurvesParameters(model=model)),
                ("downloads", downloads.OPERATION, downloads.DownloadsParameters(model=model)),
                ("models", models.OPERATION, models.ModelsParameters(model=model)),
            ]
        )


def _alone(pipeline: Pipeline, workload: Workload) -> Iterator[Figure]:
    """Yield the latency of first and of repeated responses about one model."""
    paths = ("v1/ram", "v1/ram/curves", "v1/downloads", "v1/models")
    models = workload.ids[-ALONE:]
    urls = [f"{path}?model={quote(model)}" for path in paths for model in models]
    urls += [f"badge/ram/{quote(model)}.svg" for model in models]
    with _served(pipeline, OURS) as address, httpx.Client() as client:
        base = address.removesuffix("v1/")
        # The first connection, and the first check for changes.
        client.get(f"{base}v1/sources").raise_for_status()
        for name, target in (("first", FIRST), ("repeated", REPEATED)):
            took = []
            for url in urls:
                started = time.perf_counter()
                client.get(f"{base}{url}").raise_for_status()
                took.append(time.perf_counter() - started)
            p50, p99 = np.percentile(took, (50, 99)) * 1000
            note = f"{len(urls):,} responses to one client, about one model each"
            yield Figure(NAME, f"p50 of {name} responses", float(p50), "ms", note, target[0])
            yield Figure(NAME, f"p99 of {name} responses", float(p99), "ms", note, target[1])


@contextmanager
def _served(pipeline: Pipeline, name: str) -> Iterator[str]:
    """Yield the URL of the API, or of ClickHouse."""
    if name == DIRECT:
        yield f"{pipeline.clickhouse.url}/"
        return
    environment = {
        **pipeline.environment,
        "BREAKOUT_API_REQUESTS_PER_MINUTE": "1000000",
        "BREAKOUT_API_QUERY_SECONDS_PER_MINUTE": "1000000",
    }
    server = ApiServer(pipeline.directory / "api.log", environment)
    server.start()
    try:
        yield f"{server.url}/v1/"
    finally:
        server.close()


def _request(request: Request, name: str, address: str, as_of: str) -> dict[str, str | None]:
    """Return the URL and body of a request to the API, or to ClickHouse with the API's SQL."""
    path, operation, parameters = request
    if name == OURS:
        given = parameters.model_dump(mode="json", exclude_unset=True)
        return {"url": f"{address}{path}?{urlencode(given, doseq=True)}", "body": None}
    sql = query(operation.query, now=True, variant=parameters.variant())
    values = bind(sql, parameters.values(), None)
    sql = paging.page(sql, operation.keys, after=False, limited=True)
    if "as_of" in values:
        values["as_of"] = as_of
    values |= {"page_rows": (parameters.limit or PAGE_ROWS) + 1}
    given = {f"param_{key}": format_bind_value(value) for key, value in values.items()}
    settings = {"database": "breakout", "do_not_merge_across_partitions_select_final": 1}
    return {
        "url": f"{address}?{urlencode({**settings, **given})}",
        "body": f"{sql}\nFORMAT JSONEachRow",
    }


def _read(file: Path, readers: int, seconds: int) -> tuple[list[float], dict[str, int]]:
    """Run the clients; returns the seconds of their responses, and the number of other results."""
    command = [sys.executable, "-m", "bench.load_generator", str(file), str(readers), str(seconds)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"the load generator failed: {result.stderr[-500:]}")
    found = json.loads(result.stdout)
    return found["seconds"], found["others"]
