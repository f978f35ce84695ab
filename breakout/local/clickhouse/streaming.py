"""A result while the engine is still computing it, and data of an INSERT while they still come.

chDB's own streaming hands out self-contained blocks, which join to one valid body for a few
formats only. Writing ``INTO OUTFILE`` to a pipe makes the engine write any format as one
stream, and wait while nobody reads. And chDB's own streaming insert loses every error that comes
after the data were parsed (a constraint, too many partitions, a full disk), and says that the rows
were written. Reading ``FROM INFILE`` a pipe it is a statement as any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os

_PIPE_BYTES = 1 << 20


def _new_pipe() -> tuple[int, int]:
    """The read end and the write end of a large pipe."""
    read_end, write_end = os.pipe()
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is not None:
        # Larger means fewer wake-ups; unprivileged users may have a lower limit
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_end, set_size, _PIPE_BYTES)
    return read_end, write_end


class ResultPipe:
    """A pipe whose write end is a path for the engine and whose read end is a stream."""

    def __init__(self) -> None:
        self._read_end, self._write_end = _new_pipe()
        self._owns_read_end = self._owns_write_end = True
        self.path = f"/dev/fd/{self._write_end}"
        self._reader = asyncio.StreamReader(limit=_PIPE_BYTES)
        self._transport: asyncio.ReadTransport | None = None

    async def open(self) -> None:
        """Attach the read end to the running event loop."""
        protocol = asyncio.StreamReaderProtocol(self._reader)
        self._owns_read_end = False
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: protocol, os.fdopen(self._read_end, "rb", buffering=0)
        )

    async def read(self) -> bytes:
        """The next bytes, empty at the end."""
        return await self._reader.read(_PIPE_BYTES)

    def end(self) -> None:
        """Nothing more will be written: the stream ends."""
        if self._owns_write_end:
            self._owns_write_end = False
            os.close(self._write_end)

    def stop_reading(self) -> None:
        """Nobody will read any more: a query that still writes fails."""
        if self._transport is not None:
            self._transport.close()

    def close(self) -> None:
        """Release both ends; no query may write any more."""
        self.end()
        self.stop_reading()
        if self._owns_read_end:
            self._owns_read_end = False
            os.close(self._read_end)


class DataPipe:
    """A pipe whose read end is a path for the engine and whose write end takes what comes."""

    def __init__(self) -> None:
        self._read_end, self._write_end = _new_pipe()
        self._owns_read_end = self._owns_write_end = True
        self.path = f"/dev/fd/{self._read_end}"
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Attach the write end to the running event loop."""
        loop = asyncio.get_running_loop()
        self._owns_write_end = False
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
            os.fdopen(self._write_end, "wb", buffering=0),
        )
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def write(self, data: bytes) -> bool:
        """Hand data over, waiting while the engine is behind; False when it reads no more."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError:
            return False
        return True

    def end(self) -> None:
        """Nothing more will come: the engine sees the end of the data."""
        if self._writer is not None:
            self._writer.close()

    def stop_reading(self) -> None:
        """The statement is over: whoever still writes learns of it."""
        if self._owns_read_end:
            self._owns_read_end = False
            os.close(self._read_end)

    def close(self) -> None:
        """Release both ends; no statement may read any more."""
        self.stop_reading()
        if self._writer is not None and not self._writer.is_closing():
            self._writer.transport.abort()
        if self._owns_write_end:
            self._owns_write_end = False
            os.close(self._write_end)
