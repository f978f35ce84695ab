"""The daily grid of each series."""

from datetime import date

from . import counters
from .clean import SeriesKey
from .inputs import Row, date_of

DailyKey = tuple[str, str, date]


def grids_of(
    series: dict[SeriesKey, list[counters.Observation]],
) -> dict[SeriesKey, list[counters.Row]]:
    """Return the grid of each series, by day."""
    return {key: counters.grid(own) for key, own in series.items()}


def daily_by_source(grids: dict[SeriesKey, list[counters.Row]]) -> dict[DailyKey, Row]:
    """Return the rows of `downloads_daily_by_source`."""
    return {
        (model_id, source, date_of(row.day)): {
            "model_id": model_id,
            "source": source,
            "day": date_of(row.day),
            "downloads": row.downloads,
            "cumulative": row.cumulative,
            "correction": row.correction,
            "basis": row.basis,
        }
        for (model_id, source), rows in sorted(grids.items())
        for row in rows
    }


def daily(by_source: dict[DailyKey, Row]) -> dict[tuple[str, date], Row]:
    """Return the rows of `downloads_daily`: the Hub's, without their source."""
    return {
        (model_id, day): {name: value for name, value in row.items() if name != "source"}
        for (model_id, source, day), row in by_source.items()
        if source == "huggingface"
    }
