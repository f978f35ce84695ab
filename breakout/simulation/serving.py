"""An HTTP server of this process that leaves no connection behind, not even the youngest."""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web

_TURNS_UNTIL_KNOWN = 3


async def stop_accepting(listening: asyncio.Server) -> None:
    """Close a listening server once each connection that it accepted has reached its protocol."""
    for one in listening.sockets:
        asyncio.get_running_loop().remove_reader(one)
    for _ in range(_TURNS_UNTIL_KNOWN):
        await asyncio.sleep(0)
    listening.close()


class Serving:
    """Serves an aiohttp application on an address while its context is entered.

    aiohttp's own sites stop listening first. A connection accepted in that very turn of the loop is
    then lost, open, to asyncio and to aiohttp; and one whose client reads nothing never closes.
    """

    def __init__(
        self, app: web.Application, host: str = "127.0.0.1", port: int = 0, *, patience: float = 1.0
    ) -> None:
        """`patience` is how many seconds a request gets to its end, and as many once cancelled."""
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=patience)
        self._address = (host, port)
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Its address."""
        if self._listening is None:
            raise RuntimeError("nothing is served; use it with `async with`")
        host, port, *_ = self._listening.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("aiohttp has set up no server")
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(server, *self._address)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        listening, self._listening = self._listening, None
        server = self._runner.server
        if listening is None or server is None:
            return
        await stop_accepting(listening)
        transports = [one.transport for one in server.connections]
        await self._runner.cleanup()
        for transport in transports:
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)  # a connection's socket is closed in the turn after that
