"""Breakouts: the first crossing of 1.0 per baseline and model, and its end below 0.9."""

from .inputs import Row
from .ram import RamKey


def breakouts_of(ram: dict[RamKey, Row], min_age: int, max_age: int) -> dict[tuple[str, str], Row]:
    """Return the rows of `breakouts`."""
    rows: dict[tuple[str, str], Row] = {}
    for (baseline, model_id, age), row in sorted(ram.items()):
        if row["ram"] is None:
            continue
        breakout = rows.get((baseline, model_id))
        if breakout is None:
            if min_age <= age <= max_age and row["ram"] >= 1.0:
                rows[baseline, model_id] = {
                    "baseline": baseline,
                    "model_id": model_id,
                    "crossed_at": row["as_of"],
                    "age_days": age,
                    "ram": row["ram"],
                    "ended_at": None,
                }
        elif breakout["ended_at"] is None and row["ram"] < 0.9:
            breakout["ended_at"] = row["as_of"]
    return rows
