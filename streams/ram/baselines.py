"""Baselines of one size bin: the built-in ones, computed from its points, and frozen ones."""

from collections.abc import Mapping

import numpy as np

from breakout.core import ram
from breakout.core.ages import MILESTONES
from breakout.core.arrays import NULL, Flag, Int
from streams.ram.changes import BaselineRow, Changes
from streams.ram.points import PointsMatrix

ALL_AGES = np.arange(ram.AGES)


class Baselines:
    """Baselines by name, one entry per age."""

    def __init__(self) -> None:
        self.by_name: dict[str, ram.Baseline] = {}
        self._tenth = np.full(ram.AGES, np.nan)
        # Ages at which ClickHouse has other rows than follow from the points, by name: written by
        # a worker that ended before it wrote the points.
        self._unwritten: dict[str, Flag] = {}

    def compare(self, written: Mapping[str, ram.Baseline]) -> None:
        """Make the next `update` write the rows that differ from those in ClickHouse."""
        for name in ram.BUILT_IN:
            stored = written.get(name, _no_baseline())
            self._unwritten[name] = ~_equal(self.by_name[name], stored)

    def update(self, matrix: PointsMatrix, columns: Int, changes: Changes) -> set[str]:
        """Compute the built-in baselines, and reset the matrix's stale ages.

        `columns` are those of the matrix in the order of model ids. Returns the names of the
        baselines that changed; their rows go to `changes`.
        """
        changed = set()
        for name, baseline in self._computed(matrix, columns[matrix.tracked[columns]]).items():
            ages = ~_equal(self.by_name.get(name, _no_baseline()), baseline)
            if ages.any():
                changed.add(name)
            if name in self._unwritten:
                ages |= self._unwritten.pop(name)
            changes.baselines.extend(_rows(name, baseline, ages))
            self.by_name[name] = baseline
        matrix.stale_ages[:] = False
        return changed

    def _computed(self, matrix: PointsMatrix, peers: Int) -> dict[str, ram.Baseline]:
        day0 = matrix.day0[peers]
        before = self.by_name.get(ram.LIVE, _no_baseline())
        ages = np.flatnonzero(matrix.stale_ages)
        at_ages, tenth = ram.live(matrix.points[np.ix_(ages, peers)], day0, ages)
        live = ram.Baseline(before.peers.copy(), before.downloads.copy(), before.as_of.copy())
        live.peers[ages], live.downloads[ages] = at_ages.peers, at_ages.downloads
        live.as_of[ages] = at_ages.as_of
        self._tenth[ages] = tenth
        at = np.array(MILESTONES)
        milestones = ram.Baseline(live.peers[at], live.downloads[at], live.as_of[at])
        points, latest = matrix.points[:, peers], matrix.latest[peers]
        return {
            ram.LIVE: live,
            ram.LIVE_FIXED: ram.live_fixed(points, day0, ALL_AGES, latest),
            ram.LIVE_CUTOFF: ram.live_cutoff(milestones, self._tenth[at]),
        }


def baseline_of(rows: Mapping[int, tuple[int, float | None, int | None]]) -> ram.Baseline:
    """Return the baseline of rows: age -> (peers, downloads, as_of in milliseconds UTC)."""
    baseline = _no_baseline()
    for age, (peers, downloads, as_of) in rows.items():
        baseline.peers[age] = peers
        baseline.downloads[age] = np.nan if downloads is None else downloads
        baseline.as_of[age] = NULL if as_of is None else as_of
    return baseline


def _no_baseline() -> ram.Baseline:
    return ram.Baseline(
        np.zeros(ram.AGES, dtype=np.int64),
        np.full(ram.AGES, np.nan),
        np.full(ram.AGES, NULL, dtype=np.int64),
    )


def _equal(first: ram.Baseline, second: ram.Baseline) -> Flag:
    both_null = np.isnan(first.downloads) & np.isnan(second.downloads)
    equal: Flag = (
        (first.peers == second.peers)
        & (first.as_of == second.as_of)
        & ((first.downloads == second.downloads) | both_null)
    )
    return equal


def _rows(name: str, baseline: ram.Baseline, ages: Flag) -> list[BaselineRow]:
    return [
        BaselineRow(
            name,
            age,
            int(baseline.peers[age]),
            None if np.isnan(baseline.downloads[age]) else float(baseline.downloads[age]),
            None if baseline.as_of[age] < 0 else int(baseline.as_of[age]),
        )
        for age in np.flatnonzero(ages).tolist()
    ]
