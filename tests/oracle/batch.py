"""Recomputes every table and view from the raw observations."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from breakout.contract.events import ModelRecord

from .baselines import baselines_of
from .breakouts import breakouts_of
from .clean import downloads_of, merge, series_of
from .counter_health import counter_health_of
from .daily import daily, daily_by_source, grids_of
from .inputs import FrozenRow, Observation, Row, newest_records
from .points import latest_of, points_of, ram_models
from .ram import milestones_of, now_of, ram_of
from .scrapes import scrapes_of


@dataclass(frozen=True)
class Tables:
    """Rows by key, each table under its view's name.

    `latest` is no view, and the columns `downloads` and `capped` of `points` are internal.
    """

    models: dict[str, ModelRecord]
    downloads: dict[tuple[str, datetime], Row]
    """The Hub's, by model_id, observed_at."""
    downloads_by_source_log: dict[tuple[str, str, datetime], Row]
    """By model_id, source, observed_at."""
    scrapes: dict[tuple[str, datetime], Row]
    """By source, observed_at."""
    downloads_daily: dict[tuple[str, date], Row]
    """The Hub's, by model_id, day."""
    downloads_daily_by_source: dict[tuple[str, str, date], Row]
    """By model_id, source, day."""
    counter_health: dict[tuple[date, str, str], Row]
    """By day, source, age_band."""
    points: dict[tuple[str, int, str], Row]
    """By size_bin, age_days, model_id."""
    latest: dict[str, Row]
    """The last knot by model_id; models with a release date and a size bin only."""
    baselines: dict[tuple[str, str, int], Row]
    """By baseline, size_bin, age_days."""
    ram: dict[tuple[str, str, int], Row]
    """By baseline, model_id, age_days."""
    ram_milestones: dict[tuple[str, str, int], Row]
    """By baseline, model_id, age_days."""
    ram_now: dict[tuple[str, str], Row]
    """By baseline, model_id."""
    breakouts: dict[tuple[str, str], Row]
    """By baseline, model_id."""


def recompute(
    observations: Iterable[Observation],
    models: Iterable[ModelRecord],
    *,
    frozen: Iterable[FrozenRow] = (),
    min_age: int = 7,
    max_age: int = 90,
) -> Tables:
    """Compute every table and view of the definitions; the order of the inputs is irrelevant."""
    observed = list(observations)
    newest = newest_records(list(models))
    merged = merge(observed)
    series = series_of(merged)
    grids = grids_of(series)
    downloads = downloads_of(merged, series)
    by_source = daily_by_source(grids)
    with_points = ram_models(newest, series, grids)
    points = points_of(with_points)
    baselines = baselines_of(with_points, points, frozen)
    ram = ram_of(points, baselines)
    return Tables(
        models=newest,
        downloads={
            (model_id, observed_at): row
            for (model_id, source, observed_at), row in downloads.items()
            if source == "huggingface"
        },
        downloads_by_source_log=downloads,
        scrapes=scrapes_of(observed),
        downloads_daily=daily(by_source),
        downloads_daily_by_source=by_source,
        counter_health=counter_health_of(series, newest),
        points=points,
        latest=latest_of(with_points),
        baselines=baselines,
        ram=ram,
        ram_milestones=milestones_of(ram, newest),
        ram_now=now_of(with_points, baselines, newest),
        breakouts=breakouts_of(ram, with_points, min_age, max_age),
    )


def freeze(tables: Tables, name: str) -> tuple[FrozenRow, ...]:
    """Copy `live` under a name, for a later `recompute`."""
    return tuple(
        FrozenRow(name, size_bin, age, row["peers"], row["downloads"], row["as_of"])
        for (baseline, size_bin, age), row in tables.baselines.items()
        if baseline == "live"
    )
