"""The public views that the oracle computes: their keys, and which of its columns they have."""

from collections.abc import Mapping
from typing import Any

from .batch import Tables
from .inputs import Row

KEYS = {
    "scrapes": ("source", "observed_at"),
    "downloads": ("model_id", "observed_at"),
    "downloads_by_source_log": ("model_id", "source", "observed_at"),
    "downloads_daily": ("model_id", "day"),
    "downloads_daily_by_source": ("model_id", "source", "day"),
    "counter_health": ("day", "source", "age_band"),
    "points": ("size_bin", "age_days", "model_id"),
    "baselines": ("baseline", "size_bin", "age_days"),
    "ram": ("baseline", "model_id", "age_days"),
    "ram_milestones": ("baseline", "model_id", "age_days"),
    "ram_now": ("baseline", "model_id"),
    "breakouts": ("baseline", "model_id"),
}
# A slice that is delivered in other pieces counts again: the number of a scrape's models rests on
# how its collector cut it.
_INTERNAL = {"points": {"downloads", "capped"}, "scrapes": {"models"}}


def public_rows(tables: Tables) -> dict[str, Mapping[Any, Row]]:
    """Return the rows of each view by its key, without columns that only its table has."""
    rows = {
        view: {
            key: {
                column: value
                for column, value in row.items()
                if column not in _INTERNAL.get(view, ())
            }
            for key, row in getattr(tables, view).items()
        }
        for view in KEYS
    }
    return rows | {"counter_health": _shares(rows["counter_health"])}


def _shares(counts: Mapping[Any, Row]) -> Mapping[Any, Row]:
    """Return counter health with shares of the busy models; null without any."""
    return {
        key: row
        | {name: row[name] / row["busy"] if row["busy"] else None for name in ("held", "fallen")}
        for key, row in counts.items()
    }
