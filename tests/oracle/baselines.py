"""The built-in baselines, each computed independently."""

from collections.abc import Iterable
from dataclasses import asdict
from fractions import Fraction
from itertools import pairwise

from .inputs import EPOCH, FrozenRow, Row
from .points import AGES, PointKey, RamModel

BaselineKey = tuple[str, str, int]
MILESTONES = (7, 14, 30, 60, 90, 180, 365)


def baselines_of(
    models: dict[str, RamModel], points: dict[PointKey, Row], frozen: Iterable[FrozenRow]
) -> dict[BaselineKey, Row]:
    """Return the rows of `baselines`: the three built-in ones and the frozen ones."""
    rows: list[Row] = []
    for size_bin in sorted({model.size_bin for model in models.values()}):
        tracked = sorted(
            (model for model in models.values() if model.size_bin == size_bin and model.tracked),
            key=lambda model: model.model_id,
        )
        at = {
            age: [
                points[size_bin, age, model.model_id]
                for model in tracked
                if (size_bin, age, model.model_id) in points
            ]
            for age in AGES
        }
        rows += _live(size_bin, at) + _live_fixed(size_bin, at, tracked) + _cutoff(size_bin, at)
    rows += [asdict(one) for one in frozen]
    return {
        (row["baseline"], row["size_bin"], row["age_days"]): row for row in rows if row["peers"] > 0
    }


def _row(baseline: str, size_bin: str, age: int, points: list[Row], downloads: float | None) -> Row:
    return {
        "baseline": baseline,
        "size_bin": size_bin,
        "age_days": age,
        "peers": len(points),
        "downloads": downloads,
        "as_of": max((point["as_of"] for point in points), default=None),
    }


def _ten_greatest(points: list[Row]) -> list[Row]:
    return sorted(points, key=lambda point: (-point["cumulative"], point["model_id"]))[:10]


def _median_of_ten(points: list[Row]) -> float | None:
    if len(points) < 10:
        return None
    ranked = _ten_greatest(points)
    # Integers summed before the one division, so that it is rounded once.
    return float((ranked[4]["cumulative"] + ranked[5]["cumulative"]) / 2)


def _live(size_bin: str, at: dict[int, list[Row]]) -> list[Row]:
    rows = []
    for age, points in at.items():
        ten = _ten_greatest(points)
        rows.append(_row("live", size_bin, age, ten, _median_of_ten(ten)))
    return rows


def _live_fixed(size_bin: str, at: dict[int, list[Row]], tracked: list[RamModel]) -> list[Row]:
    totals = [(-model.latest[1], model.model_id) for model in tracked if model.latest is not None]
    ten = {model_id for _, model_id in sorted(totals)[:10]}
    rows = []
    for age, points in at.items():
        fixed = [point for point in points if point["model_id"] in ten]
        rows.append(_row("live_fixed", size_bin, age, fixed, _median_of_ten(fixed)))
    return rows


def _cutoff(size_bin: str, at: dict[int, list[Row]]) -> list[Row]:
    rows: dict[int, Row] = {}
    greatest = 0
    for age in MILESTONES:
        ten = _ten_greatest(at[age])
        downloads = None
        if len(ten) == 10:
            greatest = max(greatest, ten[9]["cumulative"])
            downloads = float(greatest)
        rows[age] = _row("live_cutoff", size_bin, age, ten, downloads)
    for start, end in pairwise(MILESTONES):
        first, second = rows[start], rows[end]
        for age in range(start + 1, end):
            part = Fraction(age - start, end - start)
            rows[age] = {
                "baseline": "live_cutoff",
                "size_bin": size_bin,
                "age_days": age,
                "peers": min(first["peers"], second["peers"]),
                "downloads": between(first["downloads"], second["downloads"], part),
                "as_of": max(first["as_of"] or EPOCH, second["as_of"] or EPOCH),
            }
    return list(rows.values())


def between(low: float | None, high: float | None, part: Fraction) -> float | None:
    """Interpolate between low and high, rounded once."""
    if low is None or high is None:
        return None
    return float(Fraction(low) + (Fraction(high) - Fraction(low)) * part)
