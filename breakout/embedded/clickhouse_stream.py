"""A result, while the engine is still computing it.

chDB's own streaming hands out self-contained blocks, which join to one valid body for a few
formats only. Writing ``INTO OUTFILE`` to a pipe makes the engine write any format as one
stream, and wait while nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os

_PIPE_BYTES = 1 << 20


class ResultPipe:
    """A pipe whose write end is a path for the engine and whose read end is a stream."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()
        self._owns_read_end = self._owns_write_end = True
        set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
        if set_size is not None:
            # Larger means fewer wake-ups; unprivileged users may have a lower limit
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._write_end, set_size, _PIPE_BYTES)
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
