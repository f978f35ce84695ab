"""Latency of the dashboards' queries with twenty million rows of the daily grid, and with more.

Every query of every panel, variable and annotation runs on an embedded ClickHouse with the
dashboard's time range, one after the other, as Grafana's read-only user.
"""

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import clickhouse_connect

from bench.dashboard_data import statements
from bench.figures import Figure, Target
from bench.sizes import Sizes
from bench.untracked import write_untracked
from breakout.clickhouse.client import reader_client, writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.grafana.expand import Chosen, sql
from tests.grafana.files import DASHBOARDS, annotations, panels, variables
from tests.support.embedded_servers import running_clickhouse

NAME = "dashboards"
TARGET, SLOWER = Target(100, at_least=False), Target(2, at_least=False)
CHOICES = {
    "baseline": Chosen(("live",)),
    "models": Chosen((), all_value="''"),
    "model": Chosen(("org-1/model-1",)),
    "org": Chosen(("org-1",)),
    "leaders_bin": Chosen(("1-5B",)),
    "share_bin": Chosen(("250B+",)),
}
_SPANS = {"h": timedelta(hours=1), "d": timedelta(days=1), "y": timedelta(days=365)}


def queries() -> Iterator[tuple[str, str, str]]:
    """Yield dashboard, title of a panel or variable, and the SQL as Grafana stores it."""
    for place in panels():
        for target in place.panel["targets"]:
            if "rawSql" in target:
                yield place.dashboard, place.panel["title"], target["rawSql"]
    for name in DASHBOARDS:
        for variable in variables(name).values():
            if variable["type"] == "query":
                yield name, f"variable {variable['name']}", variable["query"]
        for one in annotations(name):
            yield name, f"annotation {one['name']}", one["target"]["rawSql"]


def fill(settings: Settings, end: datetime, models: int, hours: int) -> None:
    """Create the schema and insert the observations."""
    migrate(settings)
    address = settings.clickhouse
    client = clickhouse_connect.get_client(
        host=address.host, port=address.port, database=address.database
    )
    with closing(client):
        inserts = list(statements(end, models=models, hours=hours))
        for statement in inserts:
            client.command(statement)
        # Merge like ClickHouse does on its own within an hour.
        client.command("OPTIMIZE TABLE downloads_log", settings={"optimize_throw_if_noop": 0})


def measure(
    settings: Settings, end: datetime, rounds: int, report: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Return the seconds of every round of every query, and its number of rows."""
    found = []
    chosen = list(queries())
    with closing(reader_client(settings)) as client:
        for number, (dashboard, title, text) in enumerate(chosen, 1):
            report(f"query {number} of {len(chosen)}")
            span = re.fullmatch(r"now-(\d+)(\w)", DASHBOARDS[dashboard]["time"]["from"])
            assert span is not None
            since = end - int(span[1]) * _SPANS[span[2]]
            query = sql(text, CHOICES, since, end)
            seconds = []
            for _ in range(rounds):
                started = time.perf_counter()
                rows = client.query(query).row_count
                seconds.append(time.perf_counter() - started)
            found.append({"dashboard": dashboard, "title": title, "seconds": seconds, "rows": rows})
    return found


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield p50 and p95 of all rounds of all queries, and the slowest query's median.

    Then again with more models that are not tracked, and by how much it is slower.
    """
    size = sizes.dashboards
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = size.models * (size.hours // 24)
    others = 0
    first: float | None = None
    with (
        tempfile.TemporaryDirectory(prefix="breakout-bench-") as directory,
        running_clickhouse(Path(directory)) as server,
    ):
        settings = Settings(clickhouse_url=f"{server.url}/breakout")
        report("filling")
        fill(settings, end, size.models, size.hours)
        for untracked in size.untracked:
            report(f"filling: {untracked:,} more models")
            with closing(writer_client(settings)) as client:
                write_untracked(client, untracked, size.untracked_days, first=others)
            others += untracked
            rows += untracked * size.untracked_days
            found = measure(settings, end, size.rounds, report)
            of = f"{rows:,} rows of the grid"
            p95 = yield from _percentiles(found, size.rounds, of, TARGET if first is None else None)
            if first is not None:
                slower = f"p95 with {of}, times that with fewer"
                yield Figure(NAME, slower, p95 / first, "x", "", SLOWER)
            first = first or p95


def _percentiles(
    found: list[dict[str, Any]], rounds: int, of: str, target: Target | None
) -> Generator[Figure, None, float]:
    times = sorted(second for one in found for second in one["seconds"])
    note = f"{len(found)} queries, {rounds} rounds"
    p95: float = statistics.quantiles(times, n=20)[-1]
    yield Figure(NAME, f"p50 with {of}", 1000 * statistics.median(times), "ms", note)
    yield Figure(NAME, f"p95 with {of}", 1000 * p95, "ms", note, target)
    slowest = max(found, key=lambda one: statistics.median(one["seconds"]))
    where = f"{slowest['dashboard']}: {slowest['title']}"
    median = 1000 * statistics.median(slowest["seconds"])
    yield Figure(NAME, f"the slowest query's median with {of}", median, "ms", where)
    return p95
