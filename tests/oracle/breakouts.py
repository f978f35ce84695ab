"""Breakouts: the first crossing of 1.0 per baseline and model, its confirmation and its end."""

from .capping import top_day_share
from .inputs import Row
from .points import RamModel
from .ram import RamKey


def breakouts_of(
    ram: dict[RamKey, Row], models: dict[str, RamModel], min_age: int, max_age: int
) -> dict[tuple[str, str], Row]:
    """Return the rows of `breakouts`.

    A crossing is a burst until the first age, from its own to `max_age`, at which capped RAM is 1.0
    or more; as long as capped RAM is not known, too. It ends at the first later age with RAM below
    0.9, whether or not it has been confirmed, and a later confirmation still counts. `ram`,
    `ram_capped` and `top_day_share` are those at the crossing.
    """
    rows: dict[tuple[str, str], Row] = {}
    for (baseline, model_id, age), row in sorted(ram.items()):
        if row["ram"] is None:
            continue
        breakout = rows.get((baseline, model_id))
        if breakout is None:
            if not (min_age <= age <= max_age and row["ram"] >= 1.0):
                continue
            breakout = rows[baseline, model_id] = {
                "baseline": baseline,
                "model_id": model_id,
                "crossed_at": row["as_of"],
                "age_days": age,
                "ram": row["ram"],
                "ended_at": None,
                "status": "burst",
                "confirmed_at": None,
                "ram_capped": row["ram_capped"],
                "top_day_share": top_day_share(models[model_id].rows, age),
            }
        elif breakout["ended_at"] is None and row["ram"] < 0.9:
            breakout["ended_at"] = row["as_of"]
        capped = row["ram_capped"]
        if breakout["status"] == "burst" and age <= max_age and capped is not None and capped >= 1:
            breakout["status"] = "confirmed"
            breakout["confirmed_at"] = row["as_of"]
    return rows
