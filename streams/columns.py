"""Observations as columns, sorted by series and time, one entry per key."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa

from breakout.core.arrays import NULL, Flag, Int


@dataclass(frozen=True)
class Columns:
    """Observations; `NULL` for a missing count."""

    slot: Int
    """Number of the series in its partition's state."""
    at: Int
    """Observation time, milliseconds UTC."""
    raw: Int
    """Downloads since creation, as the source reports them."""
    downloads_30d: Int
    likes: Int
    origin: Int
    """Number of the origin among the state's origins."""

    @classmethod
    def empty(cls) -> "Columns":
        """Return no observations."""
        return cls(*(np.empty(0, dtype=np.int64) for _ in fields(cls)))

    def take(self, index: Any) -> "Columns":
        """Return the observations at `index`, any numpy index."""
        return Columns(*(getattr(self, column.name)[index] for column in fields(self)))


def concatenate(parts: Sequence[Columns]) -> Columns:
    """Return all observations of `parts`, in order."""
    return Columns(
        *(
            np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(Columns)
        )
    )


def count_column(column: Sequence[int | None]) -> Int:
    """Return a column of counts, `NULL` for None."""
    try:
        return np.fromiter(column, np.int64, len(column))
    except TypeError:
        nullable = pa.array(column, pa.int64())
        return np.asarray(nullable.fill_null(NULL), dtype=np.int64)


def first_of_key(columns: Columns) -> Flag:
    """Return the first entry of each key (slot, at), in sorted columns."""
    begins = np.ones(len(columns.slot), dtype=bool)
    begins[1:] = (columns.slot[1:] != columns.slot[:-1]) | (columns.at[1:] != columns.at[:-1])
    return begins


def merge_equal_keys(columns: Columns, begins: Flag, origins: Sequence[str]) -> Columns:
    """Merge observations of a key: the greatest counts, and the alphabetically first origin.

    `columns` is sorted, `begins` is its `first_of_key`. Their order is irrelevant.
    """
    if begins.all():
        return columns
    starts = np.flatnonzero(begins)
    alphabetical = np.argsort(np.array(origins, dtype=object))
    rank = np.argsort(alphabetical)
    return Columns(
        columns.slot[starts],
        columns.at[starts],
        np.maximum.reduceat(columns.raw, starts),
        np.maximum.reduceat(columns.downloads_30d, starts),
        np.maximum.reduceat(columns.likes, starts),
        alphabetical[np.minimum.reduceat(rank[columns.origin], starts)],
    )


def count_updates(columns: Columns, begins: Flag, origins: Sequence[str]) -> int:
    """Return how many observations change the merge of those before them with the same key.

    `columns` is sorted, within a key by arrival. The result does not depend on how the log is cut
    into batches, which the number of changed keys would.
    """
    if begins.all():
        return 0
    starts = np.flatnonzero(begins)
    sizes = np.diff(np.append(starts, len(columns.slot)))
    rank = np.argsort(np.argsort(np.array(origins, dtype=object)))
    values = np.stack((columns.raw, columns.downloads_30d, columns.likes, -rank[columns.origin]))
    merged = values[:, starts]
    updates = 0
    for place in range(1, int(sizes.max(initial=1))):
        keys = np.flatnonzero(sizes > place)
        greatest = np.maximum(merged[:, keys], values[:, starts[keys] + place])
        updates += int((greatest > merged[:, keys]).any(axis=0).sum())
        merged[:, keys] = greatest
    return updates
