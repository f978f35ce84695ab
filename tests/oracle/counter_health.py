"""How many counters are held and fallen on each day."""

from datetime import date

from breakout.contract.events import ModelRecord

from . import counters
from .clean import SeriesKey
from .inputs import Row, date_of

HealthKey = tuple[date, str, str]
BUSY_FROM = 20
"""Downloads a day."""


def counter_health_of(
    series: dict[SeriesKey, list[counters.Observation]], newest: dict[str, ModelRecord]
) -> dict[HealthKey, Row]:
    """Return the rows of `counter_health`: one per UTC day, source and age band with observations.

    An observation here has an all-time counter; a repository is one with an observation on the day.

    - `busy` counts the repositories whose rate is 20 a day or more at their last observation of the
      day: the rate before the latest change at or before it, as a held observation is judged by.
    - `held` counts the busy ones whose last observation of the day is held.
    - `fallen` counts the busy ones of which any observation of the day is a correction or inside a
      rollback.
    - `corrections` is the sum of the corrections of the day, of all repositories.

    They are counts, so that they add up over bands, sources and days; the share held is
    `held / busy`. The age band is that of `created_at` in the newest record.
    """
    rows: dict[HealthKey, Row] = {}
    for (model_id, source), own in series.items():
        states = counters.states(own)
        corrections = {knot.moment: knot.correction for knot in counters.knots(own)}
        for day in {moment // counters.DAY for moment, _ in own}:
            positions = [i for i, (moment, _) in enumerate(own) if moment // counters.DAY == day]
            last = positions[-1]
            band = age_band(newest.get(model_id))
            row = rows.setdefault(
                (date_of(day), source, band),
                {
                    "day": date_of(day),
                    "source": source,
                    "age_band": band,
                    "busy": 0,
                    "held": 0,
                    "fallen": 0,
                    "corrections": 0,
                },
            )
            row["corrections"] += sum(corrections.get(own[i][0], 0) for i in positions)
            if counters.rate(own, latest_change(own, last)) >= BUSY_FROM:
                row["busy"] += 1
                row["held"] += states[last] == "held"
                row["fallen"] += any(states[i] in {"correction", "rollback"} for i in positions)
    return rows


def latest_change(observations: list[counters.Observation], position: int) -> int:
    """Return the position of the latest change at or before a position."""
    while position > 0 and observations[position - 1][1] == observations[position][1]:
        position -= 1
    return position


def age_band(record: ModelRecord | None) -> str:
    """Return the age band of a repository by its creation."""
    if record is None or record.created_at is None:
        return "unknown"
    if record.created_at.year < 2023:
        return "before 2023"
    return "2023-2024" if record.created_at.year < 2025 else "2025 and after"
