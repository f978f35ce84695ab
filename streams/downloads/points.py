"""Slices of `breakout.points`, from what the downloads processor computed."""

from typing import Any

from breakout.contract import PointsSlice
from breakout.contract.times import from_ms
from streams.downloads.state import BinPoints


def point_slice(size_bin: str, points: BinPoints, *, reset: bool) -> PointsSlice:
    """Return a slice of points; `reset` tells the reader to forget earlier ones."""
    values: dict[str, Any] = {
        "size_bin": size_bin,
        "models": points.models,
        "scored_since": [from_ms(since) for since in points.since],
        "known": [points.known] * len(points.models),
        "tracked": [one.tracked for one in points.scored],
        "released_at": [
            None if one.day0 is None else from_ms(one.day0).date() for one in points.scored
        ],
        "reset": [reset] * len(points.models),
        "latest_at": [None if one is None else from_ms(one[0]) for one in points.latest],
        "latest_cumulative": [None if one is None else one[1] for one in points.latest],
        "point_model": points.point_model.tolist(),
        "point_age": points.point_age.tolist(),
        "point_cumulative": points.point_cumulative.tolist(),
    }
    # Not validated: whoever reads it does that, and it is a third of the work of a slice.
    return PointsSlice.model_construct(**values)


def leaving_slice(model_id: str, size_bin: str, since: int, known: int) -> PointsSlice:
    """Return the slice that takes a model out of a size bin."""
    nothing: dict[str, list[Any]] = {
        "point_model": [],
        "point_age": [],
        "point_cumulative": [],
    }
    return PointsSlice.model_validate(
        {
            "size_bin": size_bin,
            "models": [model_id],
            "scored_since": [from_ms(since)],
            "known": [known],
            "tracked": [False],
            "released_at": [None],
            "reset": [True],
            "latest_at": [None],
            "latest_cumulative": [None],
        }
        | nothing
    )
