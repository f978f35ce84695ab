"""State of one size bin: its points, and the baselines and breakouts that follow from them.

No I/O. Everything but the points is recomputed from them, so baselines and breakouts equal a batch
computation over all points; only differences are written.
"""

from collections.abc import Mapping

import numpy as np

from breakout.contract import DailySlice
from breakout.core import ram
from streams.ram.baselines import Baselines
from streams.ram.breakouts import Breakouts, Curves
from streams.ram.changes import Breakout, Changes
from streams.ram.daily import DailyRows
from streams.ram.points import PointsMatrix


class BinState:
    """Points, baselines and breakouts of one size bin."""

    def __init__(self, size_bin: str, min_age: int, max_age: int) -> None:
        self.size_bin = size_bin
        self.version = 0
        """Updates of rows and models taken in: the version of the rows written next."""
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

    def update(self, slice_: DailySlice, reread: Mapping[str, DailyRows], changes: Changes) -> None:
        """Take in a slice; `reread` has the rows of `matrix.to_reread`."""
        self.version += self.matrix.update(slice_, reread, changes)
        changes.version = self.version

    def recompute(self, changes: Changes) -> None:
        """Compute what follows from the points; rows of what changed are added to `changes`."""
        self.matrix.settle(changes)
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
        curves = Curves(
            model_ids,
            self.matrix.day0[columns],
            columns,
            self.matrix.points[: oldest + 1, columns],
            self.matrix.downloads[: oldest + 1],
        )
        for name in names:
            downloads = self.baselines.by_name[name].downloads[: oldest + 1]
            self._breakouts.update(name, curves, downloads, changes)
