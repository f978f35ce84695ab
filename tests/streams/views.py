"""The public views as the oracle has them, and where they differ."""

from collections.abc import Mapping
from typing import Any

from tests.oracle.batch import Tables
from tests.oracle.compare import differences
from tests.pipeline import Pipeline

KEYS = {
    "downloads": ("model_id", "source", "observed_at"),
    "scrapes": ("source", "observed_at"),
    "downloads_daily": ("model_id", "day"),
    "points": ("size_bin", "age_days", "model_id"),
    "baselines": ("baseline", "size_bin", "age_days"),
    "ram": ("baseline", "model_id", "age_days"),
    "ram_milestones": ("baseline", "model_id", "age_days"),
    "ram_now": ("baseline", "model_id"),
    "breakouts": ("baseline", "model_id"),
}
INTERNAL = {"downloads": {"standing"}}


def view_differences(pipeline: Pipeline, expected: Tables) -> dict[str, list[str]]:
    """Return where each view differs from the oracle; empty when nowhere."""
    found = {}
    for view, key in KEYS.items():
        rows: Mapping[Any, Any] = getattr(expected, view)
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
