"""Rows of the daily grid as columns: those of a slice, or those read from `daily_log`."""

from dataclasses import dataclass

import numpy as np

from breakout.contract import DailySlice
from breakout.core.arrays import NULL, Int
from streams.columns import count_column


@dataclass(frozen=True)
class DailyRows:
    """Rows of the grid, one entry a row."""

    model: Int
    """Index of its model, of models that the owner knows."""
    day: Int
    """UTC days since 1970."""
    cumulative: Int
    """Downloads at the end of the day; `NULL` = no point: withdrawn, or in a gap."""
    downloads: Int
    """Downloads within the day; `NULL` = withdrawn, or the first day of the series."""

    def only(self, rows: slice) -> "DailyRows":
        """Return a range of the rows."""
        return DailyRows(
            self.model[rows], self.day[rows], self.cumulative[rows], self.downloads[rows]
        )


def rows_of(slice_: DailySlice) -> DailyRows:
    """Return the rows of a slice; `model` is the index into its models."""
    cumulative = count_column(slice_.row_cumulative)
    downloads = count_column(slice_.row_downloads)
    gap = np.array(slice_.row_gap, dtype=bool)
    return DailyRows(
        np.array(slice_.row_model, dtype=np.int64),
        np.array(slice_.row_day, dtype=np.int64),
        np.where(gap, NULL, cumulative),
        np.where(cumulative == NULL, NULL, downloads),
    )
