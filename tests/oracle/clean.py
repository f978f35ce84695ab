"""Observations merged, and the clean series of each source and model."""

from collections.abc import Iterable
from datetime import datetime

from .inputs import Observation, Row

DownloadsKey = tuple[str, str, datetime]


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
        )
        for (model_id, source, observed_at), same in sorted(by_key.items())
    ]


def _greatest(values: list[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def clean_series(merged: list[Observation]) -> dict[DownloadsKey, Row]:
    """Return the rows of `downloads` without `stalled`, from what `merge` returns."""
    rows: dict[DownloadsKey, Row] = {}
    before: dict[tuple[str, str], tuple[int, int]] = {}
    for one in merged:
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
            "revision": None,
            "standing": None,
            "jump": False,
        }
        rows[one.model_id, one.source, one.observed_at] = row
        raw = one.downloads_all_time
        if raw is None:
            continue
        series = (one.model_id, one.source)
        if series not in before:
            cumulative = raw
        else:
            raw_before, cumulative_before = before[series]
            cumulative = max(cumulative_before, raw)
            row["delta"] = cumulative - cumulative_before
            row["revision"] = raw_before - raw if raw_before > raw else None
            row["standing"] = raw == raw_before
            row["jump"] = cumulative_before >= 1000 and cumulative >= 10 * cumulative_before
        row["cumulative"] = cumulative
        before[series] = (raw, cumulative)
    return rows
