"""What an incident may do to counters, and the models it may do it to."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from breakout.core.arrays import Flag, Float, Int

NEVER = 2**62
"""A moment after all others, in milliseconds."""


@dataclass(frozen=True)
class Population:
    """The models of a catalog; arrays have one entry a model."""

    ids: tuple[str, ...]
    created_ms: Int
    seed_of: Callable[..., int]
    _drawn: dict[tuple[str, ...], Float] = field(default_factory=dict)

    def draws(self, *key: str) -> Float:
        """Return a number from [0, 1) a model; another key or seed gives others."""
        if key not in self._drawn:
            generators = (np.random.default_rng(self.seed_of(*key, one)) for one in self.ids)
            self._drawn[key] = np.array([one.random() for one in generators], np.float64)
        return self._drawn[key]

    def all(self, value: int) -> Int:
        """Return a value for every model."""
        return np.full(len(self.ids), value, np.int64)

    def only(self, model_id: str, value: int, others: int) -> Int:
        """Return a value for one model, and another for the others."""
        values = self.all(others)
        values[self.ids.index(model_id)] = value
        return values


class Span(NamedTuple):
    """Half-open spans, one a model, in milliseconds; empty for an unaffected model."""

    start: Int
    end: Int

    def holds(self, time_ms: Int) -> Flag:
        """Return whether each model's span has its time."""
        return (self.start <= time_ms) & (time_ms < self.end)


class Hold(ABC):
    """Keeps counters from being renewed."""

    @abstractmethod
    def held(self, population: Population) -> Span:
        """Return when no counter is renewed."""


class Loss(ABC):
    """Takes a share of all-time counters."""

    @abstractmethod
    def lost(self, population: Population) -> tuple[Span, Float]:
        """Return when a share is missing, and which share of the counter at the beginning."""
