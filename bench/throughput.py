"""From records in the topic to the query for downloads gained by each model: Breakout and peers.

All programs get the same observations, each on a new broker and ClickHouse. A program first reads
the first scrape, so that it is started, assigned and has every model. It is paused, all other
scrapes are published, it is resumed, and the clock runs until the query returns the reference.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import clickhouse_connect
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from clickhouse_connect.driver.client import Client

from bench.broker import KIND, WHY_EMBEDDED
from bench.figures import Figure, Ratio, Target
from bench.measured_pipeline import measured_pipeline, start_worker
from bench.peers.installed import NotInstalledError, python_with, version
from bench.processes import MeasuredProcess, running
from bench.publishing import publish
from bench.sizes import Sizes, Throughput
from bench.workload import Workload
from tests.support.brokers import running_broker
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tests.support.pipeline import REPOSITORY, KafkaRecord
from tests.support.waiting import wait_until

NAME = "throughput"
TOPIC = "observations"

OURS, OURS_SINGLES = "Breakout, slices", "Breakout, one observation per message"
FAUST, QUIX, BYTEWAX = "Faust agent with a Table", "Quix Streams", "Bytewax"
RAW, BARE, DUCKDB = "raw into ClickHouse, window functions", "bare aiokafka loop", "DuckDB script"
NEXT_SCRAPE = "DuckDB script, one new scrape"
SLICED, SINGLE = "slices", "one observation per message"

SCHEMA = (
    "CREATE DATABASE bench",
    """CREATE TABLE bench.series (model_id String, observed_at DateTime64(3, 'UTC'),
    downloads_all_time UInt64, cumulative UInt64, delta Nullable(UInt64))
    ENGINE = ReplacingMergeTree ORDER BY (model_id, observed_at)""",
    """CREATE TABLE bench.plain (model_id String, observed_at DateTime64(3, 'UTC'),
    downloads_all_time UInt64) ENGINE = ReplacingMergeTree ORDER BY (model_id, observed_at)""",
)
RAW_SCHEMA = {
    SINGLE: (
        """CREATE TABLE bench.raw (model_id String, observed_at DateTime64(3, 'UTC'),
        downloads_all_time UInt64) ENGINE = ReplacingMergeTree ORDER BY (model_id, observed_at)""",
        "CREATE VIEW bench.observed AS SELECT * FROM bench.raw FINAL",
    ),
    SLICED: (
        """CREATE TABLE bench.raw (scrape_id String, slice UInt32, observed_at DateTime64(3, 'UTC'),
        models Array(String), downloads_all_time Array(UInt64))
        ENGINE = MergeTree ORDER BY (observed_at, slice)""",
        """CREATE VIEW bench.observed AS SELECT DISTINCT model AS model_id, observed_at,
        total AS downloads_all_time FROM bench.raw ARRAY JOIN models AS model,
        downloads_all_time AS total""",
    ),
}
RAW_VIEW = """CREATE VIEW bench.raw_view AS
SELECT *, cumulative - lagInFrame(toNullable(cumulative)) OVER (PARTITION BY model_id
    ORDER BY observed_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS delta
FROM (SELECT *, max(downloads_all_time) OVER (PARTITION BY model_id ORDER BY observed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cumulative FROM bench.observed)"""
_DELTAS = "SELECT model_id, sum(delta) FROM {} GROUP BY model_id"


@dataclass(frozen=True)
class Program:
    """A program that reads the topic, and the queries for its rows and its result."""

    name: str
    module: str
    package: str | None
    """Package of the peers' environment; None = runs in the project's environment."""
    form: str
    scrapes: int
    counted: str = "SELECT count() FROM bench.series"
    result: str = _DELTAS.format("bench.series FINAL")

    @property
    def title(self) -> str:
        """The name of its row."""
        return self.name if self.form == SINGLE else f"{self.name}, {SLICED}"


def programs(size: Throughput) -> list[Program]:
    """Return the streaming peers."""
    plain = {
        "counted": "SELECT count() FROM bench.plain",
        "result": "SELECT model_id, max(downloads_all_time) - argMin(downloads_all_time, "
        "observed_at) FROM bench.plain FINAL GROUP BY model_id",
    }
    rows = {SINGLE: "count()", SLICED: "sum(length(models))"}
    raw = {
        form: {
            "counted": f"SELECT {count} FROM bench.raw",
            "result": _DELTAS.format("bench.raw_view"),
        }
        for form, count in rows.items()
    }
    faust, quix = ("faust_table", "faust-streaming"), ("quix", "quixstreams")
    bytewax = ("bytewax_flow", "bytewax[kafka]")
    return [
        Program(BARE, "bare_loop", None, SLICED, size.bare_slices, **plain),
        Program(BARE, "bare_loop", None, SINGLE, size.bare, **plain),
        Program(FAUST, *faust, SINGLE, size.faust),
        Program(FAUST, *faust, SLICED, size.faust_slices),
        Program(QUIX, *quix, SINGLE, size.quix),
        Program(QUIX, *quix, SLICED, size.quix_slices),
        Program(BYTEWAX, *bytewax, SINGLE, size.bytewax),
        Program(BYTEWAX, *bytewax, SLICED, size.bytewax_slices),
        Program(RAW, "raw_forward", None, SINGLE, size.raw, **raw[SINGLE]),
        Program(RAW, "raw_forward", None, SLICED, size.raw_slices, **raw[SLICED]),
    ]


RATIOS = (
    Ratio(
        "Breakout / bare loop, both on slices",
        (NAME, OURS),
        (NAME, f"{BARE}, {SLICED}"),
        Target(0.7),
    ),
    Ratio("Breakout / idiomatic Faust", (NAME, OURS), (NAME, FAUST), Target(100)),
    Ratio("Breakout / Quix Streams", (NAME, OURS), (NAME, QUIX), Target(20)),
    Ratio("Breakout / Bytewax", (NAME, OURS), (NAME, BYTEWAX), Target(10)),
    Ratio(
        "Breakout / raw forwarding, both on slices",
        (NAME, OURS),
        (NAME, f"{RAW}, {SLICED}"),
        Target(1),
    ),
    Ratio(
        "Breakout / DuckDB script, both on slices",
        (NAME, OURS),
        (NAME, f"{DUCKDB}, {SLICED}"),
        Target(1),
    ),
    Ratio("Breakout / DuckDB script, one new scrape", (NAME, OURS), (NAME, NEXT_SCRAPE), Target(1)),
)


def figures(sizes: Sizes, report: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the rates of Breakout and of all peers."""
    size = sizes.throughput
    workload = Workload(size.models)
    for title, scrapes, sliced in (
        (OURS, size.ours, True),
        (OURS_SINGLES, size.ours_singles, False),
    ):
        report(title)
        yield _guarded(title, partial(_breakout, title, workload, size, scrapes, sliced))
    for program in programs(size):
        report(program.title)
        if KIND == "embedded" and program.package is not None:
            yield Figure(NAME, program.title, None, "/s", f"needs Apache Kafka: {WHY_EMBEDDED}")
            continue
        yield _guarded(program.title, partial(_peer, program, workload, size))
    for form, scrapes in ((SINGLE, size.duckdb), (SLICED, size.duckdb_slices)):
        title = DUCKDB if form == SINGLE else f"{DUCKDB}, {SLICED}"
        report(title)
        if KIND == "embedded":
            yield Figure(NAME, title, None, "/s", f"needs Apache Kafka: {WHY_EMBEDDED}")
            continue
        yield from _duckdb(title, form, workload, scrapes)


def _guarded(title: str, measure: Callable[[], Figure]) -> Figure:
    """Return the figure, or a row with the error: the run continues."""
    try:
        return measure()
    except NotInstalledError as error:
        return Figure(NAME, title, None, "/s", str(error))
    except (TimeoutError, RuntimeError, AssertionError) as error:
        return Figure(NAME, title, None, "/s", f"failed: {error}")


def _breakout(
    title: str, workload: Workload, size: Throughput, scrapes: int, sliced: bool
) -> Figure:
    def records(first: int, last: int) -> Iterator[KafkaRecord]:
        if sliced:
            return workload.slices(first, last)
        return workload.singles(first, last, contract=True)

    with measured_pipeline() as pipeline:
        process = start_worker(pipeline)
        pipeline.publish(workload.registry(size.with_points))
        publish(pipeline.bootstrap, workload.slices(0, 0))
        pipeline.wait_caught_up(120)
        database = pipeline.database
        # `downloads_log` has restated observations twice; single ones are all of one slice.
        counted = (
            f"SELECT sum(models) FROM {database}.scrapes_log FINAL"
            if sliced
            else f"SELECT uniqExact(model_id, observed_at) FROM {database}.downloads_log"
        )
        return _rate(
            title,
            pipeline.clickhouse,
            process,
            workload,
            counted,
            _DELTAS.format(f"{database}.downloads_by_source_log"),
            scrapes,
            partial(publish, pipeline.bootstrap, records(1, scrapes)),
            size.seconds,
        )


def _peer(program: Program, workload: Workload, size: Throughput) -> Figure:
    python = _python(program.package)
    with _place(program.form) as (directory, bootstrap, clickhouse):
        environment = _environment(program.form, directory, bootstrap, clickhouse)
        records = _records(workload, program.form, 1, program.scrapes)
        publish(bootstrap, _records(workload, program.form, 0, 0), topic=TOPIC)
        command = [str(python), "-m", f"bench.peers.{program.module}"]
        with running(command, environment, directory / "peer.log") as process:
            first = len(workload.ids)
            _wait_rows(clickhouse, process, program.counted, first, size.seconds)
            return _rate(
                program.title,
                clickhouse,
                process,
                workload,
                program.counted,
                program.result,
                program.scrapes,
                partial(publish, bootstrap, records, topic=TOPIC),
                size.seconds,
                made_by="" if program.package is None else version(program.package),
            )


def _rate(
    title: str,
    clickhouse: ClickHouseServer,
    process: MeasuredProcess,
    workload: Workload,
    counted: str,
    result: str,
    scrapes: int,
    publish_all: Callable[..., None],
    seconds: float,
    made_by: str = "",
) -> Figure:
    """Pause, publish, resume, and wait for the result."""
    publish_all(before=process.pause)
    used = process.cpu_seconds
    process.resume()
    started = time.perf_counter()
    models = len(workload.ids)
    _wait_rows(clickhouse, process, counted, models * (scrapes + 1), seconds)
    with closing(_client(clickhouse)) as client:
        gained = {str(model): int(new) for model, new in client.query(result).result_rows}
    took = time.perf_counter() - started
    used = process.cpu_seconds - used
    mismatch = _mismatch(gained, workload.gained(scrapes))
    if mismatch:
        return Figure(NAME, title, None, "/s", mismatch)
    observations = models * scrapes
    note = (
        f"{observations:,} in {took:.1f} s, {1e6 * used / observations:.2f} µs of its own CPU "
        f"each, peak {process.memory_mb(peak=True):.0f} MB"
    )
    return Figure(NAME, title, observations / took, "/s", f"{made_by} {note}".strip())


def _mismatch(gained: dict[str, int], reference: dict[str, int]) -> str:
    if gained == reference:
        return ""
    different = sum(gained.get(one) != reference[one] for one in reference)
    return f"WRONG: {different:,} of {len(reference):,} models differ from the reference"


def _wait_rows(
    clickhouse: ClickHouseServer, process: MeasuredProcess, counted: str, rows: int, seconds: float
) -> None:
    client = _client(clickhouse)
    found = 0

    def are_inserted() -> bool:
        nonlocal found
        process.check()
        found = client.query(counted).result_rows[0][0]
        return bool(found >= rows)

    try:
        # Each query takes CPU from the measured process.
        wait_until("all rows", are_inserted, seconds=seconds, pause=0.1)
    except TimeoutError:
        raise TimeoutError(f"{found:,} of {rows:,} rows after {seconds:.0f} s") from None
    finally:
        client.close()


@contextmanager
def _place(form: str) -> Iterator[tuple[Path, str, ClickHouseServer]]:
    """Run new servers with the topic and the tables of `form`: directory, broker, ClickHouse."""
    with (
        tempfile.TemporaryDirectory(prefix="breakout-bench-") as name,
        running_broker(Path(name) / "broker", KIND) as broker,
        running_clickhouse(Path(name) / "clickhouse") as clickhouse,
    ):
        asyncio.run(_make_topic(broker.bootstrap))
        with closing(_client(clickhouse)) as client:
            for statement in (*SCHEMA, *RAW_SCHEMA[form], RAW_VIEW):
                client.command(statement)
        yield Path(name), broker.bootstrap, clickhouse


def _client(clickhouse: ClickHouseServer) -> Client:
    return clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.port)


async def _make_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=4, replication_factor=1)])
    finally:
        await admin.close()


