"""State of one size bin: its points, and the baselines and breakouts that follow from them.

No I/O. Everything but the points is recomputed from them, so baselines and breakouts equal a batch
computation over all points; only differences are written.
"""

from collections.abc import Mapping

import numpy as np

from breakout.contract import PointsSlice
from breakout.core import ram
from streams.ram.baselines import Baselines
from streams.ram.breakouts import Breakouts
from streams.ram.changes import Breakout, Changes
from streams.ram.points import PointsMatrix


class BinState:
    """Points, baselines and breakouts of one size bin."""

    def __init__(self, size_bin: str, min_age: int, max_age: int) -> None:
        self.size_bin = size_bin
        self.version = 0
        """Updates of points and latest values taken in: the version of the rows written next."""
        self.matrix = PointsMatrix()
        self.baselines = Baselines()
        self._breakouts = Breakouts(min_age, max_age)

    def __len__(self) -> int:
        """Return how many models the bin has, or had."""
        return len(self.matrix.columns)

    def settle(self) -> None:
        """Compute baselines and breakouts of restored points, as already written."""
        self.recompute(Changes(self.size_bin, self.version))

    def compare(
        self,
        baselines: Mapping[str, ram.Baseline],
        breakouts: Mapping[str, Mapping[str, Breakout]],
    ) -> None:
        """Compare settled baselines and breakouts with the rows in ClickHouse.

        The next `recompute` writes where they differ, even if no point changes.
        """
        self.baselines.compare(baselines)
        self._breakouts.compare(breakouts)
        # Rewritten rows must supersede the stored ones.
        self.version += 1

    def update(self, slice_: PointsSlice, changes: Changes) -> None:
        """Take in a slice of points, and add its rows to `changes`."""
        self.version += self.matrix.update(slice_, changes)
        changes.version = self.version

    def recompute(self, changes: Changes) -> None:
        """Compute baselines and breakouts from the points; differences are added to `changes`."""
        model_ids = sorted(self.matrix.columns)
        columns = np.array([self.matrix.columns[one] for one in model_ids], dtype=np.int64)
        points_changed = bool(self.matrix.stale_ages.any())
        changed = self.baselines.update(self.matrix, columns, changes)
        names = [
            name
            for name in self.baselines.by_name
            if points_changed or name in changed or not self._breakouts.is_current(name)
        ]
        if not names:
            return  # most batches: no model has a new point
        # No points beyond the oldest age; the ages of breakouts are always included.
        has_points = (self.matrix.points >= 0).any(axis=1)
        oldest = int(np.flatnonzero(has_points).max(initial=self._breakouts.max_age))
        points = self.matrix.points[: oldest + 1, columns]
        day0 = self.matrix.day0[columns]
        for name in names:
            values = ram.ram(points, self.baselines.by_name[name].downloads[: oldest + 1])
            self._breakouts.update(name, model_ids, day0, values, changes)
