"""Observations merged, and the state of each within its series."""

from collections.abc import Iterable
from datetime import datetime

from . import counters
from .inputs import Observation, Row, milliseconds

DownloadsKey = tuple[str, str, datetime]
SeriesKey = tuple[str, str]


def merge(observations: Iterable[Observation]) -> list[Observation]:
    """Merge the observations of one key field by field; return them by key."""
    by_key: dict[DownloadsKey, list[Observation]] = {}
    for one in observations:
        by_key.setdefault((one.model_id, one.source, one.observed_at), []).append(one)
    return [
        Observation(
            model_id=model_id,
            source=source,
            observed_at=observed_at,
            origin=min(one.origin for one in same),
            downloads_all_time=_greatest([one.downloads_all_time for one in same]),
            downloads_30d=_greatest([one.downloads_30d for one in same]),
            likes=_greatest([one.likes for one in same]),
            complete=all(one.complete for one in same),
        )
        for (model_id, source, observed_at), same in sorted(by_key.items())
    ]


def _greatest(values: list[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def series_of(merged: list[Observation]) -> dict[SeriesKey, list[counters.Observation]]:
    """Return the counters of each model and source by time; nulls are no observations of it."""
    series: dict[SeriesKey, list[counters.Observation]] = {}
    for one in merged:
        if one.downloads_all_time is not None:
            series.setdefault((one.model_id, one.source), []).append(
                (milliseconds(one.observed_at), one.downloads_all_time)
            )
    return series


def downloads_of(
    merged: list[Observation], series: dict[SeriesKey, list[counters.Observation]]
) -> dict[DownloadsKey, Row]:
    """Return the rows of `downloads_by_source_log`.

    At a knot `cumulative` is the raw counter and `delta` the growth since the knot before it, which
    is 0 at a correction; both are null elsewhere, and `delta` is at the first knot.
    """
    states = {
        (*key, moment): state
        for key, own in series.items()
        for (moment, _), state in zip(own, counters.states(own), strict=True)
    }
    knots = {key: counters.knots(own) for key, own in series.items()}
    rows: dict[DownloadsKey, Row] = {}
    for one in merged:
        moment = milliseconds(one.observed_at)
        row: Row = {
            "model_id": one.model_id,
            "source": one.source,
            "observed_at": one.observed_at,
            "origin": one.origin,
            "downloads_all_time": one.downloads_all_time,
            "downloads_30d": one.downloads_30d,
            "likes": one.likes,
            "cumulative": None,
            "delta": None,
            "state": states.get((one.model_id, one.source, moment)),
            "correction": None,
        }
        before: counters.Knot | None = None
        for knot in knots.get((one.model_id, one.source), []):
            if knot.moment == moment:
                row["cumulative"] = knot.raw
                if before is not None:
                    row["delta"] = knot.raw + knot.correction - before.raw
                if row["state"] == "correction":
                    row["correction"] = knot.correction
            before = knot
        rows[one.model_id, one.source, one.observed_at] = row
    return rows
