"""JSON responses, streamed around the lines of JSON that ClickHouse returns."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from api import paging
from api.paging import Key


async def json_page(
    body: AsyncIterator[bytes], head: dict[str, Any], keys: Sequence[Key], limit: int
) -> AsyncIterator[bytes]:
    """Yield a JSON document of `limit` rows, buffering one line at most.

    `head` are the fields before `data`; a row beyond `limit` means that there is a next page.
    """
    yield json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"data":['
    rows, last, more = 0, b"", False
    async for batch in _lines(body):
        lines = batch[: limit - rows]
        more = len(batch) > len(lines)
        if lines:
            yield (b"," if rows else b"") + b"\n" + b",\n".join(lines)
            rows, last = rows + len(lines), lines[-1]
    cursor = paging.cursor_of(json.loads(last), keys, head["as_of"]) if more else None
    yield b'\n],"next":' + json.dumps(cursor).encode() + b"}\n"


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    rest = b""
    async for chunk in body:
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines
