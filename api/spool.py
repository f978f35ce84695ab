"""Spool of large responses: temporary files, so that no query stays open for a slow client.

Files are unnamed and vanish with the process. Their space is limited in total, per client, and per
response.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import structlog

from api.problems import ProblemError, unavailable

CHUNK_BYTES = 256 * 1024
_MEBIBYTE = 2**20

log = structlog.get_logger(__name__)


class Spool:
    """Space for `size` bytes of responses: half of it per client, a quarter per response."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._reserved: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @property
    def file_limit(self) -> int:
        """Bytes that one response may have."""
        return self._size // 4

    @asynccontextmanager
    async def file(self, client: str, wait_seconds: float) -> AsyncIterator["SpoolFile"]:
        """Wait for space for the largest response, and reserve it until the block ends.

        Raises a problem if there is none in time: 429 if the client's own unread responses use it,
        503 if those of other clients do.
        """
        try:
            async with asyncio.timeout(wait_seconds):
                while not self._fits(client):
                    await self._changed.wait()
        except TimeoutError:
            raise self._full(client) from None
        file = SpoolFile(self, client)
        try:
            yield file
        finally:
            file.close()

    def reserve(self, client: str, size: int) -> None:
        """Reserve `size` bytes; a negative size releases them."""
        self._reserved[client] += size
        if not self._reserved[client]:
            del self._reserved[client]
        self._changed.set()
        self._changed = asyncio.Event()

    def _fits(self, client: str) -> bool:
        return self._reserved.total() + self.file_limit <= self._size and not self._over(client)

    def _over(self, client: str) -> bool:
        return self._reserved[client] + self.file_limit > self._size // 2

    def _full(self, client: str) -> ProblemError:
        if not self._over(client):
            return unavailable("Too many large responses are waiting to be read")
        return ProblemError(
            429,
            "Too many of your large responses are waiting to be read: read or close them first",
            headers={"Retry-After": "5"},
        )


class SpoolFile:
    """A response in a temporary file."""

    def __init__(self, spool: Spool, client: str) -> None:
        self._spool, self._client = spool, client
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see close
        self._reserved = spool.file_limit
        self.size = 0
        spool.reserve(client, self._reserved)

    async def write(self, chunks: AsyncIterator[bytes]) -> None:
        """Write the complete response.

        Raises a 422 problem if it is too large, a 503 problem if the disk is full.
        """
        buffer = bytearray()
        async for chunk in chunks:
            buffer += chunk
            if len(buffer) >= CHUNK_BYTES:
                await self._flush(bytes(buffer))
                buffer.clear()
        await self._flush(bytes(buffer))
        self._spool.reserve(self._client, self.size - self._reserved)
        self._reserved = self.size

    async def read(self) -> AsyncIterator[bytes]:
        """Yield the response in chunks."""
        await asyncio.to_thread(self._file.seek, 0)
        while chunk := await asyncio.to_thread(self._file.read, CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        """Delete the file and release its space."""
        self._file.close()
        self._spool.reserve(self._client, -self._reserved)

    async def _flush(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._spool.file_limit:
            raise ProblemError(
                422,
                f"The response is larger than {self._spool.file_limit // _MEBIBYTE} MiB: narrow "
                "the filters, set `limit` to get pages, or use format=parquet",
            )
        rest = memoryview(data)
        try:
            while rest:
                # In a thread: a slow disk must not block other requests.
                rest = rest[await asyncio.to_thread(self._file.write, rest) :]
        except OSError as error:
            folder = tempfile.gettempdir()
            log.error("cannot write a response to the spool", why=str(error), folder=folder)
            raise unavailable("The server's disk has no space for this response") from None
