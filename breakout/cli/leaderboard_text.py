"""The leaderboard as a table, JSON or CSV."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.text import Text

from breakout.cli.leaderboard import Crossing, Leaderboard, Place
from breakout.cli.tables import Column, fitting, sentences
from breakout.numbers import count_text, ram_text
from breakout.observability.printable import printable_json

SOURCE = (
    "Downloads as counted by the Hugging Face Hub. Tracked models, sizes and release dates: "
    "github.com/Interconnects-AI/tracked-models (Apache-2.0), with our corrections."
)
NO_DATA = (
    "No model has a RAM yet. It needs ten tracked models of a size bin with observations at the "
    "same age: `breakout backfill` loads past ones. `breakout status` shows what runs, `breakout "
    "up` collects from live sources, and `breakout demo` simulates them."
)
NO_MATCH = (
    "No model matches these options. The leaderboard has models up to a year old with a size bin, "
    "a release date and observed downloads."
)
SCALE = "1.00x is the baseline of the size bin at the same age; RAM compares at equal age."
LEGEND = "▲ passed 1.00x at that age (ongoing), △ and fell below 0.90x since (ended)"
BURSTS = "◇ passed 1.00x by a burst: with its greatest days capped, it did not pass"
BARS = "▁▂▃▄▅▆▇█"
# Columns of a terminal needed for the trend, and for one bar per day of it.
MIDDLE, WIDE = 110, 140


def as_table(board: Leaderboard, *, width: int, source: str = SOURCE) -> Group:
    """Return the leaderboard as a table for a terminal of so many columns."""
    days_per_bar = 1 if width >= WIDE else 2
    columns = [
        Column("#", right=True),
        Column("model", wraps=True),
        Column("size"),
        Column("age", right=True),
        Column("downloads", right=True),
        Column("RAM now", right=True),
        Column("breakout"),
    ]
    if width >= MIDDLE:
        columns += [Column("milestone", right=True), Column("30 days")]
    rows = [_row(place, days_per_bar)[: len(columns)] for place in board.places]
    legend = [LEGEND]
    if any(place.crossing and place.crossing.confirmed_at is None for place in board.places):
        legend.append(BURSTS)
    notes = [sentences(line, width, "dim") for line in (*legend, source)]
    return Group(*_heading(board, width), fitting(columns, rows, width), *notes)


def _row(place: Place, days_per_bar: int) -> list[str | Text]:
    return [
        str(place.rank),
        place.model_id + ("" if place.tracked else " (untracked)"),
        place.size_bin,
        f"{int(place.age_days)} d",
        count_text(place.cumulative),
        Text(current_ram_text(place.ram, place.ram_missing), style=_style(place)),
        crossing_text(place.crossing),
        _milestone_text(place),
        sparkline(_sums(place.trend, days_per_bar)),
    ]


def as_json(board: Leaderboard) -> str:
    """Return the leaderboard as a JSON object; null for a missing value."""
    record = {
        "baseline": board.baseline,
        "as_of": _iso(board.as_of),
        "total": board.total,
        "source": SOURCE,
        "models": [_record(place) | {"trend": list(place.trend)} for place in board.places],
    }
    return printable_json(json.dumps(record, ensure_ascii=False, indent=2))


def as_csv(board: Leaderboard) -> str:
    """Return the leaderboard as CSV with a header; empty for a missing value."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_record(place) for place in board.places)
    return out.getvalue()


def current_ram_text(ram: float | None, missing: str | None) -> str:
    """Return RAM as "1.42x"; without one, why."""
    return ram_text(ram) if ram is not None else missing or "n/a"


def sparkline(values: Sequence[int | None]) -> str:
    """Return one bar per value, relative to the largest; blank for null."""
    top = max((value for value in values if value is not None), default=0)
    return "".join(
        " " if value is None else BARS[value * (len(BARS) - 1) // top if top else 0]
        for value in values
    )


def _sums(values: Sequence[int | None], size: int) -> list[int | None]:
    """Return the sums of each `size` values; null if one of them is."""
    groups = [values[start : start + size] for start in range(0, len(values), size)]
    return [
        None if None in group else sum(value for value in group if value is not None)
        for group in groups
    ]


FIELDS = (
    "rank",
    "model_id",
    "org",
    "size_bin",
    "released_at",
    "tracked",
    "age_days",
    "as_of",
    "cumulative",
    "baseline_downloads",
    "peers",
    "ram",
    "ram_capped",
    "ram_missing",
    "milestone_age_days",
    "milestone_ram",
    "crossed_at",
    "crossed_age_days",
    "crossed_ram",
    "crossed_ram_capped",
    "top_day_share",
    "breakout_status",
    "confirmed_at",
    "ended_at",
)


def _record(place: Place) -> dict[str, Any]:
    milestone, crossing = place.milestone, place.crossing
    values = (
        place.rank,
        place.model_id,
        place.org,
        place.size_bin,
        place.released_at.isoformat() if place.released_at else None,
        place.tracked,
        place.age_days,
        _iso(place.as_of),
        place.cumulative,
        place.baseline_downloads,
        place.peers,
        place.ram,
        place.ram_capped,
        place.ram_missing,
        milestone.age_days if milestone else None,
        milestone.ram if milestone else None,
        _iso(crossing.crossed_at) if crossing else None,
        crossing.age_days if crossing else None,
        crossing.ram if crossing else None,
        crossing.ram_capped if crossing else None,
        crossing.top_day_share if crossing else None,
        crossing.status if crossing else None,
        _iso(crossing.confirmed_at) if crossing else None,
        _iso(crossing.ended_at) if crossing else None,
    )
    return dict(zip(FIELDS, values, strict=True))


def _heading(board: Leaderboard, width: int) -> list[Text]:
    if board.as_of is None:
        return [sentences(NO_DATA, width)]
    return [
        sentences(
            f"Relative adoption (RAM) as of {board.as_of:%Y-%m-%d %H:%M} UTC, baseline "
            f"{board.baseline}: {len(board.places):,} of {board.total:,} models",
            width,
            "bold",
        ),
        sentences(SCALE, width),
    ]


def crossing_text(crossing: Crossing | None) -> str:
    """Return the age of a crossing, with a mark for a burst, an ended and an ongoing breakout."""
    if crossing is None:
        return ""
    mark = "▲" if crossing.ended_at is None else "△"
    return f"{'◇' if crossing.confirmed_at is None else mark} day {crossing.age_days}"


def _style(place: Place) -> str:
    if place.ram is None:
        return "dim"
    return "bold green" if place.ram >= 1 and (place.ram_capped or 0) >= 1 else ""


def _milestone_text(place: Place) -> str:
    if place.milestone is None:
        return ""
    ram = place.milestone.ram
    return f"{'n/a' if ram is None else ram_text(ram)} at {place.milestone.age_days} d"


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds")
