"""Sending to a client, which has to read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

# A client that reads nothing for so long is given up: its connection is broken
SEND_SECONDS = 30.0
_PIECE_BYTES = 64 << 10
# What the kernel holds for a client; less of it shows earlier whether the client reads
_SEND_BUFFER_BYTES = 256 << 10

logger = logging.getLogger(__name__)


class Sending:
    """The body of one response. Every method raises ConnectionError once the client is gone, or is
    given up: between two pieces it has to read some 300 kB within `SEND_SECONDS`."""

    def __init__(self, http: web.Request, response: web.StreamResponse, name: str) -> None:
        self._http = http
        self._response = response
        self._name = name

    async def begin(self) -> None:
        """Send the headers."""
        transport = self._http.transport
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES
                )
        async with self._deadline():
            await self._response.prepare(self._http)

    async def write(self, data: bytes) -> None:
        """Send more of the body, which the answer to a HEAD has not."""
        if self._http.method == hdrs.METH_HEAD:
            return
        rest = memoryview(data)
        while rest:
            async with self._deadline():
                await self._response.write(rest[:_PIECE_BYTES])
            rest = rest[_PIECE_BYTES:]

    async def end(self) -> None:
        """Finish the body."""
        async with self._deadline():
            await self._response.write_eof()

    @contextlib.asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                yield
        except TimeoutError:
            if self._http.transport is not None:
                self._http.transport.abort()
            logger.warning(
                "closed the connection of a client that read nothing for %.0f s: query_id %s",
                SEND_SECONDS,
                self._name,
            )
            raise ConnectionAbortedError("the client does not read") from None