def _python(package: str | None) -> Path:
    return Path(sys.executable) if package is None else python_with(package)


def _environment(
    form: str, directory: Path, bootstrap: str, clickhouse: ClickHouseServer
) -> dict[str, str]:
    state = directory / "state"
    state.mkdir()
    return {
        "BENCH_BROKERS": bootstrap,
        "BENCH_TOPIC": TOPIC,
        "BENCH_FORM": "slices" if form == SLICED else "singles",
        "BENCH_CLICKHOUSE_PORT": str(clickhouse.port),
        "BENCH_DIRECTORY": str(state),
    }


def _records(workload: Workload, form: str, first: int, last: int) -> Iterator[KafkaRecord]:
    if form == SINGLE:
        return workload.singles(first, last, contract=False)
    return workload.slices(first, last, key="huggingface")


def _duckdb(title: str, form: str, workload: Workload, scrapes: int) -> Iterator[Figure]:
    try:
        python = _python("duckdb")
        with _place(form) as (directory, bootstrap, clickhouse):
            environment = _environment(form, directory, bootstrap, clickhouse)
            publish(bootstrap, _records(workload, form, 0, scrapes), topic=TOPIC)
            run = subprocess.run(
                [str(python), "-m", "bench.peers.duckdb_nightly"],
                cwd=REPOSITORY,
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                check=False,
            )
    except NotInstalledError as error:
        yield Figure(NAME, title, None, "/s", str(error))
        return
    if run.returncode:
        yield Figure(NAME, title, None, "/s", f"failed: {run.stderr.strip()[-300:]}")
        return
    output = json.loads(run.stdout)
    mismatch = _mismatch(output["gained"], workload.gained(scrapes))
    if mismatch:
        yield Figure(NAME, title, None, "/s", mismatch)
        return
    observations = len(workload.ids) * (scrapes + 1)
    dumped, computed = output["dump"], output["compute"]
    note = (
        f"{version('duckdb')} {observations:,}: dumped in {dumped:.1f} s, computed in "
        f"{computed:.1f} s; in DuckDB's own file, not in ClickHouse"
    )
    yield Figure(NAME, title, observations / (dumped + computed), "/s", note)
    if form == SLICED:
        note = f"each night all {observations:,} are read: {len(workload.ids):,} of them new"
        yield Figure(NAME, NEXT_SCRAPE, len(workload.ids) / computed, "/s", note)
