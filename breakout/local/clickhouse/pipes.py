"""Pipes that stream a result out of the engine, and the data of an INSERT into it.

chDB's own streaming returns self-contained blocks, which form one valid body in a few formats
only. With ``INTO OUTFILE`` to a pipe the engine writes any format as one stream, and blocks while
nobody reads. chDB's own streaming insert loses every error after the parsing of the data (a
constraint, too many partitions, a full disk), and reports the rows as written. With
``FROM INFILE`` from a pipe such an error fails the statement.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os

_PIPE_BYTES = 1 << 20


def _new_pipe() -> tuple[int, int]:
    """Return the read end and the write end of a large pipe."""
    read_end, write_end = os.pipe()
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is not None:
        # A larger buffer means fewer wake-ups; an unprivileged user may have a lower limit
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_end, set_size, _PIPE_BYTES)
    return read_end, write_end


class ResultPipe:
    """A pipe that the engine writes to by its path, and we read from."""

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
        """Return the next bytes, none at the end."""
        return await self._reader.read(_PIPE_BYTES)

    def end(self) -> None:
        """Close the write end: the stream ends."""
        if self._owns_write_end:
            self._owns_write_end = False
            os.close(self._write_end)

    def stop_reading(self) -> None:
        """Close the read end: a query that still writes fails."""
        if self._transport is not None:
            self._transport.close()

    def close(self) -> None:
        """Close both ends, after the query."""
        self.end()
        self.stop_reading()
        if self._owns_read_end:
            self._owns_read_end = False
            os.close(self._read_end)


class DataPipe:
    """A pipe that we write to, and the engine reads from by its path."""

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
        """Write data, waiting while the pipe is full; False once the engine does not read."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError:
            return False
        return True

    def end(self) -> None:
        """Close the write end: the data ends."""
        if self._writer is not None:
            self._writer.close()

    def stop_reading(self) -> None:
        """Close the read end, after the statement: writes fail."""
        if self._owns_read_end:
            self._owns_read_end = False
            os.close(self._read_end)

    def close(self) -> None:
        """Close both ends, after the statement."""
        self.stop_reading()
        if self._writer is not None and not self._writer.is_closing():
            self._writer.transport.abort()
        if self._owns_write_end:
            self._owns_write_end = False
            os.close(self._write_end)
