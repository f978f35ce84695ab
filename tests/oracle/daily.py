"""Downloads by UTC day, interpolated over stalls and gaps."""

from datetime import date
from itertools import pairwise

from .clean import DownloadsKey
from .inputs import DAY, Row

DailyKey = tuple[str, date]


def daily(downloads: dict[DownloadsKey, Row]) -> dict[DailyKey, Row]:
    """Return the rows of `downloads_daily`, from rows of `downloads` with `stalled`."""
    last: dict[str, dict[date, Row]] = {}
    for row in sorted(downloads.values(), key=lambda row: row["observed_at"]):
        if row["source"] == "huggingface" and row["cumulative"] is not None:
            last.setdefault(row["model_id"], {})[row["observed_at"].date()] = row
    rows: dict[DailyKey, Row] = {}
    for model_id, closing in sorted(last.items()):
        usable = [
            (day, row["cumulative"]) for day, row in sorted(closing.items()) if not row["stalled"]
        ]
        for day, cumulative in _filled(usable):
            before = rows.get((model_id, day - DAY))
            rows[model_id, day] = {
                "model_id": model_id,
                "day": day,
                "cumulative": cumulative,
                "downloads": None if before is None else cumulative - before["cumulative"],
            }
    return rows


def _filled(usable: list[tuple[date, int]]) -> list[tuple[date, int]]:
    filled = usable[:1]
    for (day0, c0), (day1, c1) in pairwise(usable):
        k = (day1 - day0).days
        filled += [(day0 + i * DAY, c0 + (c1 - c0) * i // k) for i in range(1, k + 1)]
    return filled
