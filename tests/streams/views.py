"""The public views as the oracle has them, and where they differ."""

from collections.abc import Mapping
from typing import Any

from tests.oracle.batch import Tables
from tests.oracle.compare import differences
from tests.oracle.test_views import KEYS
from tests.support.pipeline import Pipeline

INTERNAL = {"downloads": {"standing"}}


def view_differences(pipeline: Pipeline, expected: Tables) -> dict[str, list[str]]:
    """Return where each view differs from the oracle; empty when nowhere."""
    return differing(pipeline, KEYS, {view: getattr(expected, view) for view in KEYS})


def differing(
    pipeline: Pipeline,
    keys: Mapping[str, tuple[str, ...]],
    expected: Mapping[str, Mapping[Any, Any]],
) -> dict[str, list[str]]:
    """Return where views differ from what is expected of them, by key; empty when nowhere."""
    found = {}
    for view, key in keys.items():
        rows = expected[view]
        public = {
            name: {
                column: value
                for column, value in row.items()
                if column not in INTERNAL.get(view, ())
            }
            for name, row in rows.items()
        }
        listed = pipeline.rows(f"SELECT * FROM {view}")
        actual = {tuple(row[column] for column in key): row for row in listed}
        assert len(actual) == len(listed), f"{view} shows a key twice"
        wrong = differences(public, actual)
        if wrong:
            found[view] = wrong
    return found
