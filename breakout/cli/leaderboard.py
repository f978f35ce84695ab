"""The RAM leaderboard, read from ClickHouse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from breakout.cli.ram_missing import read_ram_missing

BUILT_IN = ("live", "live_fixed", "live_cutoff")
TREND_DAYS = 30

# A subquery, because a list of thousands of models does not fit into a query.
_SELECTED = """
    FROM ram_now
    WHERE baseline = {baseline:String} AND age_days <= {max_age:Float64}
        AND ({size_bin:String} = '' OR size_bin = {size_bin:String})
        AND (empty({models:Array(String)}) OR model_id IN {models:Array(String)})
        AND (empty({orgs:Array(String)}) OR org IN {orgs:Array(String)})
        AND (empty({regions:Array(String)})
            OR ifNull(toString(region), 'unreviewed') IN {regions:Array(String)})
    ORDER BY ram IS NULL, ram DESC, cumulative DESC, model_id
    LIMIT {limit:UInt32}
"""


@dataclass(frozen=True)
class Filters:
    """Which models are shown; an empty filter selects all."""

    size_bin: str | None = None
    max_age_days: float = 365
    models: Sequence[str] = ()
    orgs: Sequence[str] = ()
    regions: Sequence[str] = ()


@dataclass(frozen=True)
class Milestone:
    """RAM at the latest milestone of a model; `ram` is null with too few peers."""

    age_days: int
    ram: float | None


@dataclass(frozen=True)
class Crossing:
    """The first time a model passed 1.0x.

    `ended_at` is null while the breakout is ongoing, `confirmed_at` while it is a burst;
    `ram_capped` and `top_day_share` are those at the crossing.
    """

    crossed_at: datetime
    age_days: int
    ram: float
    ended_at: datetime | None
    status: str
    confirmed_at: datetime | None
    ram_capped: float | None
    top_day_share: float | None


@dataclass(frozen=True)
class Place:
    """One model of the leaderboard. `age_days` is exact; `ram_missing` says why `ram` is null, as
    the web page does; `trend` holds the downloads of each of
    the last 30 UTC days, oldest first, null for a day without a value."""

    rank: int
    model_id: str
    org: str
    size_bin: str
    released_at: date | None
    tracked: bool
    age_days: float
    as_of: datetime
    cumulative: int
    baseline_downloads: float | None
    peers: int
    ram: float | None
    ram_capped: float | None
    ram_missing: str | None
    milestone: Milestone | None
    crossing: Crossing | None
    trend: tuple[int | None, ...]


@dataclass(frozen=True)
class Leaderboard:
    """Models by current RAM, those without one last. `total` counts all that match."""

    baseline: str
    as_of: datetime | None
    total: int
    places: tuple[Place, ...]


EVERY_MODEL = Filters()


def read_leaderboard(
    client: Client,
    *,
    baseline: str = "live",
    filters: Filters = EVERY_MODEL,
    limit: int | None = 20,
) -> Leaderboard:
    """Read the leaderboard."""
    parameters = {
        "baseline": baseline,
        "max_age": float(filters.max_age_days),
        "size_bin": filters.size_bin or "",
        "models": list(filters.models),
        "orgs": list(filters.orgs),
        "regions": list(filters.regions),
        "limit": 2**32 - 1 if limit is None else limit,
    }
    rows = list(
        client.query(
            f"""
            SELECT
                model_id, org, size_bin, released_at, tracked, age_days, as_of, cumulative,
                baseline_downloads, peers, ram, ram_capped,
                count() OVER () AS total, max(as_of) OVER () AS latest
            {_SELECTED}
            """,
            parameters=parameters,
        ).named_results()
    )
    if not rows:
        return Leaderboard(baseline, None, 0, ())
    as_of, total = rows[0]["latest"], rows[0]["total"]
    missing = read_ram_missing(
        client, baseline, [row["model_id"] for row in rows if row["ram"] is None]
    )
    milestones = _milestones(client, parameters)
    crossings = _crossings(client, parameters)
    # The day of a knot is not over: it has no row yet.
    trends = _trends(client, parameters, as_of.date() - timedelta(days=1))
    return Leaderboard(
        baseline=baseline,
        as_of=as_of,
        total=total,
        places=tuple(
            Place(
                rank=rank,
                ram_missing=missing.get(row["model_id"]),
                milestone=milestones.get(row["model_id"]),
                crossing=crossings.get(row["model_id"]),
                trend=trends.get(row["model_id"], ()),
                **{name: value for name, value in row.items() if name not in {"total", "latest"}},
            )
            for rank, row in enumerate(rows, start=1)
        ),
    )


def known_baselines(client: Client) -> list[str]:
    """Return the names of all baselines, the built-in ones first."""
    frozen = client.query("SELECT baseline FROM frozen_baselines FINAL ORDER BY baseline")
    return [*BUILT_IN, *(name for (name,) in frozen.result_rows)]


def _milestones(client: Client, parameters: Mapping[str, Any]) -> dict[str, Milestone]:
    rows = client.query(
        f"""
        SELECT model_id, max(age_days), argMax(tuple(ram), age_days).1
        FROM ram_milestones
        WHERE baseline = {{baseline:String}} AND model_id IN (SELECT model_id {_SELECTED})
        GROUP BY model_id
        """,  # noqa: S608 - a constant
        parameters=dict(parameters),
    ).result_rows
    return {model_id: Milestone(age, ram) for model_id, age, ram in rows}


def _crossings(client: Client, parameters: Mapping[str, Any]) -> dict[str, Crossing]:
    rows = client.query(
        f"""
        SELECT
            model_id, crossed_at, age_days, ram, ended_at, status, confirmed_at, ram_capped,
            top_day_share
        FROM breakouts
        WHERE baseline = {{baseline:String}} AND model_id IN (SELECT model_id {_SELECTED})
        """,  # noqa: S608 - a constant
        parameters=dict(parameters),
    ).result_rows
    return {model_id: Crossing(*facts) for model_id, *facts in rows}


def _trends(
    client: Client, parameters: Mapping[str, Any], last: date
) -> dict[str, tuple[int | None, ...]]:
    days = [last - timedelta(days=ago) for ago in range(TREND_DAYS - 1, -1, -1)]
    rows = client.query(
        f"""
        SELECT model_id, day, downloads
        FROM downloads_daily
        WHERE day >= {{first:Date}} AND model_id IN (SELECT model_id {_SELECTED})
        """,  # noqa: S608 - a constant
        parameters={**parameters, "first": days[0]},
    ).result_rows
    by_model: dict[str, dict[date, int | None]] = {}
    for model_id, day, downloads in rows:
        by_model.setdefault(model_id, {})[day] = downloads
    return {
        model_id: tuple(by_day.get(day) for day in days) for model_id, by_day in by_model.items()
    }
