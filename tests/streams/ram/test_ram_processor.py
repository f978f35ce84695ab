"""The RAM processor on a ClickHouse: what it reads, writes, publishes, and loads again."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.contract import BreakoutEvent, DailySlice
from breakout.contract.topics import DAILY
from breakout.core.ram import LIVE
from breakout.settings import Settings, read_settings
from streams.batches import Batch, Record
from streams.clickhouse import StoppingError, WorkerClickHouse
from streams.ram.processor import RamProcessor
from streams.ram.reads import load_bins
from tests.streams.ram.slices import (
    CHANGED,
    RELEASED,
    SIZE_BIN,
    WITHDRAWN,
    Entry,
    GridRow,
    day_of,
    end_of,
    grid,
    slice_of,
)
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

PEERS = [f"org/peer-{number:02}" for number in range(10)]
SPIKE = [0, 10, 20, 30, 3_000, 3_010, 3_020, 3_030]
DAILY_COLUMNS = (
    "model_id", "source", "day", "cumulative", "downloads", "correction", "basis", "known_at",
    "withdrawn", "version",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture
def settings(server: ClickHouseServer) -> Settings:
    settings = read_settings(clickhouse_url=f"{server.url}/t{uuid.uuid4().hex}")
    migrate(settings)
    return settings


class Published:
    """An outbox that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def send(self, topic: object, events: Any) -> None:
        self.events += [event for _, event in events]

    def statuses(self, model_id: str) -> list[str]:
        return [
            event.status
            for event in self.events
            if isinstance(event, BreakoutEvent)
            and (event.baseline, event.model_id) == (LIVE, model_id)
        ]


class Worker:
    """A processor that has just started."""

    def __init__(self, settings: Settings, published: Published) -> None:
        outbox: Any = published
        self.processor = RamProcessor(settings, outbox, WorkerClickHouse(settings))
        self.acknowledged = 0

    async def process(self, *slices: DailySlice) -> None:
        message = SimpleNamespace(topic=DAILY.name, partition=0, timestamp=None)
        records = [
            Record(SimpleNamespace(message=message, ack=self._acknowledge), one, None)
            for one in slices
        ]
        await self.processor.process(Batch(records=records))
        await self.processor.writing_done()

    def _acknowledge(self) -> None:
        self.acknowledged += 1


def write_grid(client: Client, model_id: str, rows: dict[int, GridRow], *, version: int) -> None:
    """Write rows of `daily_log` as the downloads processor does."""
    lines = [
        (
            *(model_id, source, day, row.cumulative or 0, row.downloads, 0),
            *("gap" if row.gap else "observed", end_of(day), row.cumulative is None, version),
        )
        for source in ("huggingface", "modelscope")
        for day, row in rows.items()
    ]
    client.insert("daily_log", lines, DAILY_COLUMNS)


def rows_of(client: Client, sql: str) -> list[dict[str, Any]]:
    return list(client.query(sql).named_results())


def peers(days: int = 20) -> list[Entry]:
    return [Entry(peer, grid([1_000] * days)) for peer in PEERS]


async def test_burst_and_its_confirmation_are_written_and_published(settings: Settings) -> None:
    client, published = writer_client(settings), Published()
    worker = Worker(settings, published)
    knot = (end_of(day_of(7)) + timedelta(hours=12), 3_035)
    new = Entry("org/new", grid(SPIKE), tracked=False, knot=knot)
    await worker.process(slice_of(*peers(), new))
    assert worker.acknowledged == 1
    assert published.statuses("org/new") == ["crossed"]
    (event,) = [one for one in published.events if one.model_id == "org/new"][:1]
    (row,) = rows_of(
        client, "SELECT * FROM breakouts WHERE model_id = 'org/new' AND baseline = 'live'"
    )
    assert row["status"] == "burst"
    assert (row["ram"], row["ram_capped"]) == (3.03, 0.16)
    assert (event.ram, event.ram_capped) == (row["ram"], row["ram_capped"])
    assert event.top_day_share == row["top_day_share"] == 2_970 / 3_030
    (now,) = rows_of(
        client,
        "SELECT l.capped AS capped FROM latest_log AS l FINAL WHERE l.model_id = 'org/new'",
    )
    assert now["capped"] == 165
    # A new worker goes on from what is stored.
    worker = Worker(settings, published)
    steady = {day_of(7 + day): GridRow(3_030 + 200 * day, 200) for day in range(1, 9)}
    await worker.process(slice_of(Entry("org/new", steady, tracked=False, known=2)))
    assert published.statuses("org/new") == ["crossed", "confirmed"]
    (row,) = rows_of(
        client, "SELECT * FROM breakouts WHERE model_id = 'org/new' AND baseline = 'live'"
    )
    assert (row["status"], row["confirmed_at"]) == ("confirmed", end_of(day_of(12)))


