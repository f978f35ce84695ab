"""Breakouts of one size bin: which models crossed 1.0x of which baseline, and what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from breakout.core import ram
from breakout.core.arrays import Float, Int
from breakout.core.breakouts import capped, confirmations, first_crossings
from breakout.core.times import DAY_MS
from streams.ram.changes import Breakout, BreakoutRow, Changes


@dataclass(frozen=True)
class Curves:
    """Points of a size bin's models, in the order of their ids; matrices have a row an age."""

    model_ids: Sequence[str]
    day0: Int
    columns: Int
    """Column of each model in `downloads`."""
    points: Int
    downloads: Int
    """Of the days that end at the ages, a column for each of `PointsMatrix`."""


class Breakouts:
    """Breakouts by baseline and model."""

    def __init__(self, min_age: int, max_age: int) -> None:
        self.max_age = max_age
        self._min_age = min_age
        self._found: dict[str, dict[str, Breakout]] = {}
        # Models whose rows in ClickHouse differ from what follows from the points, by baseline:
        # written by a worker that ended before it wrote the points.
        self._unwritten: dict[str, dict[str, Breakout]] = {}

    def is_current(self, baseline: str) -> bool:
        """Whether the breakouts of an unchanged baseline are computed and written."""
        return baseline in self._found and baseline not in self._unwritten

    def compare(self, written: Mapping[str, Mapping[str, Breakout]]) -> None:
        """Make the next `update` write the rows that differ from those in ClickHouse."""
        for baseline, found in self._found.items():
            stored = written.get(baseline, {})
            self._unwritten[baseline] = {
                model_id: stored.get(model_id) or found[model_id]
                for model_id in found.keys() | stored.keys()
                if found.get(model_id) != stored.get(model_id)
            }

    def update(self, baseline: str, curves: Curves, downloads: Float, changes: Changes) -> None:
        """Compute the breakouts of a baseline from its downloads by age; changes are added."""
        now = self._breakouts(curves, downloads)
        before = self._found.get(baseline, {})
        unwritten = self._unwritten.pop(baseline, {})
        for model_id, breakout in now.items():
            known = before.get(model_id)
            if known != breakout or model_id in unwritten:
                status = _status(known, breakout)
                changes.breakouts.append(BreakoutRow(baseline, model_id, breakout, status))
        gone = unwritten | before
        for model_id in gone.keys() - now.keys():
            row = BreakoutRow(baseline, model_id, gone[model_id], "retracted")
            changes.breakouts.append(row)
        self._found[baseline] = now

    def _breakouts(self, curves: Curves, baseline: Float) -> dict[str, Breakout]:
        found = first_crossings(ram.ram(curves.points, baseline), self._min_age, self.max_age)
        ages = slice(self.max_age + 1)
        points = curves.points[ages, found.model]
        days = curves.downloads[ages, curves.columns[found.model]]
        ram_capped = ram.ram(capped(points, days, found.age), baseline[ages])
        proof = confirmations(found.age, ram_capped, points, days)
        columns = (found.model, found.age, found.ram, found.ended_age)
        proofs = (proof.age, proof.ram_capped, proof.top_day_share)
        breakouts = {}
        for model, age, value, ended, confirmed, value_capped, share in zip(
            *(column.tolist() for column in (*columns, *proofs)), strict=True
        ):
            start = int(curves.day0[model])
            breakouts[curves.model_ids[model]] = Breakout(
                age=age,
                ram=value,
                crossed_at=start + age * DAY_MS,
                ended_at=None if ended < 0 else start + ended * DAY_MS,
                confirmed_at=None if confirmed < 0 else start + confirmed * DAY_MS,
                ram_capped=None if isnan(value_capped) else value_capped,
                top_day_share=share,
            )
        return breakouts


def _status(before: Breakout | None, now: Breakout) -> str:
    if before is not None and before.confirmed_at is None and now.confirmed_at is not None:
        return "confirmed"
    ended = before is not None and before.ended_at is None and now.ended_at is not None
    return "ended" if ended else "crossed"
