"""The Arena leaderboard: ratings by people's votes, from its dataset on the Hub.

The dataset viewer serves the rows. Whether a model is open is what the leaderboard's own licence
column says, unless the project's reviewed map says otherwise.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from breakout.contract.events import Counter, Day
from breakout.contract.names import Name
from breakout.contract.topics import LEADERBOARDS
from breakout.registry.names import NameMap, load_names
from collectors.cadence import DAY, HOUR, Cadence
from collectors.http import Source, SourceError
from collectors.job import EmptyAnswerError, Job, Outcome
from collectors.leaderboards import (
    Rated,
    board_key,
    board_slice,
    name_record,
    unlisted_names,
)
from collectors.publisher import Publisher
from collectors.rows import explain
from collectors.unreadable import Streak, Unreadable

log = structlog.get_logger(__name__)

SOURCE = "arena"
BOARD = "text"
CATEGORY = "overall"

Params = tuple[tuple[str, str], ...]

_PAGE = 100
_MOST_ROWS = 100_000
_DATASET: Params = (
    ("dataset", "lmarena-ai/leaderboard-dataset"),
    ("config", BOARD),
    ("split", "latest"),
)
_PROPRIETARY = "proprietary"


class Row(BaseModel):
    """A row of the dataset."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    model_name: Name
    organization: Name | None = None
    license: str | None = None
    rating: float
    rating_lower: float | None = None
    rating_upper: float | None = None
    vote_count: Counter | None = None
    category: Literal["overall"]
    leaderboard_publish_date: Day

    @property
    def is_open(self) -> bool | None:
        """Whether its licence lets people have the weights; null where none is stated."""
        stated = (self.license or "").strip().lower()
        return stated != _PROPRIETARY if stated else None


@dataclass
class Board:
    """What the leaderboard says."""

    rows: dict[tuple[date, str], Row] = field(default_factory=dict)
    """By day and name."""
    missing: dict[str, str] = field(default_factory=dict)
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(SOURCE, SOURCE))


class ArenaJob(Job):
    """Arena's text leaderboard, overall."""

    name = SOURCE

    @property
    def cadence(self) -> Cadence:
        """Daily at 05:00 UTC."""
        return Cadence(DAY, 5 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the leaderboard and publish it, one slice a day it is of."""
        names = load_names(self.settings.names_file)
        address = self.settings.arena_base_url
        async with Source(SOURCE, address, "ARENA_BASE_URL", patience=self.patience) as source:
            board = await read_board(source)
        if not board.rows:
            why = next(iter(board.missing.values()), "the leaderboard is empty")
            raise EmptyAnswerError(f"{SOURCE}: no rating could be read: {why}")
        return await self._publish(board, names, observed_at)

    async def _publish(self, board: Board, names: NameMap, observed_at: datetime) -> Outcome:
        slices = [
            board_slice(
                SOURCE,
                BOARD,
                "",
                day,
                (
                    Rated(name, row.rating, row.rating_lower, row.rating_upper, row.vote_count)
                    for (of, name), row in board.rows.items()
                    if of == day
                ),
                observed_at=observed_at,
            )
            for day in sorted({day for day, _ in board.rows})
        ]
        latest = {name: row for (_, name), row in sorted(board.rows.items())}
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
        records += unlisted_names(SOURCE, latest, names, observed_at=observed_at)

        async def write(publisher: Publisher) -> None:
            await publisher.publish_names(records)
            await publisher.publish(LEADERBOARDS, ((board_key(one), one) for one in slices))
            await publisher.publish_dead_letters(board.unreadable.letters)

        await self.publish(write)
        return Outcome(
            SOURCE,
            observed_at,
            {"ratings": len(board.rows), "names": len(records)},
            len(slices) + len(records),
            board.missing,
            dead_letters=len(board.unreadable.letters),
            not_kept=board.unreadable.not_kept,
        )


async def read_board(source: Source) -> Board:
    """Read all rows of the overall category.

    A row that cannot be read becomes a dead letter; the others go on. Raises `SourceError`, and
    `EmptyAnswerError` when the rows end before their number, or moved while they were read: a
    leaderboard in part has no best.
    """
    board = Board()
    streak = Streak(f"{SOURCE}: the leaderboard", source.setting)
    async for row in _rows(source):
        if isinstance(row, dict) and row.get("category", CATEGORY) != CATEGORY:
            continue
        try:
            read = Row.model_validate(row)
        except ValidationError as error:
            why = explain(error)
            board.unreadable.add(row, why)
            name = row.get("model_name") if isinstance(row, dict) else None
            shown = name if isinstance(name, str) and name else "a row without a name"
            board.missing[shown[:256]] = f"unreadable row: {why}"
            streak.bad(why)
            continue
        streak.good()
        key = (read.leaderboard_publish_date, read.model_name)
        if board.rows.setdefault(key, read) != read:
            raise EmptyAnswerError(f"{SOURCE}: {key[1]} is rated twice on {key[0]}, differently")
    return board


async def _rows(source: Source) -> AsyncIterator[Any]:
    """Yield the rows of the category; all rows where the viewer has no index to filter by."""
    path = "/filter"
    params: Params = (*_DATASET, ("where", f"\"category\"='{CATEGORY}'"))
    try:
        rows, total = await _page(source, path, params, 0)
    except SourceError as error:
        log.info("the dataset viewer cannot filter, reading all rows", reason=str(error))
        path, params = "/rows", _DATASET
        rows, total = await _page(source, path, params, 0)
    done = 0
    while True:
        for row in rows:
            yield row
        done += len(rows)
        if done >= total:
            return
        rows, now_total = await _page(source, path, params, done)
        if now_total != total:
            raise EmptyAnswerError(f"{SOURCE}: {total} rows became {now_total} while being read")
        if not rows:
            raise EmptyAnswerError(f"{SOURCE}: the rows end after {done} of {total}")


async def _page(source: Source, path: str, params: Params, offset: int) -> tuple[list[Any], int]:
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
    return [row.get("row") if isinstance(row, dict) else row for row in rows], total
