"""Rows of the tables of downloads, made from observations as the downloads processor makes them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from breakout.core.arrays import NULL
from breakout.core.counters import State
from breakout.core.grid import Basis, Grid
from breakout.core.knowledge import known
from breakout.core.times import DAY_MS, from_ms, to_ms

Row = dict[str, Any]


class Observed(NamedTuple):
    """An all-time counter of a model at a moment."""

    model_id: str
    at: datetime
    downloads: int
    source: str = "huggingface"


def download_rows(observations: Iterable[Observed], *, version: int = 1) -> dict[str, list[Row]]:
    """Return the rows by table; tables without rows are left out."""
    observed = sorted(observations, key=lambda one: (one.model_id, one.source, one.at))
    names = list(dict.fromkeys((one.model_id, one.source) for one in observed))
    number = {name: place for place, name in enumerate(names)}
    found = known(
        np.array([number[one.model_id, one.source] for one in observed], np.int64),
        np.array([to_ms(one.at) for one in observed], np.int64),
        np.array([one.downloads for one in observed], np.int64),
    )
    counters = found.counters
    downloads = [
        {
            "model_id": one.model_id, "observed_at": one.at, "source": one.source,
            "origin": "live", "downloads_all_time": one.downloads,
            "state": State(counters.state[place]).name.lower(),
            "correction": int(counters.correction[place]) or None,
            "knot_since": _moment(found.knot_since[place]),
            "knot_until": _moment(found.knot_until[place]),
            "opening": _count(found.opening[place]), "version": version,
        }
        for place, one in enumerate(observed)
    ]  # fmt: skip
    facts = {"withdrawn": 0, "version": version}
    superseded = [
        row | {"superseded_at": _moment(at)} | facts
        for row, at in zip(
            _grid_rows(found.superseded, names), found.superseded_at.tolist(), strict=True
        )
    ]
    rows = {
        "downloads_log": downloads,
        "daily_log": [row | facts for row in _grid_rows(found.grid, names)],
        "daily_superseded": superseded,
        "scrapes_log": _scrapes(observed),
    }
    return {table: own for table, own in rows.items() if own}


def _grid_rows(grid: Grid, names: list[tuple[str, str]]) -> list[Row]:
    return [
        {
            "model_id": names[grid.series[place]][0], "source": names[grid.series[place]][1],
            "day": from_ms(int(grid.day[place]) * DAY_MS).date(),
            "cumulative": int(grid.cumulative[place]), "downloads": _count(grid.downloads[place]),
            "correction": int(grid.correction[place]),
            "basis": Basis(grid.basis[place]).name.lower(),
            "known_at": _moment(grid.known_at[place]),
        }
        for place in range(len(grid.day))
    ]  # fmt: skip


def _scrapes(observed: list[Observed]) -> list[Row]:
    """Return one slice for each scrape."""
    counts: dict[tuple[str, datetime], int] = {}
    for one in observed:
        counts[one.source, one.at] = counts.get((one.source, one.at), 0) + 1
    return [
        {
            "source": source, "observed_at": at, "scrape_id": f"{source}-{at.isoformat()}",
            "slice": 0, "models": models, "complete": True,
        }
        for (source, at), models in counts.items()
    ]  # fmt: skip


def _moment(milliseconds: Any) -> datetime | None:
    return None if milliseconds == NULL else from_ms(int(milliseconds))


def _count(value: Any) -> int | None:
    return None if value == NULL else int(value)
