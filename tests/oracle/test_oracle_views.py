"""The SQL views compared with the oracle, on ClickHouse's engine in this process."""

import json
from collections.abc import Iterable, Iterator
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

from . import Observation, Tables, differences, freeze, recompute
from .histories import History, make_history
from .inputs import Row
from .strategies import histories

VERSION = 7
"""Version of the current rows; lower versions are superseded."""

KEYS = {
    "scrapes": ("source", "observed_at"),
    "downloads": ("model_id", "source", "observed_at"),
    "downloads_daily": ("model_id", "day"),
    "points": ("size_bin", "age_days", "model_id"),
    "baselines": ("baseline", "size_bin", "age_days"),
    "ram": ("baseline", "model_id", "age_days"),
    "ram_milestones": ("baseline", "model_id", "age_days"),
    "ram_now": ("baseline", "model_id"),
    "breakouts": ("baseline", "model_id"),
}
MATERIALIZED = "closings_log"
"""Filled by a materialized view."""
LOGS = (
    "downloads_log",
    "models_log",
    "scrapes_log",
    "points_log",
    "latest_log",
    "baselines_log",
    "breakouts_log",
)


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
        for log in (*LOGS, MATERIALIZED):
            # Superseded rows stay in separate parts: only FINAL hides them.
            session.query(f"SYSTEM STOP MERGES {log}")

    def load(self, tables: Tables) -> None:
        """Replace all rows by those that the processors would write for these tables."""
        self.session.query(f"TRUNCATE TABLE {MATERIALIZED}")
        for log, rows in log_rows(tables).items():
            self.session.query(f"TRUNCATE TABLE {log}")
            versioned = log != "models_log"
            self._insert(log, [row | {"version": VERSION} if versioned else row for row in rows])
            self._insert(log, superseded(log, rows))

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        lines = "\n".join(json.dumps(row, default=_written) for row in rows)
        if lines:
            self.session.query(f"INSERT INTO {table} FORMAT JSONEachRow\n{lines}")

    def read(self, view: str, columns: Iterable[str]) -> dict[Any, Row]:
        """Return these columns of the view, by its key."""
        wanted = list(columns)
        response = self.session.query(f"SELECT {', '.join(wanted)} FROM {view}", "JSONCompact")
        data = json.loads(response.bytes())
        types = [column["type"] for column in data["meta"]]
        rows: dict[Any, Row] = {}
        for values in data["data"]:
            row = {
                name: _read(kind, value)
                for name, kind, value in zip(wanted, types, values, strict=True)
            }
            key = tuple(row[name] for name in KEYS[view])
            assert key not in rows, f"{view} has {key} twice"
            rows[key] = row
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


def log_rows(tables: Tables) -> dict[str, list[Row]]:
    """Return the rows of the tables behind the views."""
    return {
        "downloads_log": [_without(row, "stalled") for row in tables.downloads.values()],
        "models_log": [
            record.model_dump(exclude={"schema_version"}) for record in tables.models.values()
        ],
        "scrapes_log": [part for row in tables.scrapes.values() for part in _partitions(row)],
        "points_log": list(tables.points.values()),
        "latest_log": [row | {"known": 5} for row in tables.latest.values()],
        "baselines_log": list(tables.baselines.values()),
        "breakouts_log": [
            row | {"retracted": False, "size_bin": tables.latest[row["model_id"]]["size_bin"]}
            for row in tables.breakouts.values()
        ],
    }


def _without(row: Row, column: str) -> Row:
    return {name: value for name, value in row.items() if name != column}


def _partitions(scrape: Row) -> list[Row]:
    """Split a scrape over three partitions; one of them compares nothing."""
    facts = {"source": scrape["source"], "observed_at": scrape["observed_at"], "complete": True}
    compared, standing = scrape["compared"] // 2, scrape["standing"] // 2
    counts = [
        (scrape["models"], 0, 0),
        (0, compared, standing),
        (0, scrape["compared"] - compared, scrape["standing"] - standing),
    ]
    return [
        facts | {"partition": p, "models": models, "compared": compared, "standing": standing}
        for p, (models, compared, standing) in enumerate(counts)
    ]


