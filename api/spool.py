"""Spool of large responses: temporary files, so that no query stays open for a slow client.

Files are unnamed and vanish with the process. Their space is limited in total, per client, and per
response. A file may stay for a while after it was read, since clients read files in parts: it gives
way to others that need its space.
"""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO

import structlog

from api.problems import ProblemError, unavailable

CHUNK_BYTES = 256 * 1024
IDLE_SECONDS = 30.0
"""How long a kept file stays after it was read last."""
MAX_IDLE_FILES = 128
"""Kept files that nobody reads: each is an open file of the process."""
_MEBIBYTE = 2**20

log = structlog.get_logger(__name__)


class Spool:
    """Space for `size` bytes of responses: half of it per client, a quarter per response."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._reserved: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._idle: dict[SpoolFile, None] = {}
        """Kept files that nobody reads, the longest idle first."""

    @property
    def file_limit(self) -> int:
        """Bytes that one response may have."""
        return self._size // 4

    async def create(self, client: str, wait_seconds: float) -> "SpoolFile":
        """Wait for space for the largest response, and return a file that has it reserved.

        Raises a problem if there is none in time: 429 if the client's own unread responses use it,
        503 if those of other clients do.
        """
        try:
            async with asyncio.timeout(wait_seconds):
                while not self._fits(client):
                    if not self._evict(client):
                        await self._changed.wait()
        except TimeoutError:
            raise self._full(client) from None
        return SpoolFile(self, client)

    def reserve(self, client: str, size: int) -> None:
        """Reserve `size` bytes; a negative size releases them."""
        self._reserved[client] += size
        if not self._reserved[client]:
            del self._reserved[client]
        self._changed.set()
        self._changed = asyncio.Event()

    def add_idle(self, file: "SpoolFile") -> None:
        """Note that nobody reads a kept file; too many of them make the oldest go."""
        self._idle[file] = None
        if len(self._idle) > MAX_IDLE_FILES:
            next(iter(self._idle)).close()

    def remove_idle(self, file: "SpoolFile") -> None:
        """Note that a file is read or closed."""
        self._idle.pop(file, None)

    def close(self) -> None:
        """Close the files that nobody reads."""
        for file in list(self._idle):
            file.close()

    def _evict(self, client: str) -> bool:
        """Close the longest idle file whose space helps the client, if there is one."""
        own = self._over(client)
        for file in self._idle:
            if not own or file.client == client:
                file.close()
                return True
        return False

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
    """A response in a temporary file, until `close`, or for a while after it was read last."""

    def __init__(self, spool: Spool, client: str) -> None:
        self.client = client
        self.size = 0
        self.closed = False
        self._spool = spool
        self._file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - see close
        self._reserved = spool.file_limit
        self._sha256 = sha256()
        self._readers = 0
        self._is_kept = False
        self._expiry: asyncio.TimerHandle | None = None
        spool.reserve(client, self._reserved)

    @property
    def digest(self) -> str:
        """SHA-256 of what was written."""
        return self._sha256.hexdigest()

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
        self._spool.reserve(self.client, self.size - self._reserved)
        self._reserved = self.size

    async def read(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield the response, or its bytes from `start` to before `end`, in chunks."""
        end = self.size if end is None else end
        while start < end:
            count = min(CHUNK_BYTES, end - start)
            # At an offset: others read the same file.
            chunk = await asyncio.to_thread(os.pread, self._file.fileno(), count, start)
            start += len(chunk)
            yield chunk

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the file open until the block ends. It closes then, unless others read it or it is
        kept.
        """
        self._readers += 1
        self._spool.remove_idle(self)
        self._stop_expiry()
        try:
            yield
        finally:
            self._readers -= 1
            self._rest()

    def keep(self) -> None:
        """Let the file stay for `IDLE_SECONDS` after each reading."""
        self._is_kept = True
        self._rest()

    def discard(self) -> None:
        """Let the file go once nobody reads it."""
        self._is_kept = False
        self._rest()

    def close(self) -> None:
        """Delete the file and release its space."""
        if self.closed:
            return
        self.closed = True
        self._stop_expiry()
        self._file.close()
        self._spool.remove_idle(self)
        self._spool.reserve(self.client, -self._reserved)

    def _rest(self) -> None:
        """Decide what becomes of the file if nobody reads it."""
        if self._readers or self.closed:
            return
        if not self._is_kept:
            self.close()
            return
        self._stop_expiry()
        self._expiry = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.close)
        self._spool.add_idle(self)

    def _stop_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    async def _flush(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._spool.file_limit:
            raise ProblemError(
                422,
                f"The response is larger than {self._spool.file_limit // _MEBIBYTE} MiB: narrow "
                "the filters, set `limit` to get pages, or use format=parquet",
            )
        try:
            # In a thread: a slow disk must not block other requests.
            await asyncio.to_thread(self._write, data)
        except OSError as error:
            folder = tempfile.gettempdir()
            log.error("cannot write a response to the spool", why=str(error), folder=folder)
            raise unavailable("The server's disk has no space for this response") from None

    def _write(self, data: bytes) -> None:
        self._sha256.update(data)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
