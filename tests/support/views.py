"""Differences between the public views and the oracle."""

from collections.abc import Mapping
from typing import Any

from tests.oracle.batch import Tables
from tests.oracle.compare import differences
from tests.oracle.public_views import KEYS, public_rows
from tests.support.pipeline import Pipeline


def view_differences(pipeline: Pipeline, expected: Tables) -> dict[str, list[str]]:
    """Return the differences of each view from the oracle; empty without any."""
    return differences_by_view(pipeline, KEYS, public_rows(expected))


def differences_by_view(
    pipeline: Pipeline,
    keys: Mapping[str, tuple[str, ...]],
    expected: Mapping[str, Mapping[Any, Any]],
) -> dict[str, list[str]]:
    """Return the differences of views from the expected rows, by key; empty without any."""
    found = {}
    for view, key in keys.items():
        listed = pipeline.rows(f"SELECT * FROM {view}")
        actual = {tuple(row[column] for column in key): row for row in listed}
        assert len(actual) == len(listed), f"{view} has a key twice"
        if wrong := differences(expected[view], actual):
            found[view] = wrong
    return found
