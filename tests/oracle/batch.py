"""Recomputes every table and view from the raw observations."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from breakout.contract.events import ModelRecord

from .baselines import baselines_of
from .breakouts import breakouts_of
from .clean import clean_series, merge
from .daily import daily
from .inputs import FrozenRow, Observation, Row, newest_records
from .points import latest_of, points_of, ram_models
from .ram import milestones_of, now_of, ram_of
from .scrapes import mark_stalled, scrapes_of


@dataclass(frozen=True)
class Tables:
    """Rows by key. `latest` and the column `standing` of `downloads` are internal."""

    models: dict[str, ModelRecord]
    downloads: dict[tuple[str, str, datetime], Row]
    """By model_id, source, observed_at."""
    scrapes: dict[tuple[str, datetime], Row]
    """By source, observed_at."""
    downloads_daily: dict[tuple[str, date], Row]
    """By model_id, day."""
    points: dict[tuple[str, int, str], Row]
    """By size_bin, age_days, model_id."""
    latest: dict[str, Row]
    """By model_id; models with points only."""
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
    newest = newest_records(list(models))
    downloads = clean_series(merge(observations))
    scrapes = scrapes_of(downloads)
    mark_stalled(downloads, scrapes)
    with_points = ram_models(newest, downloads)
    points = points_of(with_points)
    baselines = baselines_of(with_points, points, frozen)
    ram = ram_of(points, baselines)
    return Tables(
        models=newest,
        downloads=downloads,
        scrapes=scrapes,
        downloads_daily=daily(downloads),
        points=points,
        latest=latest_of(with_points),
        baselines=baselines,
        ram=ram,
        ram_milestones=milestones_of(ram, newest),
        ram_now=now_of(with_points, baselines, newest),
        breakouts=breakouts_of(ram, min_age, max_age),
    )


def freeze(tables: Tables, name: str) -> tuple[FrozenRow, ...]:
    """Copy `live` under a name, for a later `recompute`."""
    return tuple(
        FrozenRow(name, size_bin, age, row["peers"], row["downloads"], row["as_of"])
        for (baseline, size_bin, age), row in tables.baselines.items()
        if baseline == "live"
    )
