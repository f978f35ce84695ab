"""How much is measured: a whole run within 25 minutes on two cores, and a tiny one for tests."""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Throughput:
    """Scrapes of `models` models after the first, by what works them through."""

    models: int = 20_000
    scored: int = 2_000
    ours: int = 100
    ours_singles: int = 10
    faust: int = 2
    faust_slices: int = 10
    quix: int = 15
    quix_slices: int = 20
    bytewax: int = 40
    bytewax_slices: int = 60
    raw: int = 40
    raw_slices: int = 100
    duckdb: int = 40
    duckdb_slices: int = 100
    bare: int = 40
    bare_slices: int = 100
    seconds: float = 180.0
    """After which a row says that it was not done."""


@dataclass(frozen=True)
class Sizes:
    """Of all sections."""

    throughput: Throughput = field(default_factory=Throughput)


FULL: Final = Sizes()
TINY: Final = Sizes(
    throughput=Throughput(200, 20, *[2] * 14),
)
