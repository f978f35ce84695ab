"""Searches in columns, against loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breakout.core.arrays import first_at_least, first_at_or_after


@st.composite
def ranges(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Draw values, and ranges of them with a target each."""
    values = draw(st.lists(st.integers(-5, 5), min_size=1, max_size=40))
    borders = st.integers(0, len(values))
    found = draw(st.lists(st.tuples(borders, borders, st.integers(-6, 6)), max_size=10))
    return values, [(min(one[:2]), max(one[:2]), one[2]) for one in found]


def columns(found: list[tuple[int, int, int]]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(found, np.int64).reshape(-1, 3).T)


@given(ranges())
def test_first_value_of_a_range_that_is_at_least_a_target(
    drawn: tuple[list[int], list[tuple[int, int, int]]],
) -> None:
    values, found = drawn
    begin, end, least = columns(found)
    expected = [
        next((place for place in range(low, high) if values[place] >= target), high)
        for low, high, target in found
    ]
    assert first_at_least(np.array(values), least, begin, end).tolist() == expected


@given(ranges())
def test_first_value_of_a_sorted_range_that_reaches_a_target(
    drawn: tuple[list[int], list[tuple[int, int, int]]],
) -> None:
    values, found = sorted(drawn[0]), drawn[1]
    begin, end, target = columns(found)
    expected = [
        next((place for place in range(low, high) if values[place] >= wanted), high)
        for low, high, wanted in found
    ]
    assert first_at_or_after(np.array(values), target, begin, end).tolist() == expected
