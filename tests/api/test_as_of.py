"""A response has one timestamp, even if observations arrive while it is read."""

import json
from collections.abc import Mapping

import pytest

from api.as_of import ATTEMPTS, AsOf, Small, read_stored, spool
from api.database import ChangedError
from api.operations.ram import RAM
from api.queries import Statement, query

AS_OF = query("as_of")
A, B, C = (f"2026-04-01T12:00:0{number}.000Z" for number in range(3))


class ChangingDatabase:
    """A database whose latest timestamp is the next of these in each state.

    In the first `changing` states a table changes while the figures are read.
    """

    def __init__(self, *timestamps: str | None, changing: int = 0) -> None:
        self.timestamps = timestamps
        self.changing = changing
        self.states = 0

    async def state(self) -> Mapping[str, str]:
        self.states += 1
        return {"scrapes_log": str(self.states)}

    async def lines_at(
        self, state: Mapping[str, str], sql: str, _values: object, *, batched: bool = False
    ) -> bytes:
        assert not batched or sql != AS_OF
        number = int(state["scrapes_log"])
        assert number == self.states
        if sql == AS_OF:
            timestamp = self.timestamps[number - 1]
            row = {"source": "huggingface", "as_of": timestamp}
            other = {"source": "openrouter", "as_of": "2026-12-31T00:00:00.000Z"}
            return (
                json.dumps(other).encode() + b"\n" + json.dumps(row).encode() if timestamp else b""
            )
        if number <= self.changing:
            raise ChangedError
        return f"answer {number}".encode()


async def read(
    database: ChangingDatabase, requested: str | None = None
) -> tuple[object, ...] | None:
    small = await read_stored(database, RAM, ("SELECT 1", {}), requested)  # type: ignore[arg-type]
    return None if small is None else (small.timestamp, small.lines)


async def test_unchanged_timestamp_is_returned() -> None:
    assert await read(ChangingDatabase(A)) == (A, b"answer 1")


async def test_empty_database_has_no_timestamp() -> None:
    assert await read(ChangingDatabase(None)) == (None, b"answer 1")


async def test_figures_that_change_while_they_are_read_are_read_again() -> None:
    assert await read(ChangingDatabase(A, B, changing=1)) == (B, b"answer 2")


async def test_gives_up_when_the_figures_change_at_each_attempt() -> None:
    database = ChangingDatabase(*[A] * ATTEMPTS, changing=ATTEMPTS)
    assert await read(database) is None
    assert database.states == ATTEMPTS


@pytest.mark.parametrize(
    ("requested", "expected"), [(A, None), (B, (B, b"answer 1")), (C, (B, b"answer 1"))]
)
async def test_figures_newer_than_requested_are_not_returned(
    requested: str, expected: tuple[str, bytes] | None
) -> None:
    assert await read(ChangingDatabase(B), requested) == expected


async def test_response_says_which_tables_it_was_read_from() -> None:
    statement: Statement = ("SELECT * FROM ram_milestones", {})
    small = await read_stored(ChangingDatabase(A), RAM, statement, None)  # type: ignore[arg-type]
    assert isinstance(small, Small)
    assert small.read_from.tables >= {"points_log", "baselines_log", "models_log", "scrapes_log"}
    assert not small.read_from.tables & {"heartbeats", "downloads_log", "ram"}
    changed = {**small.read_from.state, "points_log": "2"}
    assert small.read_from.is_unchanged({**small.read_from.state, "heartbeats": "2"})
    assert not small.read_from.is_unchanged(changed)


class SpoolingDatabase(ChangingDatabase):
    """The same, with files in place of lines."""

    async def spool_at(
        self, state: Mapping[str, str], sql: str, values: object, output_format: str
    ) -> str:
        return f"{output_format} {(await self.lines_at(state, sql, values)).decode()}"

    async def spool(self, sql: str, _values: object, output_format: str) -> str:
        return f"{output_format} of {sql}"


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (SpoolingDatabase(A), "CSV answer 1"),
        (SpoolingDatabase(A, changing=1), "CSV of past"),
        (SpoolingDatabase(B), "CSV of past"),
    ],
    ids=["unchanged", "changed-while-it-was-read", "changed-before"],
)
async def test_file_has_stored_figures_unless_they_are_newer(
    database: SpoolingDatabase, expected: str
) -> None:
    latest = AsOf(A, is_latest=True, requested=None)

    def build(now: bool) -> Statement:
        return "now" if now else "past", {}

    async def read_file(as_of: AsOf) -> object:
        return await spool(database, RAM, build, as_of, "CSV")  # type: ignore[arg-type]

    assert await read_file(latest) == expected
    earlier = AsOf(A, is_latest=False, requested=A)
    assert await read_file(earlier) == "CSV of past"
