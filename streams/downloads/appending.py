"""Observations newer than all before: their states follow from where each series stands.

Nothing earlier changes, unless an unchanged run passes four days, or a fall begins or ends: then
the series needs its history, as it does when a rate is unknown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakout.core.arrays import NULL, Flag, Int, first_of_series, last_of_series
from breakout.core.counters import (
    HELD_MS,
    KNOTS,
    RENEWAL_MS,
    Counters,
    State,
    few_expected,
)
from breakout.core.grid import Grid, daily
from streams.downloads.tails import Tails


@dataclass(frozen=True)
class Appended:
    """Observations with a counter, sorted by slot and time, and what they are."""

    slot: Int
    at: Int
    raw: Int
    state: NDArray[np.int8]
    change: Int
    """Place of the last change at or before each; NULL if it is before all of these."""

    def take(self, index: Flag) -> "Appended":
        """Return the observations of some series."""
        moved = np.cumsum(index) - 1
        change = np.where(self.change == NULL, NULL, moved[self.change])[index]
        return Appended(
            self.slot[index], self.at[index], self.raw[index], self.state[index], change
        )


def classify_new(tails: Tails, slot: Int, at: Int, raw: Int) -> tuple[Appended, Int]:
    """Return what new observations are, and the slots of series that need their history."""
    first = first_of_series(slot)
    unknown = tails.at[slot] == NULL
    before = np.where(first, tails.raw[slot], np.concatenate(([NULL], raw[:-1]))[: len(raw)])
    new = first & unknown
    grown = np.where(new, 0, raw - before)
    place = np.arange(len(slot))
    change = np.maximum.accumulate(np.where(new | (grown > 0), place, NULL))
    begin = np.maximum.accumulate(np.where(first, place, 0))
    change = np.where(change < begin, NULL, change)
    state = np.where(grown > 0, State.RISE, State.BETWEEN).astype(np.int8)
    state[new] = State.FIRST
    needs = (grown < 0) | tails.corrected[slot]
    needs |= (raw >= tails.fall_raw[slot]) & (at <= tails.fall_until[slot])
    changed_at = np.where(change == NULL, tails.changed_at[slot], at[change])
    later = np.flatnonzero((grown == 0) & ~new & (at - changed_at >= RENEWAL_MS))
    if len(later):
        unchanged = at[later] - changed_at[later]
        in_batch = change[later] != NULL
        # The rate at a series' first observation is 0.
        is_first = in_batch & new[np.maximum(change[later], 0)]
        slots = slot[later]
        rise, least, most, is_known = tails.changes.rates(slots, tails.first_at[slots])
        few = is_first | few_expected(rise, least, unchanged)
        sure = is_first | (~in_batch & is_known & (few | ~few_expected(rise, most, unchanged)))
        long = unchanged > HELD_MS
        state[later] = np.where(few | long, State.IDLE, State.HELD)
        needs[later] |= ~long & ~sure
        held = np.zeros(len(tails.at), bool)
        held[slot[later[(state[later] == State.HELD) & ~long]]] = True
        was_held = (tails.held[slot[later]] & ~in_batch) | held[slot[later]]
        needs[later] |= long & was_held
    return Appended(slot, at, raw, state, change), np.unique(slot[needs])


def append(tails: Tails, new: Appended) -> tuple[Grid, Int]:
    """Add new observations to the series; return the rows of the grid and the openings.

    The rows have slots as series. Corrections and rollbacks are not among the observations.
    """
    slot, at, raw = new.slot, new.at, new.raw
    ends = np.flatnonzero(last_of_series(slot))
    slots = slot[ends]
    begins = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    knot = np.isin(new.state, KNOTS)
    # Each series continues at its last knot, after which an observation may be held.
    seeded = np.flatnonzero(tails.knot_at[slots] != NULL)
    unsure = seeded[tails.unsure[slots[seeded]]]
    seeds = np.concatenate((seeded, unsure))
    seeds.sort(kind="stable")
    is_knot = np.ones(len(seeds), bool)
    is_knot[1:] = seeds[1:] != seeds[:-1]
    where, seed_slot = begins[seeds], slots[seeds]
    state = np.where(is_knot, State.RISE, State.HELD).astype(np.int8)
    all_state = np.insert(new.state, where, state)
    all_at = np.insert(at, where, tails.knot_at[seed_slot])
    counters = Counters(
        all_state, np.insert(knot, where, is_knot), np.zeros(len(all_at), dtype=np.int64)
    )
    grid, openings = daily(
        np.insert(slot, where, seed_slot),
        all_at,
        np.insert(raw, where, tails.knot_raw[seed_slot]),
        counters,
        np.insert(np.full(len(at), NULL, np.int64), where, tails.opening[seed_slot]),
    )
    opening = np.delete(openings, where + np.arange(len(where)))
    _move(tails, new, begins, ends, knot, opening)
    return grid, opening


def _move(tails: Tails, new: Appended, begins: Int, ends: Int, knot: Flag, opening: Int) -> None:
    slots = new.slot[ends]
    changed = np.flatnonzero((new.state == State.RISE) | (new.state == State.FIRST))
    before = np.concatenate(([NULL], new.raw[:-1]))[: len(new.raw)]
    before[begins] = tails.raw[slots]
    rise = np.where(new.state == State.RISE, new.raw - before, 0)
    tails.changes.add(new.slot[changed], new.at[changed], rise[changed])
    is_new = tails.first_at[slots] == NULL
    tails.first_at[slots[is_new]] = new.at[begins[is_new]]
    tails.at[slots], tails.raw[slots] = new.at[ends], new.raw[ends]
    place = np.arange(len(new.at))
    held = new.state == State.HELD
    last_held = np.maximum.accumulate(np.where(held, place, NULL))[ends]
    last_held = np.where(last_held < begins, NULL, last_held)
    last_knot = np.maximum.accumulate(np.where(knot, place, NULL))[ends]
    last_knot = np.where(last_knot < begins, NULL, last_knot)
    change = new.change[ends]
    tails.held[slots] = (tails.held[slots] & (change == NULL)) | (
        last_held > np.maximum(change, NULL)
    )
    tails.unsure[slots] = (tails.unsure[slots] & (last_knot == NULL)) | (last_held > last_knot)
    moved = np.flatnonzero(change != NULL)
    tails.changed_at[slots[moved]] = new.at[change[moved]]
    known = np.flatnonzero(last_knot != NULL)
    at_knot = last_knot[known]
    tails.knot_at[slots[known]], tails.knot_raw[slots[known]] = new.at[at_knot], new.raw[at_knot]
    tails.opening[slots[known]] = opening[at_knot]
