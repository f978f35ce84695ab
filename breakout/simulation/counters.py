"""The counters of all models at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from breakout.core.arrays import Int
from breakout.core.times import DAY_MS
from breakout.simulation.catalog import Catalog, Model
from breakout.simulation.clock import milliseconds
from breakout.simulation.incidents import Burst, Renewal
from breakout.simulation.incidents.kinds import Hold, Loss, Population, Span

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
        self.population = Population(
            tuple(self._index),
            np.array([milliseconds(m.created_at) for m in catalog.models], np.int64),
            catalog.seed_of,
        )
        incidents = catalog.incidents
        self._renewal = next((i for i in incidents if isinstance(i, Renewal)), None)
        self._bursts = [i for i in incidents if isinstance(i, Burst)]
        holds = [i.held(self.population) for i in incidents if isinstance(i, Hold)]
        # The latest first: the renewal before a hold may lie in an earlier one.
        self._holds = sorted(holds, key=lambda span: int(span.start.max(initial=0)), reverse=True)
        self._losses = [self._lost(i) for i in incidents if isinstance(i, Loss)]
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

    def counted(self, time_ms: int | Int) -> Int:
        """Return each model's downloads up to a time, with those of bursts."""
        time = np.broadcast_to(np.asarray(time_ms, np.int64), self._rows.shape)
        total = self.true_cumulative(time)
        for burst in self._bursts:
            total = total + burst.added(self.population, time)
        return total

    def renewed(self, time_ms: int) -> Int:
        """Return the time of which each model's counters are at a time."""
        renewed = self._last_renewal(self.population.all(time_ms))
        for span in self._holds:
            held = span.holds(renewed)
            if held.any():
                renewed = np.where(held, self._last_renewal(span.start), renewed)
        return renewed

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
        renewed = self.renewed(time_ms)
        total = self.counted(renewed)
        window = total - self.counted(renewed - WINDOW_MS)
        likes = [
            None if share is None else int(downloads * share)
            for downloads, share in zip(
                self.true_cumulative(time_ms).tolist(), self._likes_share, strict=True
            )
        ]
        trending = total - self.counted(renewed - TREND_MS)
        for span, amount in self._losses:
            total = np.maximum(total - np.where(span.holds(renewed), amount, 0), 0)
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

    def _last_renewal(self, time_ms: Int) -> Int:
        if self._renewal is None:
            return time_ms
        return self._renewal.last(self.population, time_ms)

    def _lost(self, loss: Loss) -> tuple[Span, Int]:
        span, share = loss.lost(self.population)
        return span, (self.counted(span.start) * share).astype(np.int64)
