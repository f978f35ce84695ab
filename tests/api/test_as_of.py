"""A response has one timestamp, even if observations arrive while it is read."""

import json
from typing import Any

import pytest

from api.as_of import ATTEMPTS, read_stored
from api.operations.ram import RAM


class ChangingDatabase:
    """A database whose latest timestamp is the next of these at each query."""

    def __init__(self, *timestamps: str | None) -> None:
        self.timestamps = list(timestamps)
        self.reads = 0

    async def cached(self, _key: object, fetch: Any) -> bytes:
        lines: bytes = await fetch()
        return lines

    async def lines_between(self, _statement: object, _marker: object) -> tuple[bytes, ...]:
        self.reads += 1
        before, after = (
            json.dumps({"as_of": self.timestamps.pop(0)}).encode() for _number in range(2)
        )
        return before, f"answer {self.reads}".encode(), after


async def read(
    database: ChangingDatabase, requested: str | None = None
) -> tuple[str | None, bytes] | None:
    return await read_stored(database, RAM, ("SELECT 1", {}), requested)  # type: ignore[arg-type]


A, B, C = (f"2026-04-01T12:00:0{number}.000Z" for number in range(3))


async def test_unchanged_timestamp_is_returned() -> None:
    assert await read(ChangingDatabase(A, A)) == (A, b"answer 1")


async def test_empty_database_has_no_timestamp() -> None:
    assert await read(ChangingDatabase(None, None)) == (None, b"answer 1")


async def test_changed_timestamp_is_read_again() -> None:
    assert await read(ChangingDatabase(A, B, B, B)) == (B, b"answer 2")


async def test_gives_up_when_the_timestamp_changes_at_each_attempt() -> None:
    database = ChangingDatabase(*[A, B] * ATTEMPTS)
    assert await read(database) is None
    assert database.reads == ATTEMPTS


@pytest.mark.parametrize(
    ("requested", "expected"), [(A, None), (B, (B, b"answer 1")), (C, (B, b"answer 1"))]
)
async def test_figures_newer_than_requested_are_not_returned(
    requested: str, expected: tuple[str, bytes] | None
) -> None:
    assert await read(ChangingDatabase(B, B), requested) == expected
