"""Breakouts of one size bin: which models crossed 1.0x of which baseline, and what changed."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import Int
from breakout.core.breakouts import first_crossings
from breakout.core.times import DAY_MS
from streams.ram.changes import Breakout, BreakoutRow, Changes


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

    def update(
        self,
        baseline: str,
        model_ids: Sequence[str],
        day0: Int,
        ram: NDArray[np.float64],
        changes: Changes,
    ) -> None:
        """Compute the breakouts of a baseline from RAM by age and model; changes are added."""
        now = self._first_crossings(model_ids, day0, ram)
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

    def _first_crossings(
        self, model_ids: Sequence[str], day0: Int, ram: NDArray[np.float64]
    ) -> dict[str, Breakout]:
        found = first_crossings(ram, self._min_age, self.max_age)
        columns = (found.model, found.age, found.ram, found.ended_age)
        breakouts = {}
        for model, age, value, ended_age in zip(*(c.tolist() for c in columns), strict=True):
            start = int(day0[model])
            ended_at = None if ended_age < 0 else start + ended_age * DAY_MS
            breakouts[model_ids[model]] = Breakout(age, value, start + age * DAY_MS, ended_at)
        return breakouts


def _status(before: Breakout | None, now: Breakout) -> str:
    ended = before is not None and before.ended_at is None and now.ended_at is not None
    return "ended" if ended else "crossed"
