"""Receives a request body, with a timeout for clients that do not send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from breakout.local.clickhouse.errors import SOCKET_TIMEOUT, clickhouse_error

# A request fails when nothing of its body arrives for so long
RECEIVE_SECONDS = 30.0

T = TypeVar("T")


async def receive(awaitable: Awaitable[T]) -> T:
    """Await a part of the body. Raises ClickHouseError after `RECEIVE_SECONDS`."""
    try:
        async with asyncio.timeout(RECEIVE_SECONDS):
            return await awaitable
    except TimeoutError:
        raise clickhouse_error(
            SOCKET_TIMEOUT,
            "Timeout exceeded while reading from the client: no data of the body arrived "
            f"for {RECEIVE_SECONDS:.0f} s",
        ) from None


async def receive_chunks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks of a body, each within `RECEIVE_SECONDS`."""
    while (chunk := await receive(anext(chunks, None))) is not None:
        yield chunk
