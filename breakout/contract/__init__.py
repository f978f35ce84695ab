"""The event contract: what every record on every topic means."""

from breakout.contract.events import (
    CONTRACT_VERSION,
    BreakoutEvent,
    ContractError,
    DeadLetter,
    DownloadsSlice,
    Event,
    MissingModel,
    ModelRecord,
    PointsSlice,
    read_event,
)

__all__ = [
    "CONTRACT_VERSION",
    "BreakoutEvent",
    "ContractError",
    "DeadLetter",
    "DownloadsSlice",
    "Event",
    "MissingModel",
    "ModelRecord",
    "PointsSlice",
    "read_event",
]
