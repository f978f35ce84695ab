"""Stored observations that computations need: those of all partitions are read at once.

A computation is a generator: it yields the spans that it needs, and is sent their observations.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from streams.columns import Columns


@dataclass(frozen=True)
class Span:
    """Observations of a series from one moment to another, both included; milliseconds UTC."""

    slot: int
    source: str
    model_id: str
    first_at: int
    last_at: int


T = TypeVar("T")
Computation = Generator[Sequence[Span], Columns, T]
Spans = Mapping[int, Sequence[Span]]
"""Spans by partition."""
Read = Callable[[Spans], Mapping[int, Columns]]
"""Returns the stored observations of spans by partition, by slot and time."""


def compute(computations: Mapping[int, Computation[T]], read: Read) -> dict[int, T]:
    """Return the results of one computation a partition; each round of reading is one call."""
    results: dict[int, T] = {}
    stored: Mapping[int, Columns] = {}
    waiting = dict(computations)
    while waiting:
        needed: dict[int, Sequence[Span]] = {}
        for number, computation in waiting.items():
            try:
                # The first round starts them.
                needed[number] = computation.send(stored[number]) if stored else next(computation)
            except StopIteration as end:
                results[number] = end.value
        waiting = {number: waiting[number] for number in needed}
        stored = read(needed) if needed else {}
    return results