def superseded(log: str, rows: list[Row]) -> list[Row]:
    """Return older rows of the same keys with other values, and withdrawn rows."""
    if log == "models_log":
        return [
            row
            | {"org": "old", "released_at": None, "observed_at": datetime(2001, 1, 1, tzinfo=UTC)}
            for row in rows
        ]
    outdated: dict[str, Row] = {
        "downloads_log": {"cumulative": 1, "standing": True, "downloads_all_time": 1},
        "scrapes_log": {"models": 99, "compared": 99, "standing": 99},
        "points_log": {"cumulative": 77},
        "latest_log": {"cumulative": 77, "tracked": False},
        "baselines_log": {"peers": 3, "downloads": None},
        "breakouts_log": {"ram": 99.0, "retracted": False},
    }
    withdrawn: dict[str, Row] = {
        "points_log": {"model_id": "org0/left", "cumulative": None},
        "latest_log": {"model_id": "org0/left", "released_at": None},
        "baselines_log": {"baseline": "withdrawn", "peers": 0, "downloads": None, "as_of": None},
        "breakouts_log": {"model_id": "org0/left", "retracted": True},
    }
    older = [row | outdated[log] | {"version": VERSION - 1} for row in rows]
    if log == "downloads_log":
        # A stored counter is never replaced by null: the greater counts.
        unknown = {"cumulative": None, "downloads_all_time": None}
        older = [
            one | (unknown if row["cumulative"] is None else {})
            for one, row in zip(older, rows, strict=True)
        ]
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
    for view, key in KEYS.items():
        expected: dict[Any, Row] = getattr(tables, view)
        if view == "downloads":
            expected = {k: _without(row, "standing") for k, row in expected.items()}
        columns = next(iter(expected.values())) if expected else key
        actual = engine.read(view, columns)
        found = differences(expected, actual)
        assert found == [], f"{view}: {found}"
    return tables


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
    "change just within 23.5 hours": [
        observed(0, 1),
        observed(1, 2),
        observed(1 + 23.5 / 24 - MILLISECOND, 2),
    ],
    "change 23.5 hours before": [observed(0, 1), observed(1, 2), observed(1 + 23.5 / 24, 2)],
    "unchanged within a day of the first": [observed(0, 1), observed(0.5, 1)],
    "three of four unchanged": [observed(day, 1, m) for day in (0, 1, 2) for m in range(3)]
    + [observed(day, int(day), 3) for day in (0, 1, 2)],
    "another source": [replace(observed(day, 10 + day), source="modelscope") for day in (0, 1)],
    "every milestone": [
        observed(day, 3 * day + m, m) for day in (7, 14, 30, 60, 90, 180, 365) for m in range(11)
    ],
    "stall over a month": [observed(0, 1)]
    + [observed(day, 1) for day in range(1, 30)]
    + [observed(30, 77)],
    "gap of years": [observed(0, 5), observed(900, 5001)],
    "greatest counter after a gap": [observed(0, 2**60 - 3), observed(40, 2**63 - 1)],
    "baseline of zero": [observed(day, 0, m) for day in (7, 8.5, 9) for m in range(10)]
    + [observed(8.25, 3, 10), observed(8.5, 3, 10), observed(9, 4, 10)],
    "exactly a year old": [observed(365, 100 + m, m) for m in range(11)],
    "over a year old": [observed(365, 100, m) for m in range(10)]
    + [observed(365 + MILLISECOND, 9, 10)],
    "just before release": [observed(-MILLISECOND, 9, 10)]
    + [observed(day, 1, m) for day in (-1, 0, 1) for m in range(10)],
    "whole age without the day after": [observed(7, 100 + m, m) for m in range(11)],
    "nine peers": [observed(day, 100 + m, m) for day in (7, 8) for m in range(9)]
    + [observed(7.5, 1, 10)],
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
    tables = check(engine, make_history(Random(1), models=60, times=60))
    # The expected views are not empty.
    assert any(row["stalled"] for row in tables.downloads.values())
    assert any(row["ram"] is not None for row in tables.ram_now.values())
    assert any(row["ended_at"] for row in tables.breakouts.values())
    assert any(row["ram"] for row in tables.ram_milestones.values())
