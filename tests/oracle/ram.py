"""RAM at whole-day ages, at the milestones, and now."""

from fractions import Fraction

from breakout.contract.events import ModelRecord

from .baselines import MILESTONES, BaselineKey, between
from .capping import capped_at_knot
from .inputs import Row, milliseconds
from .points import OLDEST, PointKey, RamModel

RamKey = tuple[str, str, int]
DAY_MILLISECONDS = 24 * 60 * 60 * 1000


def _ratio(cumulative: int | None, downloads: float | None) -> float | None:
    return float(cumulative) / downloads if cumulative is not None and downloads else None


def ram_of(points: dict[PointKey, Row], baselines: dict[BaselineKey, Row]) -> dict[RamKey, Row]:
    """Return the rows of `ram`."""
    rows: dict[RamKey, Row] = {}
    names = sorted({name for name, _, _ in baselines})
    for (size_bin, age, model_id), point in points.items():
        for name in names:
            baseline = baselines.get((name, size_bin, age))
            if baseline is None:
                continue
            rows[name, model_id, age] = {
                "baseline": name,
                "model_id": model_id,
                "size_bin": size_bin,
                "age_days": age,
                "as_of": point["as_of"],
                "cumulative": point["cumulative"],
                "baseline_downloads": baseline["downloads"],
                "peers": baseline["peers"],
                "ram": _ratio(point["cumulative"], baseline["downloads"]),
                "ram_capped": _ratio(point["capped"], baseline["downloads"]),
            }
    return rows


def milestones_of(ram: dict[RamKey, Row], newest: dict[str, ModelRecord]) -> dict[RamKey, Row]:
    """Return the rows of `ram_milestones`."""
    return {
        key: row | _facts(newest[row["model_id"]])
        for key, row in ram.items()
        if row["age_days"] in MILESTONES
    }


def _facts(record: ModelRecord) -> Row:
    return {
        "org": record.org,
        "region": record.region,
        "total_params_b": record.total_params_b,
        "released_at": record.released_at,
        "tracked": record.tracked,
    }


def now_of(
    models: dict[str, RamModel],
    baselines: dict[BaselineKey, Row],
    newest: dict[str, ModelRecord],
) -> dict[tuple[str, str], Row]:
    """Return the rows of `ram_now`: the last knot at its exact age.

    There is one where the baseline has a row at the whole days of the age.
    """
    rows: dict[tuple[str, str], Row] = {}
    names = sorted({name for name, _, _ in baselines})
    for model in models.values():
        if model.latest is None:
            continue
        at, cumulative = model.latest
        age = Fraction(milliseconds(at) - milliseconds(model.day0), DAY_MILLISECONDS)
        if age < 0 or age > OLDEST:
            continue
        whole = age.numerator // age.denominator
        capped = capped_at_knot(model.rows, cumulative)
        for name in names:
            low = baselines.get((name, model.size_bin, whole))
            if low is None:
                continue
            downloads, peers = low["downloads"], low["peers"]
            if age != whole:
                high = baselines.get((name, model.size_bin, whole + 1))
                peers = min(peers, high["peers"]) if high is not None else 0
                downloads = between(
                    downloads, high["downloads"] if high is not None else None, age - whole
                )
            rows[name, model.model_id] = {
                "baseline": name,
                "model_id": model.model_id,
                "size_bin": model.size_bin,
                "age_days": float(age),
                "as_of": at,
                "cumulative": cumulative,
                "baseline_downloads": downloads,
                "peers": peers,
                "ram": _ratio(cumulative, downloads),
                "ram_capped": _ratio(capped, downloads),
            } | _facts(newest[model.model_id])
    return rows
