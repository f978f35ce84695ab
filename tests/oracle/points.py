"""Models that have points: the grid seen from the release date, and the last knot."""

from dataclasses import dataclass
from datetime import datetime

from breakout.contract.events import ModelRecord

from . import counters
from .capping import Rows, capped_at_knot, capped_cumulative
from .clean import SeriesKey
from .inputs import DAY, Row, day_number, midnight, moment_of

PointKey = tuple[str, int, str]
OLDEST = 365
AGES = range(OLDEST + 1)


@dataclass(frozen=True)
class RamModel:
    """A model with a release date and a size bin, its grid and its last knot."""

    model_id: str
    size_bin: str
    day0: datetime
    tracked: bool
    grid: list[counters.Row]
    latest: tuple[datetime, int] | None
    """Moment and cumulative of the last knot."""

    def age_of(self, row: counters.Row) -> int:
        """Return the age at the end of a row's day: day 0 of the age ends at age 1."""
        return row.day + 1 - day_number(self.day0.date())

    @property
    def rows(self) -> Rows:
        """Rows of the grid at the ages of points."""
        return {self.age_of(row): row for row in self.grid if self.age_of(row) in AGES}


def ram_models(
    newest: dict[str, ModelRecord],
    series: dict[SeriesKey, list[counters.Observation]],
    grids: dict[SeriesKey, list[counters.Row]],
) -> dict[str, RamModel]:
    """Return the models with a release date and a size bin, by id."""
    models: dict[str, RamModel] = {}
    for model_id, record in newest.items():
        if record.released_at is None or record.size_bin is None:
            continue
        latest = None
        if (model_id, "huggingface") in series:
            knot = counters.knots(series[model_id, "huggingface"])[-1]
            latest = moment_of(knot.moment), knot.raw
        models[model_id] = RamModel(
            model_id=model_id,
            size_bin=record.size_bin,
            day0=midnight(record.released_at),
            tracked=record.tracked,
            grid=grids.get((model_id, "huggingface"), []),
            latest=latest,
        )
    return models


def points_of(models: dict[str, RamModel]) -> dict[PointKey, Row]:
    """Return the rows of `points`, and of each the day's downloads and the capped cumulative."""
    rows: dict[PointKey, Row] = {}
    for model in models.values():
        by_age = model.rows
        for age, row in by_age.items():
            if row.basis != "gap":
                rows[model.size_bin, age, model.model_id] = {
                    "size_bin": model.size_bin,
                    "age_days": age,
                    "model_id": model.model_id,
                    "cumulative": row.cumulative,
                    "as_of": model.day0 + age * DAY,
                    "downloads": row.downloads,
                    "capped": capped_cumulative(by_age, age),
                }
    return rows


def _capped_at_knot(model: RamModel) -> int | None:
    if model.latest is None or model.latest[0] - model.day0 > OLDEST * DAY:
        return None
    return capped_at_knot(model.rows, model.latest[1])


def latest_of(models: dict[str, RamModel]) -> dict[str, Row]:
    """Return the last knot of each model; nulls without any."""
    return {
        model.model_id: {
            "size_bin": model.size_bin,
            "model_id": model.model_id,
            "released_at": model.day0.date(),
            "tracked": model.tracked,
            "observed_at": model.latest[0] if model.latest else None,
            "cumulative": model.latest[1] if model.latest else None,
            "capped": _capped_at_knot(model),
        }
        for model in models.values()
    }
