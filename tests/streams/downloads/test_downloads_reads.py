"""States and the grid on ClickHouse: a worker that loses its state loses nothing."""

from collections.abc import Iterator, Sequence
from functools import partial
from random import Random

import pyarrow as pa
import pytest

from breakout.clickhouse.migrations import migrate
from breakout.core.counters import State as CounterState
from breakout.core.grid import Basis
from breakout.settings import read_settings
from streams.clickhouse import WorkerClickHouse
from streams.downloads import reads, rows
from streams.downloads.history import compute
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import State
from tests.streams.downloads.stored import Key
from tests.streams.downloads.test_downloads_state import arrivals, batches, expected, history
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

STATES = {state.name.lower(): int(state) for state in CounterState}
BASES = {basis.name.lower(): int(basis) for basis in Basis}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


def migrated(server: ClickHouseServer, seed: int) -> WorkerClickHouse:
    settings = read_settings(clickhouse_url=f"{server.url}/seed_{seed}", partitions=1)
    migrate(settings)
    return WorkerClickHouse(settings)


def load(clickhouse: WorkerClickHouse) -> State:
    return reads.load_partitions(clickhouse, [0], 1)[0]


def work(
    clickhouse: WorkerClickHouse, state: State, batch: Sequence[SliceColumns], crash: str
) -> None:
    plan = state.plan(batch)
    restated = compute({0: state.restate(plan)}, partial(reads.load_stored, clickhouse, {0: state}))
    result = state.apply(plan, restated[0])
    tables: list[tuple[str, pa.Table]] = [
        ("daily_log", rows.daily([result])),
        ("daily_superseded", rows.superseded([result])),
        ("downloads_log", rows.downloads([(result, state.index.origins)])),
    ]
    for name, table in tables[: 2 if crash == "grid" else 3]:
        clickhouse.insert(name, table)


def read_back(clickhouse: WorkerClickHouse) -> tuple[dict[Key, Key], ...]:
    """Return the states, the grid and what it superseded, in the form of `expected`."""
    states = clickhouse.query(
        """
        SELECT
            toString(source), model_id, toUnixTimestamp64Milli(observed_at), toString(state),
            correction, toUnixTimestamp64Milli(knot_since), toUnixTimestamp64Milli(knot_until),
            opening
        FROM downloads_log FINAL
        """
    )
    grids = [
        clickhouse.query(
            f"""
            SELECT
                toString(source), model_id, toUInt32(toUInt16(day)), cumulative, downloads,
                correction, toString(basis), toUnixTimestamp64Milli(known_at)
                {", toUnixTimestamp64Milli(superseded_at)" if superseded else ""}
            FROM {"daily_superseded" if superseded else "daily_log"} FINAL
            """
        )
        for superseded in (False, True)
    ]

    def tuples(table: pa.Table) -> Iterator[Key]:
        columns = (column.to_pylist() for column in table.columns)
        for row in zip(*columns, strict=True):
            yield tuple(-1 if value is None else value for value in row)

    found = {row[:3]: (STATES.get(row[3], -1), *row[4:]) for row in tuples(states)}
    grid, superseded = (
        {
            (*row[:3], row[7])[: 4 if part else 3]: (*row[3:6], BASES[row[6]], *row[7:])
            for row in tuples(table)
        }
        for part, table in enumerate(grids)
    )
    return found, grid, superseded


@pytest.mark.parametrize("seed", range(8))
def test_stream_equals_batch_when_states_are_lost(server: ClickHouseServer, seed: int) -> None:
    clickhouse, random = migrated(server, seed), Random(seed)
    observations = history(random)
    state = load(clickhouse)
    for number, batch in enumerate(batches(random, arrivals(random, observations))):
        crash = random.choice(["", "", "grid", "rows"]) if number < 40 else ""
        work(clickhouse, state, batch, crash)
        if crash:
            state = load(clickhouse)
            work(clickhouse, state, batch, "")
    assert read_back(clickhouse) == expected(observations)
