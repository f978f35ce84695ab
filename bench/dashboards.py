"""How long the dashboards' queries take at twenty million observations.

`python -m bench.dashboards` fills an embedded ClickHouse, and asks every query of every panel,
variable and annotation as Grafana does with the dashboard's own time range, several times each,
one after the other, as the read-only client does. It prints the slowest, and p50 and p95 of all.
"""

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import clickhouse_connect
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.dashboard_data import HOURS, MODELS, statements
from breakout.clickhouse import reader_client
from breakout.migrations import migrate
from breakout.settings import Settings
from tests.embedded_servers import running_clickhouse
from tests.grafana.expand import Chosen, sql
from tests.grafana.files import DASHBOARDS, annotations, panels, variables

AIM_SECONDS = 0.3
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
    """Yield dashboard, what asks, and the SQL as Grafana stores it."""
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
    """Make the schema and write the observations."""
    migrate(settings)
    address = settings.clickhouse
    client = clickhouse_connect.get_client(
        host=address.host, port=address.port, database=address.database
    )
    with closing(client):
        all_of_them = list(statements(end, models=models, hours=hours))
        for statement in track(all_of_them, description="filling", transient=True):
            client.command(statement)
        # As after a quiet hour: ClickHouse has merged what it merges by itself.
        client.command("OPTIMIZE TABLE downloads_log", settings={"optimize_throw_if_noop": 0})


def measure(settings: Settings, end: datetime, rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of every round of every query, and how many rows came."""
    found = []
    asked = list(queries())
    with closing(reader_client(settings)) as client:
        for dashboard, title, text in track(asked, description="asking", transient=True):
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


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--hours", type=int, default=HOURS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    console = Console(stderr=chosen.json)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with (
        tempfile.TemporaryDirectory(prefix="breakout-bench-") as directory,
        running_clickhouse(Path(directory)) as server,
    ):
        settings = Settings(clickhouse_url=f"{server.url}/breakout")
        fill(settings, end, chosen.models, chosen.hours)
        found = measure(settings, end, chosen.rounds)
    times = sorted(second for one in found for second in one["seconds"])
    summary = {
        "observations": chosen.models * chosen.hours,
        "queries": len(found),
        "p50_ms": round(1000 * statistics.median(times)),
        "p95_ms": round(1000 * statistics.quantiles(times, n=20)[-1]),
        "over_aim": sum(statistics.median(one["seconds"]) > AIM_SECONDS for one in found),
    }
    if chosen.json:
        print(json.dumps({**summary, "each": found}))
        return
    slowest = Table("dashboard", "what asks", "rows", "median ms", title="The slowest queries")
    for one in sorted(found, key=lambda one: -statistics.median(one["seconds"]))[:15]:
        median = f"{1000 * statistics.median(one['seconds']):.0f}"
        slowest.add_row(one["dashboard"], one["title"], str(one["rows"]), median)
    console.print(slowest)
    console.print(
        f"{summary['observations']:,} observations, {summary['queries']} queries, "
        f"{chosen.rounds} rounds: p50 {summary['p50_ms']} ms, p95 {summary['p95_ms']} ms "
        f"(aim {1000 * AIM_SECONDS:.0f} ms); {summary['over_aim']} with a median over the aim"
    )


if __name__ == "__main__":
    main()
