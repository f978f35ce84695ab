"""Models that have points: points at whole-day ages, and latest cumulative downloads."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta

from breakout.contract.events import ModelRecord

from .clean import DownloadsKey
from .inputs import DAY, Row, midnight, milliseconds

PointKey = tuple[str, int, str]
MAX_GAP = timedelta(days=3)
AGES = range(366)


@dataclass(frozen=True)
class RamModel:
    """A model with a release date and a size bin, and its clean series by time."""

    model_id: str
    size_bin: str
    day0: datetime
    tracked: bool
    series: list[tuple[datetime, int]]

    @property
    def latest(self) -> tuple[datetime, int] | None:
        return self.series[-1] if self.series else None


def ram_models(
    newest: dict[str, ModelRecord], downloads: dict[DownloadsKey, Row]
) -> dict[str, RamModel]:
    """Return the models with a release date and a size bin, by id."""
    series: dict[str, list[tuple[datetime, int]]] = {}
    for row in sorted(downloads.values(), key=lambda row: row["observed_at"]):
        if row["source"] == "huggingface" and row["cumulative"] is not None:
            series.setdefault(row["model_id"], []).append((row["observed_at"], row["cumulative"]))
    return {
        model_id: RamModel(
            model_id=model_id,
            size_bin=record.size_bin,
            day0=midnight(record.released_at),
            tracked=record.tracked,
            series=series.get(model_id, []),
        )
        for model_id, record in newest.items()
        if record.released_at is not None and record.size_bin is not None
    }


def points_of(models: dict[str, RamModel]) -> dict[PointKey, Row]:
    """Return the rows of `points`."""
    rows: dict[PointKey, Row] = {}
    for model in models.values():
        for age in AGES:
            at = model.day0 + age * DAY
            cumulative = cumulative_at(model.series, at)
            if cumulative is not None:
                rows[model.size_bin, age, model.model_id] = {
                    "size_bin": model.size_bin,
                    "age_days": age,
                    "model_id": model.model_id,
                    "cumulative": cumulative,
                    "as_of": at,
                }
    return rows


def cumulative_at(series: list[tuple[datetime, int]], at: datetime) -> int | None:
    """Return the cumulative at a time: observed, or interpolated over at most 3 days."""
    after = bisect_left(series, at, key=lambda observation: observation[0])
    if after < len(series) and series[after][0] == at:
        return series[after][1]
    if after == 0 or after == len(series):
        return None
    (at0, c0), (at1, c1) = series[after - 1], series[after]
    if at1 - at0 > MAX_GAP:
        return None
    t, t0, t1 = milliseconds(at), milliseconds(at0), milliseconds(at1)
    return c0 + (c1 - c0) * (t - t0) // (t1 - t0)


def latest_of(models: dict[str, RamModel]) -> dict[str, Row]:
    """Return the latest observation of each model; nulls without any."""
    return {
        model.model_id: {
            "size_bin": model.size_bin,
            "model_id": model.model_id,
            "released_at": model.day0.date(),
            "tracked": model.tracked,
            "observed_at": model.latest[0] if model.latest else None,
            "cumulative": model.latest[1] if model.latest else None,
        }
        for model in models.values()
    }
