"""Changes of one size bin by a batch: the rows to write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from breakout.core.arrays import Int


@dataclass(frozen=True)
class PointRows:
    """Rows of `points_log`; `NULL` in a column of counts is null."""

    models: Sequence[str]
    model: Int
    """Index into `models` of each row."""
    age: Int
    cumulative: Int
    downloads: Int
    capped: Int
    as_of: Int


class LatestRow(NamedTuple):
    """A row of `latest_log`; without day 0 the model has left the bin. Times in ms UTC."""

    model_id: str
    day0: int | None
    tracked: bool
    observed_at: int | None
    """Moment of the last knot."""
    cumulative: int | None
    """Downloads at it."""
    registry_changed_at: int
    """When the registry last changed the model."""
    known: int
    """Observations that its rows were computed from."""
    capped: int | None = None
    """Capped downloads at the last knot; null with too few days, and beyond 365 days."""

    @property
    def basis(self) -> tuple[int, int]:
        """What its rows were computed from; the greater basis is newer."""
        return self.registry_changed_at, self.known


@dataclass(frozen=True)
class BaselineRow:
    """A row of `baselines_log`; without peers it withdraws the row."""

    baseline: str
    age: int
    peers: int
    downloads: float | None
    as_of: int | None


@dataclass(frozen=True)
class Breakout:
    """A model's first crossing of 1.0x. Ages in days, times in ms UTC."""

    age: int
    ram: float
    crossed_at: int
    ended_at: int | None
    confirmed_at: int | None
    """Null while it is a burst."""
    ram_capped: float | None
    """RAM at the crossing, no day above 10 times the median day; null with too few days."""
    top_day_share: float
    """The greatest day's share of the downloads at the crossing."""


@dataclass(frozen=True)
class BreakoutRow:
    """A row of `breakouts_log`, and the status of its event."""

    baseline: str
    model_id: str
    breakout: Breakout
    status: str
    """crossed, confirmed, ended or retracted."""


@dataclass
class Changes:
    """Rows to write for one size bin."""

    size_bin: str
    version: int
    points: list[PointRows] = field(default_factory=list)
    latest: dict[str, LatestRow] = field(default_factory=dict)
    """By model id."""
    baselines: list[BaselineRow] = field(default_factory=list)
    breakouts: list[BreakoutRow] = field(default_factory=list)
