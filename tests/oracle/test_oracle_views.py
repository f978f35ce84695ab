"""The SQL views compared with the oracle, on ClickHouse's engine in this process."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from chdb.session import Session
from hypothesis import HealthCheck, given, settings

from breakout.clickhouse.migrations import read_migrations, sql_folder
from breakout.clickhouse.views import read_views
from breakout.contract.events import ModelRecord

from . import Observation, Tables, as_of, differences, freeze, recompute
from .histories import History, make_history
from .inputs import Row
from .log_rows import LOGS, UNVERSIONED, log_rows
from .public_views import KEYS, public_rows
from .strategies import histories

VERSION = 7
"""Version of the current rows; lower versions are superseded."""


class Engine:
    """One database with the schema and the views."""

    def __init__(self, session: Any) -> None:
        self.session = session
        session.query("CREATE DATABASE breakout")
        session.query("USE breakout")
        # Otherwise infinite RAM would be read as null.
        session.query("SET output_format_json_quote_denormals = 1")
        for migration in read_migrations():
            for statement in migration.statements:
                session.query(statement)
        for view in read_views(sql_folder() / "views"):
            session.query(view.statement)
        for log in LOGS:
            # Superseded rows stay in separate parts: only FINAL hides them.
            session.query(f"SYSTEM STOP MERGES {log}")

    def load(self, tables: Tables) -> None:
        """Replace all rows by those that the processors would write for these tables."""
        for log in (*LOGS, "models_history"):
            self.session.query(f"TRUNCATE TABLE {log}")
        for log, rows in log_rows(tables).items():
            versioned = log not in UNVERSIONED
            self._insert(log, [row | {"version": VERSION} if versioned else row for row in rows])
            self._insert(log, superseded(log, rows))

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        lines = "\n".join(json.dumps(row, default=_written) for row in rows)
        if lines:
            self.session.query(f"INSERT INTO {table} FORMAT JSONEachRow\n{lines}")

    def read(
        self,
        view: str,
        key: tuple[str, ...],
        columns: Iterable[str],
        moment: datetime | None = None,
    ) -> dict[Any, Row]:
        """Return these columns of the view by its key; with a moment, of an as-of view."""
        wanted = list(columns)
        table = view if moment is None else f"{view}(moment = '{_written(moment)}')"
        response = self.session.query(f"SELECT {', '.join(wanted)} FROM {table}", "JSONCompact")
        data = json.loads(response.bytes())
        types = [column["type"] for column in data["meta"]]
        rows: dict[Any, Row] = {}
        for values in data["data"]:
            row = {
                name: _read(kind, value)
                for name, kind, value in zip(wanted, types, values, strict=True)
            }
            place = tuple(row[name] for name in key)
            assert place not in rows, f"{view} has {place} twice"
            rows[place] = row
        return rows


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    assert isinstance(value, date)
    return value.isoformat()


def _read(kind: str, value: Any) -> Any:
    if value is not None and "DateTime64" in kind:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if value is not None and "Date" in kind:
        return date.fromisoformat(value)
    return value


def superseded(log: str, rows: list[Row]) -> list[Row]:
    """Return older rows of the same keys with other values, and withdrawn rows."""
    if log == "scrapes_log":
        # A slice that is delivered again is equal.
        return rows
    if log == "models_log":
        return [
            row
            | {"org": "old", "released_at": None, "observed_at": datetime(2001, 1, 1, tzinfo=UTC)}
            for row in rows
        ]
    outdated: dict[str, Row] = {
        "downloads_log": {"state": "held", "downloads_all_time": 1, "opening": 1},
        "daily_log": {"cumulative": 77, "downloads": 77, "correction": 7, "withdrawn": 0},
        "daily_superseded": {"cumulative": 77, "withdrawn": 0},
        "points_log": {"cumulative": 77, "downloads": 77, "capped": 77},
        "latest_log": {"cumulative": 77, "tracked": False},
        "baselines_log": {"peers": 3, "downloads": None},
        "breakouts_log": {"ram": 99.0, "retracted": False},
    }
    withdrawn: dict[str, Row] = {
        "daily_log": {"model_id": "org0/left", "withdrawn": 1},
        "daily_superseded": {"model_id": "org0/left", "withdrawn": 1},
        "points_log": {"model_id": "org0/left", "cumulative": None},
        "latest_log": {"model_id": "org0/left", "released_at": None},
        "baselines_log": {"baseline": "withdrawn", "peers": 0, "downloads": None, "as_of": None},
        "breakouts_log": {"model_id": "org0/left", "retracted": True},
    }
    older = [row | outdated[log] | {"version": VERSION - 1} for row in rows]
    if log in withdrawn:
        for row in rows[:40]:
            older.append(row | withdrawn[log] | {"version": VERSION})
            older.append(row | withdrawn[log] | outdated[log] | {"version": VERSION - 1})
    return older


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    open_session: Any = Session  # chdb has no types
    with open_session() as session:
        yield Engine(session)


def check(engine: Engine, history: History) -> Tables:
    """Compare every view with the oracle, including a frozen baseline."""
    half = History(history.observations[: len(history.observations) // 2], history.models)
    frozen = freeze(recompute(half.observations, half.models), "frozen")
    tables = recompute(history.observations, history.models, frozen=frozen)
    engine.load(tables)
    for view, expected in public_rows(tables).items():
        columns = next(iter(expected.values())) if expected else KEYS[view]
        actual = engine.read(view, KEYS[view], columns)
        found = differences(expected, actual)
        assert found == [], f"{view}: {found}"
    return tables


def check_as_of(engine: Engine, history: History, moment: datetime) -> None:
    """Compare the as-of views with the oracle on what was known then; after `check`."""
    then = recompute(*as_of(moment, history.observations, history.models))
    live = {key: row for key, row in then.baselines.items() if key[0] == "live"}
    latest: dict[Any, Row] = {}
    for (model_id, observed_at), row in sorted(then.downloads.items()):
        if row["cumulative"] is not None:
            latest[(model_id,)] = {
                "model_id": model_id,
                "observed_at": observed_at,
                "cumulative": row["cumulative"],
            }
    expected_rows: dict[str, tuple[tuple[str, ...], Mapping[Any, Row]]] = {
        "latest_as_of": (("model_id",), latest),
        "downloads_daily_as_of": (KEYS["downloads_daily"], then.downloads_daily),
        "points_as_of": (KEYS["points"], public_rows(then)["points"]),
        "capped_as_of": (KEYS["points"], _without(then.points, "downloads")),
        "baselines_as_of": (KEYS["baselines"], live),
    }
    for view, (key, expected) in expected_rows.items():
        columns = next(iter(expected.values())) if expected else key
        actual = engine.read(view, key, columns, moment)
        if view == "baselines_as_of":
            actual = {place: row for place, row in actual.items() if place[0] == "live"}
        found = differences(expected, actual)
        assert found == [], f"{view} at {moment}: {found}"


def _without(rows: Mapping[Any, Row], column: str) -> dict[Any, Row]:
    return {key: {name: row[name] for name in row if name != column} for key, row in rows.items()}


def observed(days: float, count: int | None, model: int = 0) -> Observation:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=days)
    return Observation("huggingface", "live", f"org/m{model:02}", at, count)


MILLISECOND = 1 / 86_400_000
ELEVEN = [
    ModelRecord(
        model_id=f"org/m{i:02}",
        observed_at=datetime(2026, 3, 1, tzinfo=UTC),
        org="org",
        region=None,
        total_params_b=None,
        size_bin="<1B",
        released_at=date(2026, 3, 1),
        tracked=i < 10,
    )
    for i in range(11)
]
EDGES: dict[str, list[Observation]] = {
    "nothing": [],
    "one observation": [observed(0, 5)],
    "only null": [observed(0, None), observed(1, None)],
    "null between": [observed(0, 5), observed(1, None), observed(2, 9)],
    "just within a renewal": [observed(0, 0), observed(1, 50), observed(2 - MILLISECOND, 50)],
    "just after a renewal": [observed(0, 0), observed(1, 50), observed(2, 50)],
    "idle below 20 downloads": [observed(0, 0), observed(1, 19), observed(2, 19)],
    "held, then known to be idle": [observed(day, 100 * min(day, 1)) for day in range(7)],
    "held for four days": [observed(day, 100 * min(day, 1)) for day in range(6)]
    + [observed(6, 600)],
    "correction": [observed(0, 1000), observed(1, 900), observed(2, 950)],
    "two corrections in a day": [
        observed(0, 1000),
        observed(1.25, 900),
        observed(1.5, 950),
        observed(1.75, 800),
        observed(3, 900),
    ],
    "correction at midnight": [observed(0.5, 1000), observed(1, 900), observed(2.5, 950)],
    "rollback": [observed(0, 1000), observed(1, 900), observed(2, 950), observed(3, 1000)],
    "rollback of 14 days": [observed(0, 1000), observed(1, 900), observed(15, 1000)],
    "correction of just over 14 days": [
        observed(0, 1000),
        observed(1, 900),
        observed(15 + MILLISECOND, 1000),
    ],
    "another source": [replace(observed(day, 10 + day), source="modelscope") for day in (0, 1)],
    "every milestone": [
        observed(day + more, 3 * day + m + more, m)
        for day in (7, 14, 30, 60, 90, 180, 365)
        for more in (-1, 0)
        for m in range(11)
    ],
    "gap of four days": [observed(0.25, 0), observed(4.25, 77)],
    "gap of just over four days": [observed(0.25, 0), observed(4.25 + MILLISECOND, 77)],
    "gap of years": [observed(0, 5), observed(900, 5001)],
    "greatest counter after a gap": [observed(0, 2**60 - 3), observed(40, 2**63 - 1)],
    "baseline of zero": [observed(day, 0, m) for day in (6, 7, 8.5, 9) for m in range(10)]
    + [observed(8.25, 3, 10), observed(8.5, 3, 10), observed(9, 4, 10)],
    "exactly a year old": [observed(day, 100 + m, m) for day in (364, 365) for m in range(11)],
    "over a year old": [observed(day, 100, m) for day in (364, 365) for m in range(10)]
    + [observed(365 + MILLISECOND, 9, 10)],
    "just before release": [observed(-MILLISECOND, 9, 10)]
    + [observed(day, 1, m) for day in (-1, 0, 1) for m in range(10)],
    "whole age without the day after": [
        observed(day, 100 * day + m, m) for day in (6, 7) for m in range(11)
    ],
    "nine peers": [observed(day, 100 + m, m) for day in (6, 7, 8) for m in range(9)]
    + [observed(7.5, 1, 10)],
    "burst, later confirmed": [observed(day, 200 * day, m) for day in range(30) for m in range(10)]
    + [observed(day, 50 * min(day, 6) + (day > 6) * (1000 * day - 5000), 10) for day in range(30)],
    "burst": [observed(day, 1000 + day, m) for day in range(12) for m in range(10)]
    + [observed(day, 5 * day + 4000 * (day > 6), 10) for day in range(12)],
}


@pytest.mark.parametrize("edge", EDGES)
def test_views_equal_the_oracle_in_edge_cases(engine: Engine, edge: str) -> None:
    check(engine, History(EDGES[edge], ELEVEN))


@settings(
    max_examples=12,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(histories(models=12, times=15))
def test_views_equal_the_oracle(engine: Engine, history: History) -> None:
    check(engine, history)


def test_views_of_many_models_equal_the_oracle(engine: Engine) -> None:
    tables = check(engine, make_history(Random(6), models=40, times=45))
    # The expected views are not empty.
    assert any(row["ram"] is not None for row in tables.ram_now.values())
    assert any(row["ram"] for row in tables.ram_milestones.values())
    assert {row["status"] for row in tables.breakouts.values()} == {"burst", "confirmed"}
    assert any(row["ended_at"] for row in tables.breakouts.values())
    assert any(row["held"] for row in tables.counter_health.values())


@pytest.mark.parametrize("seed", range(6))
def test_as_of_views_equal_the_oracle(engine: Engine, seed: int) -> None:
    random = Random(seed)
    plain = make_history(random, models=12, times=20)
    # The registry's own history is not in the oracle's tables.
    known = datetime(2026, 1, 1, tzinfo=UTC)
    newest = {one.model_id: one for one in plain.models}
    records = [one.model_copy(update={"observed_at": known}) for one in newest.values()]
    history = History(plain.observations, records)
    check(engine, history)
    for moment in random.sample(sorted({one.observed_at for one in history.observations}), 4):
        for at in (moment - timedelta(milliseconds=1), moment):
            check_as_of(engine, history, at)
