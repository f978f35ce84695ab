"""Clients of the API while observations arrive, compared with the same SQL on ClickHouse.

Half of the requests are those of the page's overview, the others are for one model each.
Observations are published meanwhile, and their latency is measured.
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
from bench.workload import Workload
from tests.api.server import ApiServer
from tests.support.pipeline import REPOSITORY, Pipeline

NAME = "readers"
OURS, DIRECT = "responses of the API", "responses of ClickHouse to the same SQL"
RATIOS = (Ratio("API / ClickHouse directly", (NAME, OURS), (NAME, DIRECT), Target(1)),)
LAG = Target(5, at_least=False)
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
        chosen = list(requests(workload, size.requests))
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
                waited, _ = measure(pipeline, ticks, 1 / size.every_seconds)
                seconds, others = reading.result()
            note = f"{size.readers} clients, {len(seconds):,} responses in {size.seconds} s"
            if others:
                note += "; failed: " + ", ".join(f"{n} x {status}" for status, n in others.items())
            yield Figure(NAME, name, len(seconds) / size.seconds, "/s", note)
            if seconds:
                p50, p99 = np.percentile(seconds, (50, 99)) * 1000
                yield Figure(NAME, f"p50 of {name}", float(p50), "ms")
                yield Figure(NAME, f"p99 of {name}", float(p99), "ms")
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
