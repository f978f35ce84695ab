"""The event contract: what every record on every topic means."""

from breakout.contract.events import (
    CONTRACT_VERSION,
    BreakoutEvent,
    ContractError,
    DeadLetter,
    DerivativesSlice,
    DownloadsSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    MissingModel,
    ModelRecord,
    NameRecord,
    PointsSlice,
    RunRecord,
    read_event,
)

__all__ = [
    "CONTRACT_VERSION",
    "BreakoutEvent",
    "ContractError",
    "DeadLetter",
    "DerivativesSlice",
    "DownloadsSlice",
    "Event",
    "InferenceDay",
    "LeaderboardSlice",
    "MissingModel",
    "ModelRecord",
    "NameRecord",
    "PointsSlice",
    "RunRecord",
    "read_event",
]
