"""The Arena leaderboards: ratings by people's votes, from their dataset on the Hub.

The dataset viewer serves the rows. Whether a model is open follows from the leaderboard's licence
column, if the licence is known, unless the project's reviewed map says otherwise.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict

from breakout.contract.events import Day, LeaderboardSlice
from breakout.contract.names import Name
from breakout.registry.names import load_names
from collectors.http.client import Source
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.publishing.rejected_rows import RejectedRows, RowReader, row_label
from collectors.publishing.rejection_limit import RejectionStreak, check_page_size
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.outcome import Collected
from collectors.sources.arena_licences import is_open
from collectors.sources.fields import Count, OptionalText
from collectors.sources.leaderboards import Rating, leaderboard_slice
from collectors.sources.names import NameFacts, name_records
from collectors.sources.names_job import NamesJob

log = structlog.get_logger(__name__)

SOURCE = "arena"
BOARDS = ("text", "text_style_control")
"""Configurations of the dataset, one a leaderboard. The second controls for style; the Arena's
site shows it first since May 2025."""
CATEGORY = "overall"

Params = tuple[tuple[str, str], ...]

_PAGE_ROWS = 100
_MOST_ROWS = 100_000


class Row(BaseModel):
    """A row of the dataset."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    model_name: Name
    organization: OptionalText = None
    license: OptionalText = None
    rating: float
    rating_lower: float | None = None
    rating_upper: float | None = None
    vote_count: Count | None = None
    category: Literal["overall"]
    leaderboard_publish_date: Day

    @property
    def is_open(self) -> bool | None:
        """Whether its licence makes the weights available; null without a known licence."""
        return is_open(self.license) if self.license else None


@dataclass
class Leaderboard:
    """One leaderboard."""

    name: str
    rows: dict[tuple[date, str], Row] = field(default_factory=dict)
    """By day and name."""
    missing: dict[str, str] = field(default_factory=dict)
    merged: int = 0
    """Names with several, different ratings of one day."""


class ArenaJob(NamesJob):
    """Arena's leaderboards of text, overall, without and with style control."""

    name = SOURCE
    cadence = Cadence(DAY, 5 * HOUR)
    """Daily at 05:00 UTC."""

    async def collect(self, observed_at: datetime) -> Collected:
        """Read the leaderboards, one slice per leaderboard and day.

        A leaderboard that cannot be read completely is a failure; the other is still published.
        """
        names = load_names(self.settings.names_file)
        address = self.settings.arena_base_url
        boards: list[Leaderboard] = []
        failures: list[str] = []
        rejected = RejectedRows(SOURCE, SOURCE)
        first_error: SourceError | EmptyResponseError | None = None
        async with Source(
            SOURCE, address, "ARENA_BASE_URL", request_policy=self.request_policy
        ) as source:
            for name in BOARDS:
                try:
                    boards.append(await read_leaderboard(source, name, rejected))
                except (SourceError, EmptyResponseError) as error:
                    first_error = first_error or error
                    failures.append(f"{name}: {error}")
        if not boards and first_error is not None:
            raise first_error
        slices = [piece for board in boards for piece in _slices(board, observed_at)]
        records = name_records(
            SOURCE,
            _name_facts(boards),
            names,
            observed_at=observed_at,
            known=await self.known_names(),
        )
        return Collected(
            {"ratings": sum(len(board.rows) for board in boards), "names": len(records)},
            rejected,
            [*records, *slices],
            missing={name: reason for board in boards for name, reason in board.missing.items()},
            failures=tuple(failures),
            notes=tuple(
                f"names of {board.name} with several ratings a day: {board.merged}, "
                "published the median of those with the most votes"
                for board in boards
                if board.merged
            ),
        )


def _slices(board: Leaderboard, observed_at: datetime) -> Iterable[LeaderboardSlice]:
    for day in sorted({day for day, _ in board.rows}):
        ratings = (
            Rating(name, row.rating, row.rating_lower, row.rating_upper, row.vote_count)
            for (row_day, name), row in board.rows.items()
            if row_day == day
        )
        yield leaderboard_slice(SOURCE, board.name, "", day, ratings, observed_at=observed_at)


def _name_facts(boards: Iterable[Leaderboard]) -> dict[str, NameFacts]:
    """Return each name's organisation and licence, from its latest row that has them."""
    facts: dict[str, NameFacts] = {}
    latest: dict[str, date] = {}
    for board in boards:
        for (day, name), row in sorted(board.rows.items()):
            if day < latest.get(name, day):
                continue
            latest[name] = day
            known = facts.get(name, NameFacts())
            facts[name] = NameFacts(
                vendor=row.organization or known.vendor,
                licensed_open=known.licensed_open if row.is_open is None else row.is_open,
            )
    return facts