async def test_views_show_ram_and_capped_ram(settings: Settings) -> None:
    client = writer_client(settings)
    knot = (end_of(day_of(7)) + timedelta(hours=12), 3_035)
    new = Entry("org/new", grid(SPIKE), tracked=False, knot=knot)
    await Worker(settings, Published()).process(slice_of(*peers(), new))
    columns = ("model_id", "org", "base_models", "tracked", "observed_at")
    client.insert("models_log", [("org/new", "org", [], False, CHANGED)], columns)
    where = "WHERE model_id = 'org/new' AND baseline = 'live'"
    at_ages = rows_of(client, f"SELECT * FROM ram {where} ORDER BY age_days")
    assert [(row["age_days"], row["ram"], row["ram_capped"]) for row in at_ages[1:5]] == [
        (1, 0.01, None),
        (2, 0.02, 0.02),
        (3, 0.03, 0.03),
        (4, 3.0, 0.13),
    ]
    (milestone,) = rows_of(client, f"SELECT * FROM ram_milestones {where}")
    assert (milestone["age_days"], milestone["ram_capped"]) == (7, 0.16)
    (now,) = rows_of(client, f"SELECT * FROM ram_now {where}")
    assert (now["age_days"], now["ram"], now["ram_capped"]) == (7.5, 3.035, 0.165)
    assert list(now)[-1] == list(milestone)[-1] == list(at_ages[0])[-1] == "ram_capped"
    points = rows_of(client, "SELECT * FROM points WHERE model_id = 'org/new'")
    assert len(points) == len(SPIKE)


async def test_rows_are_read_anew_from_the_grid_when_asked(settings: Settings) -> None:
    client = writer_client(settings)
    worker = Worker(settings, Published())
    await worker.process(slice_of(Entry("a/b", grid([1, 2, 3]))))
    write_grid(client, "a/b", grid([5, 6, 7, 8, 9]), version=1)
    write_grid(client, "a/b", {day_of(2): WITHDRAWN, day_of(3): GridRow(8, 1, gap=True)}, version=2)
    write_grid(client, "a/c", grid([40]), version=1)
    moved = RELEASED + timedelta(days=1)
    told = [
        Entry(one, released_at=moved, changed_at=CHANGED + timedelta(days=9), reread=True)
        for one in ("a/b", "a/c", "a/none")
    ]
    await worker.process(slice_of(*told))
    found = {
        (row["model_id"], row["age_days"]): row["cumulative"]
        for row in rows_of(client, "SELECT model_id, age_days, cumulative FROM points")
    }
    assert found == {("a/b", 0): 6, ("a/b", 3): 9}
    days = rows_of(
        client,
        "SELECT age_days, cumulative, downloads FROM points_log FINAL WHERE age_days = 2",
    )
    assert days == [{"age_days": 2, "cumulative": None, "downloads": 1}]


async def test_restarted_worker_has_the_same_state(settings: Settings) -> None:
    worker = Worker(settings, Published())
    rows = grid(SPIKE) | {day_of(8): GridRow(3_035, 5, gap=True)}
    left = Entry("org/left", grid([1, 2]))
    await worker.process(slice_of(*peers(), Entry("org/new", rows, tracked=False), left))
    gone = Entry("org/left", released_at=None, changed_at=CHANGED + timedelta(days=1))
    await worker.process(slice_of(gone))
    ages = (settings.breakout_min_age_days, settings.breakout_max_age_days)
    loaded = load_bins(WorkerClickHouse(settings), [SIZE_BIN], *ages)[SIZE_BIN].matrix
    matrix = worker.processor.states[SIZE_BIN].matrix
    assert loaded.columns.keys() == matrix.columns.keys()
    for model_id, column in matrix.columns.items():
        other = loaded.columns[model_id]
        assert loaded.points[:, other].tolist() == matrix.points[:, column].tolist()
        assert loaded.downloads[:, other].tolist() == matrix.downloads[:, column].tolist()
        assert loaded.tracked[other] == matrix.tracked[column]
        assert loaded.latest[other] == matrix.latest[column]


async def test_repeated_slices_change_no_row(settings: Settings) -> None:
    client, published = writer_client(settings), Published()
    slices = [slice_of(*peers()), slice_of(Entry("org/new", grid(SPIKE), tracked=False))]
    await Worker(settings, published).process(*slices)
    tables = ("points", "ram", "baselines", "breakouts", "ram_now")
    before = {name: rows_of(client, f"SELECT * FROM {name} ORDER BY ALL") for name in tables}
    events = len(published.events)
    worker = Worker(settings, published)
    for one in slices:
        await worker.process(one)
    assert {
        name: rows_of(client, f"SELECT * FROM {name} ORDER BY ALL") for name in tables
    } == before
    assert len(published.events) == events


async def test_stop_while_rows_are_read_changes_no_state(settings: Settings) -> None:
    worker = Worker(settings, Published())
    await worker.process(slice_of(*peers()))
    version = worker.processor.states[SIZE_BIN].version
    worker.processor.clickhouse.stop()
    later = Entry("org/new", grid(SPIKE), known=2)
    with pytest.raises(StoppingError):
        await worker.process(slice_of(later), slice_of(Entry("org/other", reread=True)))
    state = worker.processor.states[SIZE_BIN]
    assert (state.version, "org/new" in state.matrix.columns) == (version, False)
    assert worker.acknowledged == 1
