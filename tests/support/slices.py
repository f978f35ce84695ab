"""Slices of download counters."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from breakout.contract import DownloadsSlice
from streams.columns import Columns
from streams.downloads.history import compute
from streams.downloads.slice_columns import SliceColumns
from streams.downloads.state import Result, State


def slice_of(
    models: Sequence[str],
    source: str,
    observed_at: datetime,
    totals: Sequence[int | None],
    *,
    origin: str = "live",
    likes: int | None = None,
) -> DownloadsSlice:
    """Return a slice of models with these totals, and `likes` each.

    Slices of other models or totals belong to other scrapes of the same moment.
    """
    content = zlib.crc32(repr((list(models), list(totals))).encode())
    return DownloadsSlice(
        source=source,
        origin=origin,
        scrape_id=f"{source}-{observed_at.isoformat()}-{content}",
        observed_at=observed_at,
        models=list(models),
        downloads_all_time=list(totals),
        downloads_30d=[None] * len(models),
        likes=[likes] * len(models),
    )


def applied(state: State, slices: Iterable[DownloadsSlice]) -> Result:
    """Apply the first batch of a state: nothing is stored yet."""
    plan = state.plan([SliceColumns.of(one) for one in slices])
    restated = compute({0: state.restate(plan)}, lambda _spans: {0: Columns.empty()})
    return state.apply(plan, restated[0])
