"""The event contract: what every record on every topic means."""

from breakout.contract.events import (
    CONTRACT_VERSION,
    BreakoutEvent,
    ContractError,
    DailySlice,
    DeadLetter,
    DerivativesSlice,
    DownloadsSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    MissingModel,
    ModelRecord,
    NameRecord,
    RunRecord,
    read_event,
)

__all__ = [
    "CONTRACT_VERSION",
    "BreakoutEvent",
    "ContractError",
    "DailySlice",
    "DeadLetter",
    "DerivativesSlice",
    "DownloadsSlice",
    "Event",
    "InferenceDay",
    "LeaderboardSlice",
    "MissingModel",
    "ModelRecord",
    "NameRecord",
    "RunRecord",
    "read_event",
]
