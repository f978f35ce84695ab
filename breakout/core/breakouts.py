"""Breakouts: the first crossing of 1.0x, with hysteresis (docs/definitions.md)."""

from dataclasses import dataclass

import numpy as np

from breakout.core.arrays import Float, Int

CROSSING_RAM = 1.0
ENDING_RAM = 0.9


@dataclass(frozen=True)
class Crossings:
    """First crossings, one entry a model that has one."""

    model: Int
    """Column of the model in the RAM matrix."""
    age: Int
    """Whole-day age at which RAM reached 1.0."""
    ram: Float
    """RAM at that age."""
    ended_age: Int
    """First age after it with RAM below 0.9; -1 while there is none."""


def first_crossings(ram: Float, min_age: int, max_age: int) -> Crossings:
    """Return the first age between `min_age` and `max_age` at which RAM is at least 1.0.

    `ram` has a row for each whole-day age from 0 and a column a model, NaN where it is null.
    """
    above = ram[min_age : max_age + 1] >= CROSSING_RAM
    model = np.flatnonzero(above.any(axis=0))
    age = min_age + above[:, model].argmax(axis=0)
    ages = np.arange(len(ram))[:, None]
    ending = (ram[:, model] < ENDING_RAM) & (ages > age)
    ended_age = np.where(ending.any(axis=0), ending.argmax(axis=0), -1)
    return Crossings(model, age, ram[age, model], ended_age)