async def read_leaderboard(source: Source, name: str, rejected: RejectedRows) -> Leaderboard:
    """Read all rows of the overall category of one leaderboard.

    Of a name's several ratings of one day, the median of those with the most votes counts. Raises
    `SourceError`, and `EmptyResponseError` when no row is valid, the rows end early, or their
    number changes while they are read: an incomplete leaderboard has no best model.
    """
    board = Leaderboard(name)

    def note_missing(row: Any, reason: str) -> None:
        board.missing[row_label(row, "model_name")] = f"invalid row of {name}: {reason}"

    reader = RowReader(
        Row,
        RejectionStreak(f"{SOURCE}: the leaderboard {name}", source.setting),
        rejected,
        label=lambda _row: f"{name}: ",
        on_rejection=note_missing,
    )
    rows: dict[tuple[date, str], list[Row]] = {}
    async for raw in _rows(source, name):
        if isinstance(raw, dict) and raw.get("category", CATEGORY) != CATEGORY:
            continue
        row = reader.read(raw)
        if row is None:
            continue
        same_key = rows.setdefault((row.leaderboard_publish_date, row.model_name), [])
        if row not in same_key:
            same_key.append(row)
    if not rows:
        reason = next(iter(board.missing.values()), "the leaderboard is empty")
        raise EmptyResponseError(f"{SOURCE}: no valid rating of {name}: {reason}")
    board.rows = {key: _merged(same_key) for key, same_key in rows.items()}
    board.merged = sum(_differ(same_key) for same_key in rows.values())
    return board


def _differ(rows: list[Row]) -> bool:
    return len({(row.rating, row.rating_lower, row.rating_upper) for row in rows}) > 1


def _merged(rows: list[Row]) -> Row:
    """Merge the different rows of one name and day, independent of their order."""
    if len(rows) == 1:
        return rows[0]
    most = max((row.vote_count for row in rows if row.vote_count is not None), default=None)
    voted = [row for row in rows if row.vote_count == most]
    licences = {row.license for row in rows if row.license and row.is_open is not None}
    agreed = len({row.is_open for row in rows} - {None}) == 1
    return rows[0].model_copy(
        update={
            "organization": min((r.organization for r in rows if r.organization), default=None),
            "license": min(licences) if agreed else None,
            "rating": median(row.rating for row in voted),
            "rating_lower": _median(row.rating_lower for row in voted),
            "rating_upper": _median(row.rating_upper for row in voted),
            "vote_count": most,
        }
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


async def _rows(source: Source, board: str) -> AsyncIterator[Any]:
    """Yield the rows of the category; if the viewer stops filtering, all rows from there on."""
    dataset: Params = (
        ("dataset", "lmarena-ai/leaderboard-dataset"),
        ("config", board),
        ("split", "latest"),
    )
    where: Params = (*dataset, ("where", f"\"category\"='{CATEGORY}'"))
    indexes: list[Any] = []
    try:
        async for index, row in _pages(source, "/filter", where, 0):
            indexes.append(index)
            yield row
    except SourceError as error:
        start = _resume_at(indexes)
        log.info("dataset viewer failed to filter, reading all rows", start=start, why=str(error))
    else:
        return
    async for _, row in _pages(source, "/rows", dataset, start):
        yield row


def _resume_at(indexes: list[Any]) -> int:
    """Return the index of the first unread row, given those of the filtered rows read.

    A filtered row's index is its place among all rows. If the indexes are not strictly ascending
    integers, all rows are read again: duplicates count once.
    """
    valid = all(type(index) is int for index in indexes) and indexes == sorted(set(indexes))
    return int(indexes[-1]) + 1 if indexes and valid else 0


async def _pages(
    source: Source, path: str, params: Params, start: int
) -> AsyncIterator[tuple[Any, Any]]:
    """Yield (index, row) from `start` on."""
    total: int | None = None
    offset = start
    while total is None or offset < total:
        rows, new_total = await _page(source, path, params, offset)
        if total is not None and new_total != total:
            raise EmptyResponseError(
                f"{SOURCE}: the number of rows changed from {total} to {new_total} while reading"
            )
        if not rows and offset < new_total:
            raise EmptyResponseError(f"{SOURCE}: the rows end after {offset} of {new_total}")
        total = new_total
        for row in rows:
            yield row
        offset += len(rows)


async def _page(
    source: Source, path: str, params: Params, offset: int
) -> tuple[list[tuple[Any, Any]], int]:
    page = await source.json(path, (*params, ("offset", str(offset)), ("length", str(_PAGE_ROWS))))
    content = page.content if isinstance(page.content, dict) else {}
    rows, total = content.get("rows"), content.get("num_rows_total")
    if not isinstance(rows, list) or type(total) is not int or content.get("partial"):
        raise EmptyResponseError(
            f"{SOURCE}: the response has no complete list of rows: check {source.setting}"
        )
    if total > _MOST_ROWS:
        raise EmptyResponseError(f"{SOURCE}: {total} rows exceed the limit of {_MOST_ROWS}")
    check_page_size(f"{SOURCE}: the list of rows", rows, _PAGE_ROWS, source.setting)
    return [
        (row.get("row_idx"), row.get("row")) if isinstance(row, dict) else (None, row)
        for row in rows
    ], total
