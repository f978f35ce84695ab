"""Large answers wait in files for readers to take them, so that no query waits for a reader.

A file has no name and is gone with the process. Their room is bounded: in all, of one client, and
of one answer.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import structlog

from api.problems import ProblemError, unavailable

PIECE = 256 * 1024
"""Bytes that are written or read at once."""
_MEBIBYTE = 2**20

log = structlog.get_logger(__name__)


class Spool:
    """Room for `size` bytes of answers: half of it for one client, a quarter for one answer."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @property
    def most(self) -> int:
        """Bytes that one answer may have."""
        return self._size // 4

    @asynccontextmanager
    async def file(self, client: str, wait_seconds: float) -> AsyncIterator["Spooled"]:
        """Wait for the room of the largest answer, and keep what is used until the block ends.

        Raises a problem when there is none in time: 429 where the client's own unread answers
        have taken it, 503 where those of others have.
        """
        try:
            async with asyncio.timeout(wait_seconds):
                while not self._fits(client):
                    await self._changed.wait()
        except TimeoutError:
            raise self._full(client) from None
        spooled = Spooled(self, client)
        try:
            yield spooled
        finally:
            spooled.close()

    def take(self, client: str, many: int) -> None:
        """Take room, or give it back where `many` is negative."""
        self._taken[client] += many
        if not self._taken[client]:
            del self._taken[client]
        self._changed.set()
        self._changed = asyncio.Event()

    def _fits(self, client: str) -> bool:
        return self._taken.total() + self.most <= self._size and not self._has_its_half(client)

    def _has_its_half(self, client: str) -> bool:
        return self._taken[client] + self.most > self._size // 2

    def _full(self, client: str) -> ProblemError:
        if not self._has_its_half(client):
            return unavailable("Too many large answers wait to be read")
        said = "Large answers to your requests wait to be read: read them first"
        return ProblemError(429, said, headers={"Retry-After": "5"})


class Spooled:
    """An answer in a file."""

    def __init__(self, spool: Spool, client: str) -> None:
        self._spool, self._client = spool, client
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see close
        self._taken = spool.most
        self.size = 0
        spool.take(client, self._taken)

    async def fill(self, pieces: AsyncIterator[bytes]) -> None:
        """Write the answer.

        Raises a 422 problem for one that is too large, a 503 problem when the disk is full.
        """
        held = bytearray()
        async for piece in pieces:
            held += piece
            if len(held) >= PIECE:
                await self._write(bytes(held))
                held.clear()
        await self._write(bytes(held))
        self._spool.take(self._client, self.size - self._taken)
        self._taken = self.size

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the answer."""
        await asyncio.to_thread(self._file.seek, 0)
        while piece := await asyncio.to_thread(self._file.read, PIECE):
            yield piece

    def close(self) -> None:
        """Give the room back."""
        self._file.close()
        self._spool.take(self._client, -self._taken)

    async def _write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._spool.most:
            raise ProblemError(
                422,
                f"The answer is larger than {self._spool.most // _MEBIBYTE} MiB: ask for less, by "
                "pages of `limit`, or with format=parquet",
            )
        rest = memoryview(data)
        try:
            while rest:
                # A disk may take its time, and the others must not wait for it.
                rest = rest[await asyncio.to_thread(self._file.write, rest) :]
        except OSError as error:
            folder = tempfile.gettempdir()
            log.error("cannot keep an answer in a file", why=str(error), folder=folder)
            raise unavailable("There is no room for so large an answer now") from None
