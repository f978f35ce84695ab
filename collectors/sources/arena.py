"""The Arena leaderboards: ratings by people's votes, from their dataset on the Hub.

The dataset viewer serves the rows. Whether a model is open is what the leaderboard's own licence
column says, unless the project's reviewed map says otherwise.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from breakout.contract.events import Day, LeaderboardSlice, NameRecord
from breakout.contract.names import Name
from breakout.contract.topics import LEADERBOARDS
from breakout.registry.names import NameMap, load_names
from collectors.http.client import Source, SourceError
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import Streak, Unreadable, check_page
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.job import EmptyAnswerError, Job, Outcome
from collectors.sources.fields import Count, Stated
from collectors.sources.leaderboards import (
    Rated,
    board_key,
    board_slice,
    name_record,
    unlisted_names,
)

log = structlog.get_logger(__name__)

SOURCE = "arena"
BOARDS = ("text", "text_style_control")
"""Configurations of the dataset, each a leaderboard; the second corrects for style, and is what
the Arena's site has shown first since May 2025."""
CATEGORY = "overall"

Params = tuple[tuple[str, str], ...]

_PAGE = 100
_MOST_ROWS = 100_000
_PROPRIETARY = "proprietary"


class Row(BaseModel):
    """A row of the dataset."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    model_name: Name
    organization: Stated = None
    license: Stated = None
    rating: float
    rating_lower: float | None = None
    rating_upper: float | None = None
    vote_count: Count | None = None
    category: Literal["overall"]
    leaderboard_publish_date: Day

    @property
    def is_open(self) -> bool | None:
        """Whether its licence lets people have the weights; null where none is stated."""
        return self.license.strip().lower() != _PROPRIETARY if self.license else None


@dataclass
class Board:
    """What one leaderboard says."""

    name: str
    rows: dict[tuple[date, str], Row] = field(default_factory=dict)
    """By day and name."""
    missing: dict[str, str] = field(default_factory=dict)
    combined: int = 0
    """Names with several ratings of one day."""


class ArenaJob(Job):
    """Arena's leaderboards of text, overall, without and with control of style."""

    name = SOURCE

    @property
    def cadence(self) -> Cadence:
        """Daily at 05:00 UTC."""
        return Cadence(DAY, 5 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the leaderboards and publish each, one slice a day it is of.

        One that cannot be read whole is named as a trouble; the other is published all the same.
        """
        names = load_names(self.settings.names_file)
        address = self.settings.arena_base_url
        boards: list[Board] = []
        troubles: list[str] = []
        unreadable = Unreadable(SOURCE, SOURCE)
        failure: SourceError | EmptyAnswerError | None = None
        async with Source(SOURCE, address, "ARENA_BASE_URL", patience=self.patience) as source:
            for name in BOARDS:
                try:
                    boards.append(await read_board(source, name, unreadable))
                except (SourceError, EmptyAnswerError) as error:
                    failure = failure or error
                    troubles.append(f"{name}: {error}")
        if not boards and failure is not None:
            raise failure
        slices = [one for board in boards for one in _slices(board, observed_at)]
        records = _names(boards, names, observed_at)

        async def write(publisher: Publisher) -> None:
            await publisher.publish_names(records)
            await publisher.publish(LEADERBOARDS, ((board_key(one), one) for one in slices))
            await publisher.publish_dead_letters(unreadable.letters)

        await self.publish(write)
        return Outcome(
            SOURCE,
            observed_at,
            {"ratings": sum(len(board.rows) for board in boards), "names": len(records)},
            len(slices) + len(records),
            {name: why for board in boards for name, why in board.missing.items()},
            tuple(troubles),
            dead_letters=len(unreadable.letters),
            not_kept=unreadable.not_kept,
            notes=tuple(
                f"{board.combined} of {board.name} rated several times a day, differently: "
                "the median of those with the most votes kept"
                for board in boards
                if board.combined
            ),
        )


def _slices(board: Board, observed_at: datetime) -> Iterable[LeaderboardSlice]:
    for day in sorted({day for day, _ in board.rows}):
        rated = (
            Rated(name, row.rating, row.rating_lower, row.rating_upper, row.vote_count)
            for (of, name), row in board.rows.items()
            if of == day
        )
        yield board_slice(SOURCE, board.name, "", day, rated, observed_at=observed_at)


def _names(boards: Iterable[Board], names: NameMap, observed_at: datetime) -> list[NameRecord]:
    """Return what the names mean, as the latest row of each says."""
    latest: dict[str, Row] = {}
    for board in boards:
        for (_, name), row in sorted(board.rows.items()):
            held = latest.get(name)
            if held is None or held.leaderboard_publish_date <= row.leaderboard_publish_date:
                latest[name] = row if held is None else _described(row, held)
    records = [
        name_record(
            SOURCE,
            name,
            names,
            observed_at=observed_at,
            title=None,
            vendor=row.organization,
            licensed_open=row.is_open,
        )
        for name, row in sorted(latest.items())
    ]
    return records + list(unlisted_names(SOURCE, latest, names, observed_at=observed_at))


def _described(row: Row, other: Row) -> Row:
    """Return a row with another's organisation and licence where it states none itself."""
    return row.model_copy(
        update={
            "organization": row.organization or other.organization,
            "license": row.license or other.license,
        }
    )


async def read_board(source: Source, name: str, unreadable: Unreadable) -> Board:
    """Read all rows of the overall category of one leaderboard.

    A row that cannot be read becomes a dead letter; the others go on. Of a name's several ratings
    of one day the median of those with the most votes counts. Raises `SourceError`, and
    `EmptyAnswerError` when nothing could be read, or the rows end before their number, or moved
    while they were read: a leaderboard in part has no best.
    """
    board = Board(name)
    streak = Streak(f"{SOURCE}: the leaderboard {name}", source.setting)
    found: dict[tuple[date, str], list[Row]] = {}
    async for row in _rows(source, name):
        if isinstance(row, dict) and row.get("category", CATEGORY) != CATEGORY:
            continue
        try:
            read = Row.model_validate(row)
        except ValidationError as error:
            why = explain(error)
            unreadable.add(row, f"{name}: {why}")
            of = row.get("model_name") if isinstance(row, dict) else None
            shown = of if isinstance(of, str) and of else "a row without a name"
            board.missing[shown[:256]] = f"unreadable row of {name}: {why}"
            streak.bad(why)
            continue
        streak.good()
        rated = found.setdefault((read.leaderboard_publish_date, read.model_name), [])
        if read not in rated:
            rated.append(read)
    if not found:
        why = next(iter(board.missing.values()), "the leaderboard is empty")
        raise EmptyAnswerError(f"{SOURCE}: no rating of {name} could be read: {why}")
    board.rows = {key: _combined(rated) for key, rated in found.items()}
    board.combined = sum(_differ(rated) for rated in found.values())
    return board


def _differ(rated: list[Row]) -> bool:
    return len({(one.rating, one.rating_lower, one.rating_upper) for one in rated}) > 1


def _combined(rated: list[Row]) -> Row:
    """Return what a day's different rows of one name say together, in whichever order they come."""
    if len(rated) == 1:
        return rated[0]
    most = max(-1 if row.vote_count is None else row.vote_count for row in rated)
    counted = [row for row in rated if row.vote_count == (None if most < 0 else most)]
    licences = {row.license for row in rated if row.license}
    agreed = len({row.is_open for row in rated} - {None}) == 1
    return rated[0].model_copy(
        update={
            "organization": min((r.organization for r in rated if r.organization), default=None),
            "license": min(licences) if agreed else None,
            "rating": median(row.rating for row in counted),
            "rating_lower": _median(row.rating_lower for row in counted),
            "rating_upper": _median(row.rating_upper for row in counted),
            "vote_count": counted[0].vote_count,
        }
    )


def _median(values: Iterable[float | None]) -> float | None:
    stated = [value for value in values if value is not None]
    return median(stated) if stated else None


async def _rows(source: Source, board: str) -> AsyncIterator[Any]:
    """Yield the rows of the category; all rows from where the viewer no longer filters them."""
    dataset: Params = (
        ("dataset", "lmarena-ai/leaderboard-dataset"),
        ("config", board),
        ("split", "latest"),
    )
    where: Params = (*dataset, ("where", f"\"category\"='{CATEGORY}'"))
    numbers: list[Any] = []
    try:
        async for number, row in _pages(source, "/filter", where, 0):
            numbers.append(number)
            yield row
    except SourceError as error:
        start = _next(numbers)
        log.info("the dataset viewer cannot filter, reading rows", start=start, reason=str(error))
    else:
        return
    async for _, row in _pages(source, "/rows", dataset, start):
        yield row


def _next(numbers: list[Any]) -> int:
    """Return where among all rows to go on after those with these numbers.

    The viewer numbers a filtered row by its place among all rows. Where that cannot be so all rows
    are read: one that comes twice counts once.
    """
    rising = all(type(one) is int for one in numbers) and numbers == sorted(set(numbers))
    return int(numbers[-1]) + 1 if numbers and rising else 0


async def _pages(
    source: Source, path: str, params: Params, done: int
) -> AsyncIterator[tuple[Any, Any]]:
    """Yield the rows from one on, each with its number."""
    total: int | None = None
    while total is None or done < total:
        rows, now_total = await _page(source, path, params, done)
        if total is not None and now_total != total:
            raise EmptyAnswerError(f"{SOURCE}: {total} rows became {now_total} while being read")
        if not rows and done < now_total:
            raise EmptyAnswerError(f"{SOURCE}: the rows end after {done} of {now_total}")
        total = now_total
        for row in rows:
            yield row
        done += len(rows)


async def _page(
    source: Source, path: str, params: Params, offset: int
) -> tuple[list[tuple[Any, Any]], int]:
    answer = await source.json(path, (*params, ("offset", str(offset)), ("length", str(_PAGE))))
    content = answer.content if isinstance(answer.content, dict) else {}
    rows, total = content.get("rows"), content.get("num_rows_total")
    if not isinstance(rows, list) or type(total) is not int or content.get("partial"):
        raise EmptyAnswerError(
            f"{SOURCE}: the answer has no whole list of rows: check {source.setting}"
        )
    if total > _MOST_ROWS:
        raise EmptyAnswerError(
            f"{SOURCE}: {total} rows are more than the {_MOST_ROWS} read at most"
        )
    check_page(f"{SOURCE}: the list of rows", rows, _PAGE, source.setting)
    return [
        (row.get("row_idx"), row.get("row")) if isinstance(row, dict) else (None, row)
        for row in rows
    ], total
