"""Sends the body of a response, with a timeout for clients that do not read."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

# The connection of a client that reads nothing for so long is closed
SEND_SECONDS = 30.0
_CHUNK_BYTES = 64 << 10
# The kernel's buffer; a small one shows earlier that a client does not read
_SEND_BUFFER_BYTES = 256 << 10

logger = logging.getLogger(__name__)


class BodyWriter:
    """The body of one response.

    Every method raises ConnectionError once the client has disconnected or timed out: it has to
    read each 300 kB or so within `SEND_SECONDS`.
    """

    def __init__(self, http: web.Request, response: web.StreamResponse, query_id: str) -> None:
        self._http = http
        self._response = response
        self._query_id = query_id

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
        """Send more of the body; the response to a HEAD has none."""
        if self._http.method == hdrs.METH_HEAD:
            return
        rest = memoryview(data)
        while rest:
            async with self._deadline():
                await self._response.write(rest[:_CHUNK_BYTES])
            rest = rest[_CHUNK_BYTES:]

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
                self._query_id,
            )
            raise ConnectionAbortedError("the client does not read") from None
