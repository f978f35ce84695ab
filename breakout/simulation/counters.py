"""The counters of all models at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import Int
from breakout.core.times import DAY_MS
from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.clock import milliseconds
from breakout.simulation.incidents import Rollback, Stall

WINDOW_MS = 30 * DAY_MS
TREND_MS = 7 * DAY_MS
AHEAD_DAYS = 400
MAX_DAYS = 20 * 365

# A served series: (time, downloads_all_time, downloads_30d), None = the Hub omits it.
Series = Sequence[tuple[datetime, int | None, int | None]]


@dataclass(frozen=True)
class Snapshot:
    """Counters of all models at one time, one entry a model of the catalog."""

    downloads_all_time: list[int | None]
    downloads_30d: list[int | None]
    likes: list[int | None]
    trending: list[int]
    """Downloads of the last seven days."""


class Counters:
    """The counters of a catalog's models.

    Curves are computed ahead and extended on demand, until `MAX_DAYS` after the first model's
    creation; from there on they are constant.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._index = {model.id: i for i, model in enumerate(catalog.models)}
        self._first_ms = catalog.earliest_day() * DAY_MS
        self._public_ms = np.array([milliseconds(m.public_at) for m in catalog.models], np.int64)
        self._likes_share = [m.likes_share for m in catalog.models]
        self._rows = np.arange(len(catalog.models))
        newest = int(self._public_ms.max(initial=self._first_ms))
        self._midnights = self._curves((newest - self._first_ms) // DAY_MS + AHEAD_DAYS)
        self._stalls = [
            (milliseconds(i.start), milliseconds(i.end), self._frozen(i))
            for i in catalog.incidents
            if isinstance(i, Stall)
        ]
        self._rollbacks = [self._lost(i) for i in catalog.incidents if isinstance(i, Rollback)]
        self._series: dict[int, list[tuple[int, int | None, int | None]]] = {}
        self._latest: tuple[int, Snapshot] | None = None

    def true_cumulative(self, time_ms: int | Int) -> Int:
        """Return each model's downloads up to a time (one for all, or one a model).

        Linear between midnights, rounded down; zero until the model became public.
        """
        time = np.broadcast_to(np.asarray(time_ms, np.int64), self._rows.shape)
        day = np.clip((time - self._first_ms) // DAY_MS, 0, MAX_DAYS - 1)
        last = int(day.max(initial=0)) + 1
        if last >= self._midnights.shape[1]:
            self._midnights = self._curves(min(last + AHEAD_DAYS, MAX_DAYS))
        low, high = self._midnights[self._rows, day], self._midnights[self._rows, day + 1]
        start = self._first_ms + day * DAY_MS
        end = start + DAY_MS
        start = np.minimum(np.maximum(start, self._public_ms), end - 1)
        gone = np.clip(time - start, 0, end - start)
        cumulative: Int = low + (high - low) * gone // (end - start)
        return cumulative

    def at(self, time_ms: int) -> Snapshot:
        """Return the counters that the Hub serves at a time."""
        if self._latest is None or self._latest[0] != time_ms:
            self._latest = time_ms, self._snapshot(time_ms)
        return self._latest[1]

    def set(self, series: Mapping[str, Series]) -> None:
        """Serve these series instead of the curves: the latest entry not after the current time.

        Before a series' first entry the Hub omits both counters. Raises `ValueError` for an
        unknown model or a time without a zone.
        """
        for model_id, entries in series.items():
            if model_id not in self._index:
                raise ValueError(f"set_counters: {model_id} is not in the catalog")
            if any(time.tzinfo is None for time, _, _ in entries):
                raise ValueError(f"set_counters: {model_id} has a time without a time zone")
            ordered = sorted((milliseconds(time), all_time, d30) for time, all_time, d30 in entries)
            self._series[self._index[model_id]] = ordered
        self._latest = None

    def _snapshot(self, time_ms: int) -> Snapshot:
        renewed = np.full(len(self._rows), time_ms, np.int64)
        for start, end, frozen in self._stalls:
            if start <= time_ms < end:
                renewed[frozen] = start
        total = self.true_cumulative(renewed)
        window = total - self.true_cumulative(renewed - WINDOW_MS)
        likes = [
            None if share is None else int(downloads * share)
            for downloads, share in zip(
                self.true_cumulative(time_ms).tolist(), self._likes_share, strict=True
            )
        ]
        trending = total - self.true_cumulative(renewed - TREND_MS)
        for row, at, lost in self._rollbacks:
            if renewed[row] >= at:
                total[row] -= lost
        snapshot = Snapshot(total.tolist(), window.tolist(), likes, trending.tolist())
        for row, entries in self._series.items():
            served = [entry for entry in entries if entry[0] <= time_ms]
            _, all_time, d30 = served[-1] if served else (0, None, None)
            snapshot.downloads_all_time[row] = all_time
            snapshot.downloads_30d[row] = d30
        return snapshot

    def _curves(self, days: int) -> Int:
        weekday = (self._first_ms // DAY_MS + 3) % 7  # 1970-01-01 was a Thursday
        curves = [self._curve(model, days, weekday) for model in self._catalog.models]
        return np.array(curves, np.int64).reshape(len(curves), days + 1)

    def _curve(self, model: Model, days: int, weekday: int) -> Int:
        public = (milliseconds(model.public_at) - self._first_ms) / DAY_MS
        # Noise is drawn from the day of publication on, so that a catalog that begins earlier does
        # not change the curve.
        first = int(public)
        midnights = np.arange(first, days + 1, dtype=np.float64)
        curve = np.zeros(days + 1, np.int64)
        if len(midnights):
            rng = np.random.default_rng(self._catalog.seed_of("curve", model.id))
            curve[first:] = model.launch.cumulative(midnights, public, (weekday + first) % 7, rng)
        return curve

    def _frozen(self, stall: Stall) -> NDArray[np.bool_]:
        name = stall.start.isoformat()
        drawn = [
            np.random.default_rng(self._catalog.seed_of("stall", name, model.id)).random()
            for model in self._catalog.models
        ]
        return np.array(drawn) < stall.share

    def _lost(self, rollback: Rollback) -> tuple[int, int, int]:
        row, at = self._index[rollback.model_id], milliseconds(rollback.at)
        return row, at, int(self.true_cumulative(at)[row] * rollback.share)
