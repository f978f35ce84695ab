"""Sizes of the benchmarks: a full run within 25 minutes on two cores, and a tiny one for tests."""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Throughput:
    """Scrapes of `models` models after the first, by what works them through."""

    models: int = 20_000
    with_points: int = 2_000
    ours: int = 200
    ours_singles: int = 5
    faust: int = 2
    faust_slices: int = 10
    quix: int = 15
    quix_slices: int = 20
    bytewax: int = 40
    bytewax_slices: int = 60
    raw: int = 40
    raw_slices: int = 200
    duckdb: int = 40
    duckdb_slices: int = 200
    bare: int = 40
    bare_slices: int = 200
    seconds: float = 180.0
    """Timeout of one row."""


@dataclass(frozen=True)
class Latency:
    """Rates in observations/s, each for so many seconds."""

    models: int = 50_000
    with_points: int = 2_000
    rates: tuple[int, ...] = (100, 10_000, 100_000)
    seconds: int = 15


@dataclass(frozen=True)
class Growth:
    """Numbers of models, and of observations stored before."""

    models: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    observations: int = 1_000_000
    """Measured each time, or one scrape if that is more."""
    history_models: int = 10_000
    history: tuple[int, ...] = (1_000_000, 10_000_000)


@dataclass(frozen=True)
class Recovery:
    """Numbers of models, with so many observations before the start."""

    models: tuple[int, ...] = (2_000, 100_000)
    with_points: int = 2_000
    history: int = 3_000_000


@dataclass(frozen=True)
class Restating:
    """Models with points over all size bins, and in how many bins a baseline changes."""

    models: int = 2_000
    days: int = 60
    bins: int = 5


@dataclass(frozen=True)
class Backfill:
    """A file of so many models by days."""

    models: int = 2_000
    days: int = 730


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of the Hub of so many rows, with so many bytes a row that are not read."""

    rows: int = 3_000_000
    row_group: int = 1_000_000
    filler: int = 480


@dataclass(frozen=True)
class Dashboards:
    """Observations behind the dashboards, days of models that are not tracked, and how often each
    query runs."""

    models: int = 2_000
    hours: int = 10_000
    untracked: tuple[int, ...] = (26_000, 137_000)
    """Models first, and then besides: 20 million rows of the grid, and 100 million more."""
    untracked_days: int = 730
    rounds: int = 5


@dataclass(frozen=True)
class Readers:
    """Clients of an instance of `models` tracked models, each with a scrape on `days` days."""

    models: int = 2_000
    days: int = 90
    untracked: int = 98_000
    untracked_days: int = 730
    readers: int = 200
    requests: int = 1_000
    every_seconds: int = 60
    """Interval of the scrapes of all models meanwhile."""
    seconds: int = 120


@dataclass(frozen=True)
class Sizes:
    """Sizes of all sections."""

    throughput: Throughput = field(default_factory=Throughput)
    latency: Latency = field(default_factory=Latency)
    growth: Growth = field(default_factory=Growth)
    recovery: Recovery = field(default_factory=Recovery)
    restating: Restating = field(default_factory=Restating)
    backfill: Backfill = field(default_factory=Backfill)
    snapshot: Snapshot = field(default_factory=Snapshot)
    dashboards: Dashboards = field(default_factory=Dashboards)
    readers: Readers = field(default_factory=Readers)


FULL: Final = Sizes()
TINY: Final = Sizes(
    Throughput(200, 20, *[2] * 14),
    Latency(200, 20, (100, 1_000), 1),
    Growth((100, 1_000), 2_000, 500, (1_000, 2_000)),
    Recovery((100, 1_000), 20, 2_000),
    Restating(120, 10, 1),
    Backfill(20, 10),
    Snapshot(20_000, 10_000),
    Dashboards(50, 100, (10, 40), 20, 1),
    Readers(60, 10, 20, 30, 5, 20, 1, 2),
)
