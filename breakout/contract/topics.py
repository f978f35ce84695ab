"""Every topic: its name, what it carries, how it is keyed and kept."""

import zlib
from dataclasses import dataclass

from breakout.contract.events import (
    BreakoutEvent,
    DailySlice,
    DeadLetter,
    DerivativesSlice,
    DownloadsSlice,
    Event,
    InferenceDay,
    LeaderboardSlice,
    ModelRecord,
    NameRecord,
    RunRecord,
)


@dataclass(frozen=True)
class Topic:
    """A topic of the public interface."""

    name: str
    event: type[Event]
    meaning: str
    keyed_by: str
    cleanup: str = "delete"
    retention_days: int | None = 30


MODELS = Topic(
    "breakout.models",
    ModelRecord,
    "What is known of each model",
    "model id",
    cleanup="compact",
    retention_days=None,
)
DOWNLOADS = Topic(
    "breakout.downloads",
    DownloadsSlice,
    "Slices of scrapes: download counters of many models at one moment",
    "source and scrape id; the partition is chosen by model id",
)
DAILY = Topic(
    "breakout.daily",
    DailySlice,
    "Rows of the daily grid of models that have a size bin and a release date",
    "size bin",
)
NAMES = Topic(
    "breakout.names",
    NameRecord,
    "What names of other sources mean: open or closed, and which model of the Hub",
    "source and name",
    cleanup="compact",
    retention_days=None,
)
INFERENCE = Topic(
    "breakout.inference",
    InferenceDay,
    "Tokens of one day by name, as a source counted them",
    "source and day",
)
DERIVATIVES = Topic(
    "breakout.derivatives",
    DerivativesSlice,
    "Slices of surveys: models that derive from others",
    "source: one partition holds them all, since lineage needs the whole graph",
)
LEADERBOARDS = Topic(
    "breakout.scores",
    LeaderboardSlice,
    "Leaderboards as published: ratings by name",
    "source, board and version",
)
BREAKOUTS = Topic(
    "breakout.breakouts",
    BreakoutEvent,
    "Crossings of 1.0x, their ends and restatements",
    "baseline and model id",
)
RUNS = Topic(
    "breakout.runs",
    RunRecord,
    "The latest run of each collector; who holds a source's partition may run it",
    "source",
    cleanup="compact",
    retention_days=None,
)
DEAD_LETTERS = Topic(
    "breakout.dlq",
    DeadLetter,
    "Records nobody could read, with their bytes and the reason",
    "topic they came from",
)

TOPICS = (
    MODELS,
    DOWNLOADS,
    DAILY,
    BREAKOUTS,
    NAMES,
    INFERENCE,
    DERIVATIVES,
    LEADERBOARDS,
    RUNS,
    DEAD_LETTERS,
)


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a model id or size bin: CRC-32 of its UTF-8 bytes, modulo.

    ClickHouse has the same function, so a worker can ask for the rows of its partitions.
    """
    return zlib.crc32(key.encode()) % partitions
