"""Differences between two tables."""

import math
from collections.abc import Mapping
from typing import Any

from .inputs import Row

RELATIVE_TOLERANCE = 1e-12


def differences(
    expected: Mapping[Any, Row], actual: Mapping[Any, Row], *, most: int = 10
) -> list[str]:
    """Describe where rows differ, in the columns of `expected`; empty if they are equal.

    Integers, dates, nulls and keys must be equal, floats to a part in 10^12.
    """
    found = [
        f"{key}: no such row, expected {expected[key]}" for key in expected if key not in actual
    ]
    found += [f"{key}: unexpected row {actual[key]}" for key in actual if key not in expected]
    for key, row in expected.items():
        if key in actual:
            found += [
                f"{key}: {column} is {actual[key].get(column)!r}, expected {value!r}"
                for column, value in row.items()
                if column not in actual[key] or not _same(value, actual[key][column])
            ]
    if len(found) > most:
        found[most:] = [f"and {len(found) - most} more"]
    return found


def _same(expected: object, actual: object) -> bool:
    if isinstance(expected, float) and isinstance(actual, float | int):
        return math.isclose(expected, actual, rel_tol=RELATIVE_TOLERANCE)
    return expected == actual
