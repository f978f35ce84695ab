"""An answer as of now is of one moment, though observations come while it is read."""

import json
from typing import Any

import pytest

from api.answers import TRIES, _kept
from api.operations.ram import NOW


class Restless:
    """A database whose latest moment is the next of these each time it is looked at."""

    def __init__(self, *moments: str | None) -> None:
        self.moments = list(moments)
        self.read = 0

    async def shared(self, _key: object, ask: Any) -> bytes:
        found: bytes = await ask()
        return found

    async def between(self, _sql: str, _values: object, _mark: object) -> tuple[bytes, ...]:
        self.read += 1
        before, after = (
            json.dumps({"as_of": self.moments.pop(0)}).encode() for _number in range(2)
        )
        return before, f"answer {self.read}".encode(), after


async def kept(database: Restless, moment: str | None = None) -> tuple[str | None, bytes] | None:
    return await _kept(database, NOW, ("SELECT 1", {}), moment)  # type: ignore[arg-type]


A, B, C = (f"2026-04-01T12:00:0{number}.000Z" for number in range(3))


async def test_what_stood_still_is_taken() -> None:
    assert await kept(Restless(A, A)) == (A, b"answer 1")


async def test_without_data_it_has_no_moment() -> None:
    assert await kept(Restless(None, None)) == (None, b"answer 1")


async def test_what_moved_is_read_again_and_has_the_newer_moment() -> None:
    assert await kept(Restless(A, B, B, B)) == (B, b"answer 2")


async def test_what_moves_all_the_time_is_left_to_the_past() -> None:
    database = Restless(*[A, B] * TRIES)
    assert await kept(database) is None
    assert database.read == TRIES


@pytest.mark.parametrize(
    ("moment", "expected"), [(A, None), (B, (B, b"answer 1")), (C, (B, b"answer 1"))]
)
async def test_nothing_newer_than_was_asked_for_is_in_it(
    moment: str, expected: tuple[str, bytes] | None
) -> None:
    assert await kept(Restless(B, B), moment) == expected
