"""A stopped server has closed all its connections."""

import asyncio
import contextlib
import socket

import pytest
from aiohttp import web

from breakout.simulation import Catalog, SimulatedHub
from breakout.simulation.serving import Serving


def connect(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)))


def has_ended(client: socket.socket) -> bool:
    """Whether the server has closed; the loop is blocked, so that it cannot have closed since."""
    client.settimeout(5)
    try:
        while client.recv(1 << 16):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_comes_while_the_hub_ends(turns: int) -> None:
    async with SimulatedHub(Catalog.of(["acorn/Acorn-7B"])) as hub:
        client = connect(hub.url)
        for _ in range(turns):
            await asyncio.sleep(0)
    with contextlib.closing(client):
        assert has_ended(client)


async def test_a_client_that_does_not_read_its_answer() -> None:
    asked = asyncio.Event()

    async def answer(_request: web.Request) -> web.Response:
        asked.set()
        return web.Response(body=bytes(32_000_000))

    app = web.Application()
    app.router.add_get("/", answer)
    async with Serving(app, grace_seconds=0.1) as serving:
        client = connect(serving.url)
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await asked.wait()
    with contextlib.closing(client):
        assert has_ended(client)
