"""Receiving from a client, which has to send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from breakout.local.clickhouse.errors import SOCKET_TIMEOUT, raised_here

# A client that sends no more of its body for so long is given up
RECEIVE_SECONDS = 30.0

T = TypeVar("T")


async def received(coming: Awaitable[T]) -> T:
    """What comes; raises ClickHouseError when it has not come within `RECEIVE_SECONDS`."""
    try:
        async with asyncio.timeout(RECEIVE_SECONDS):
            return await coming
    except TimeoutError:
        raise raised_here(
            SOCKET_TIMEOUT,
            "Timeout exceeded while reading from the client: nothing more of the body came "
            f"for {RECEIVE_SECONDS:.0f} s",
        ) from None


async def arriving(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a body, each within `RECEIVE_SECONDS`."""
    while (chunk := await received(anext(chunks, None))) is not None:
        yield chunk
