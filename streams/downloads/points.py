"""Slices of `breakout.points`, made of points that the downloads processor computed."""

from typing import Any

from breakout.contract import PointsSlice
from breakout.core.times import from_ms
from streams.downloads.state import BinPoints


def points_slice(size_bin: str, points: BinPoints, *, reset: bool) -> PointsSlice:
    """Return a slice of points; `reset` withdraws all earlier points of its models."""
    values: dict[str, Any] = {
        "size_bin": size_bin,
        "models": points.models,
        "scored_since": [from_ms(since) for since in points.registry_changed_at],
        "known": [points.observation_count] * len(points.models),
        "tracked": [inputs.tracked for inputs in points.inputs],
        "released_at": [
            None if inputs.day0 is None else from_ms(inputs.day0).date() for inputs in points.inputs
        ],
        "reset": [reset] * len(points.models),
        "latest_at": [None if latest is None else from_ms(latest[0]) for latest in points.latest],
        "latest_cumulative": [None if latest is None else latest[1] for latest in points.latest],
        "point_model": points.point_model.tolist(),
        "point_age": points.point_age.tolist(),
        "point_cumulative": points.point_cumulative.tolist(),
    }
    # Not validated: the consumer validates it, and validation is a third of the work of a slice.
    return PointsSlice.model_construct(**values)


def withdrawal_slice(
    model_id: str, size_bin: str, registry_changed_at: int, observation_count: int
) -> PointsSlice:
    """Return the slice that removes a model from a size bin."""
    return PointsSlice.model_validate(
        {
            "size_bin": size_bin,
            "models": [model_id],
            "scored_since": [from_ms(registry_changed_at)],
            "known": [observation_count],
            "tracked": [False],
            "released_at": [None],
            "reset": [True],
            "latest_at": [None],
            "latest_cumulative": [None],
            "point_model": [],
            "point_age": [],
            "point_cumulative": [],
        }
    )
