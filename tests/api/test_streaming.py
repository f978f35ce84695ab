"""A large response is spooled to a file, never held in memory."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from api.file_responses import SpooledResponse
from tests.api.conftest import ROWS
from tests.api.server import ApiServer

MAX_GROWTH = 24 << 20
"""Bytes of memory; the responses are larger."""


def peak_memory(server: ApiServer) -> int:
    """Return the most memory the process has had so far, in bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("params", ["format=csv", "format=json&limit=100000"])
def test_memory_does_not_grow_with_the_response(large: ApiServer, params: str) -> None:
    httpx.get(f"{large.url}/v1/ram/curves?{params[:11]}&limit=10")
    before, size, lines = peak_memory(large), 0, 0
    url, plain = f"{large.url}/v1/ram/curves?{params}", {"Accept-Encoding": "identity"}
    with httpx.stream("GET", url, headers=plain, timeout=120) as response:
        assert response.status_code == 200
        length = response.headers.get("content-length")
        for chunk in response.iter_bytes():
            size += len(chunk)
            lines += chunk.count(b"\n")
    # A complete file has a known length; a JSON page around it has not.
    assert length == (str(size) if "csv" in params else None)
    # A header line; or two lines around the rows of a JSON page.
    assert lines == (ROWS + 1 if "csv" in params else 100_000 + 2)
    growth = peak_memory(large) - before
    assert growth < min(size / 2, MAX_GROWTH)


async def test_disconnect_closes_the_spool_file() -> None:
    ended = False

    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"row\n"

    @asynccontextmanager
    async def running() -> AsyncIterator[AsyncIterator[bytes]]:
        nonlocal ended
        try:
            yield body()
        finally:
            ended = True

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        await asyncio.sleep(0)

    async with AsyncExitStack() as stack:
        pieces = await stack.enter_async_context(running())
        response = SpooledResponse(stack.pop_all(), pieces)
    assert not ended
    await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert ended


def test_large_response_has_an_etag(large: ApiServer) -> None:
    url = f"{large.url}/v1/ram/curves?format=json&limit=5000"
    first = httpx.get(url, timeout=120)
    again = httpx.get(url, timeout=120)
    assert first.headers["etag"] == again.headers["etag"]
    assert len(first.content) > 256 * 1024
    known = httpx.get(url, headers={"If-None-Match": first.headers["etag"]}, timeout=120)
    assert (known.status_code, known.content) == (304, b"")
    other = httpx.get(f"{url}&model=some-organisation/model-number-7", timeout=120)
    assert other.headers["etag"] != first.headers["etag"]
