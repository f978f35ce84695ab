"""The Relative Adoption Metric and its baselines (docs/definitions.md).

RAM of a model at age t is its cumulative downloads divided by a baseline of its size bin at the
same age: Lambert, "Relative Adoption Metric", ATOM Project, January 2026 (median of the top 10);
and its edition of May 2026 (monotonic cutoff of the 10th). Pure functions of one size bin.

A points matrix has one row a whole-day age (0 to 365) and one column a model, in the alphabetical
order of the model ids; entries are downloads, `NULL` where a model has no point.
"""

from dataclasses import dataclass

import numpy as np

from breakout.core.ages import MAX_AGE_DAYS, MILESTONES
from breakout.core.arrays import Float, Int
from breakout.core.times import DAY_MS

SOURCE = "huggingface"
"""The source whose counters RAM is computed from."""
TOP = 10
AGES = MAX_AGE_DAYS + 1
LIVE, LIVE_FIXED, LIVE_CUTOFF = BUILT_IN = ("live", "live_fixed", "live_cutoff")


@dataclass(frozen=True)
class Baseline:
    """A baseline of one size bin, one entry an age asked for."""

    peers: Int
    """Models the value rests on, 10 at most; 0 = no row."""
    downloads: Float
    """Downloads at which RAM is 1.0; NaN with fewer than 10 peers."""
    as_of: Int
    """Latest moment among the points it rests on, milliseconds UTC; -1 without peers."""


@dataclass(frozen=True)
class _Top:
    """The ten greatest points at each age, in falling order."""

    values: Int
    peers: Int
    as_of: Int


def _top(points: Int, day0: Int, ages: Int) -> _Top:
    order = np.argsort(-points, axis=1, kind="stable")[:, :TOP]
    values = np.take_along_axis(points, order, axis=1)
    there = values >= 0
    moments = np.where(there, day0[order] + ages[:, None] * DAY_MS, -1)
    as_of = moments.max(axis=1, initial=-1)
    return _Top(values, there.sum(axis=1), as_of)


def live(points: Int, day0: Int, ages: Int) -> tuple[Baseline, Float]:
    """Return the `live` baseline at `ages`, and the 10th-greatest point at each (NaN if none).

    `points` are the matrix rows of these ages, of tracked models only; `day0` each model's
    day 0 in milliseconds UTC.
    """
    top = _top(points, day0, ages)
    full = top.peers == TOP
    median = np.full(len(ages), np.nan)
    tenth = np.full(len(ages), np.nan)
    if top.values.shape[1] == TOP:
        # The mean of two counts, halved first: their sum may pass 2^63.
        median[full] = top.values[full, 4] / 2 + top.values[full, 5] / 2
        tenth[full] = top.values[full, TOP - 1]
    return Baseline(top.peers, median, top.as_of), tenth


def live_fixed(points: Int, day0: Int, ages: Int, latest: Int) -> Baseline:
    """Return the `live_fixed` baseline: the ten models with most downloads now, at every age.

    `latest` is each model's latest cumulative, NULL without an observation.
    """
    members = np.argsort(-latest, kind="stable")[:TOP]
    members = members[latest[members] >= 0]
    baseline, _ = live(points[:, members], day0[members], ages)
    return baseline


def live_cutoff(milestones: Baseline, tenth: Float) -> Baseline:
    """Return the `live_cutoff` baseline at all ages, from the live one at the milestones.

    `milestones` and `tenth` are what `live` returned for the ages `MILESTONES`. The cutoff is the
    running maximum of the 10th over the milestones, straight between two of them.
    """
    cutoff = np.fmax.accumulate(tenth)
    cutoff[np.isnan(tenth)] = np.nan
    ages = np.arange(AGES)
    peers = np.zeros(AGES, dtype=np.int64)
    as_of = np.full(AGES, -1, dtype=np.int64)
    downloads = np.full(AGES, np.nan)
    for low, high in zip(range(len(MILESTONES) - 1), range(1, len(MILESTONES)), strict=True):
        start, end = MILESTONES[low], MILESTONES[high]
        between = slice(start + 1, end)
        share = (ages[between] - start) / (end - start)
        downloads[between] = cutoff[low] + (cutoff[high] - cutoff[low]) * share
        peers[between] = min(milestones.peers[low], milestones.peers[high])
        as_of[between] = max(milestones.as_of[low], milestones.as_of[high])
    at = np.array(MILESTONES)
    downloads[at], peers[at], as_of[at] = cutoff, milestones.peers, milestones.as_of
    return Baseline(peers, downloads, np.where(peers > 0, as_of, -1))


def ram(points: Int, downloads: Float) -> Float:
    """Return RAM, a float of the shape of `points`; NaN without point or baseline."""
    baseline = np.where(downloads > 0, downloads, np.nan)
    return np.where(points >= 0, points, np.nan) / baseline[:, None]
