"""An HTTP server in this process that closes all its connections at the end."""

import asyncio
from typing import Self

from aiohttp import web

_LOOP_ITERATIONS = 3


async def stop_accepting(listening: asyncio.Server) -> None:
    """Close a listening server once each accepted connection has its protocol."""
    for sock in listening.sockets:
        asyncio.get_running_loop().remove_reader(sock)
    for _ in range(_LOOP_ITERATIONS):
        await asyncio.sleep(0)
    listening.close()


class Serving:
    """Serves an aiohttp application on an address while its context is entered.

    aiohttp's own sites stop listening first: asyncio and aiohttp then lose track of a connection
    accepted in the same iteration of the event loop. A connection whose client does not read never
    closes.
    """

    def __init__(
        self,
        app: web.Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        grace_seconds: float = 1.0,
    ) -> None:
        """Requests have `grace_seconds` to finish, and as long again once cancelled."""
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace_seconds)
        self._address = (host, port)
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        if self._listening is None:
            raise RuntimeError("not running; use it with `async with`")
        host, port, *_ = self._listening.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("aiohttp did not create a server")
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(server, *self._address)
        return self

    async def __aexit__(self, *_error: object) -> None:
        listening, self._listening = self._listening, None
        server = self._runner.server
        if listening is None or server is None:
            return
        await stop_accepting(listening)
        transports = [connection.transport for connection in server.connections]
        await self._runner.cleanup()
        for transport in transports:
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)  # sockets are closed in the next iteration of the event loop
