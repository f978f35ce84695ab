"""Reads response bodies with bounded size: decompression, JSON, ranges of files."""

import json
import re
import sys
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

LARGEST_BODY = 16 << 20
"""Most bytes of a decompressed body."""
MOST_VALUES = 1_000_000
"""Most values of a JSON body: in memory each takes up to a hundred times its three bytes on the
wire. A page of the Hub has about 100,000."""
LARGEST_RANGE = 64 << 20
"""Most bytes of a file's range."""
LARGEST_ERROR_BODY = 1 << 20
"""Bytes read of an error or a redirect, however few were requested."""

_CHUNK_BYTES = 1 << 20
"""Bytes decompressed at a time."""
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/(?P<total>\d+)")


@dataclass(frozen=True)
class BodyLimits:
    """Limits of a response's body."""

    size: int = LARGEST_BODY
    """Bytes, decompressed."""
    values: int | None = None
    """Values, of a JSON body."""


@dataclass(frozen=True)
class Response:
    """A response with its decompressed body."""

    head: httpx.Response
    """Status, headers and URL; its own body is not read."""
    body: bytes


@dataclass(frozen=True)
class FileRange:
    """A range of a file."""

    content: bytes
    total: int
    """Bytes of the complete file."""
    etag: str | None


class BodyError(Exception):
    """A body that exceeds its limits, or has an unsupported compression; the message is why."""


async def read_body(response: httpx.Response, limits: BodyLimits) -> bytes:
    """Read and decompress the body, stopping at its limits.

    Raises `BodyError`, and `zlib.error` for corrupt or truncated compression.
    """
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip"}:
        # Other codings, and nested ones, have no bounded expansion.
        raise BodyError(f"unsupported Content-Encoding {coding[:80]!r}: only gzip was accepted")
    chunks, size, values = [], 0, 0
    async for chunk in _decompressed(response, compressed=coding == "gzip"):
        size += len(chunk)
        if size > limits.size:
            limit = f"{limits.size >> 20} MiB" if limits.size >> 20 else f"{limits.size:,} bytes"
            raise BodyError(f"the response is larger than {limit}")
        if limits.values is not None:
            # Checked before parsing: `{},` is three bytes here, and 72 as an object.
            values += count_values(chunk)
            if values > limits.values:
                raise BodyError(f"the response has more than {limits.values:,} values")
        chunks.append(chunk)
    return b"".join(chunks)


async def _decompressed(response: httpx.Response, *, compressed: bool) -> AsyncIterator[bytes]:
    """Yield the decompressed body in chunks of bounded size. Raises `zlib.error`."""
    if not compressed:
        async for chunk in response.aiter_raw():
            yield chunk
        return
    gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    empty = True
    async for chunk in response.aiter_raw():
        left, empty = chunk, False
        while left:
            if gzip.eof:
                gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            yield gzip.decompress(left, _CHUNK_BYTES)
            left = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
    if not (empty or gzip.eof):
        raise zlib.error("the stream is truncated")


def count_values(json_bytes: bytes) -> int:
    """Return an upper bound of the number of values in a piece of JSON.

    Every value but the first follows one of these characters, which strings may contain as well.
    """
    return json_bytes.count(b",") + json_bytes.count(b"[") + json_bytes.count(b"{")


def parse_json(response: Response) -> Any:
    """Parse a JSON body. Raises `ValueError`."""
    try:
        return json.loads(response.body, parse_int=_integer)
    except RecursionError:
        raise ValueError("the response is not JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the response is not JSON: {error}") from None


def _integer(digits: str) -> int | str:
    """Keep a number too long to convert as a string: one row is invalid, not the page."""
    return int(digits) if len(digits) <= sys.int_info.default_max_str_digits else digits


def parse_range(response: Response, start: int, length: int) -> FileRange:
    """Check that a 206 response has the requested range. Raises `ValueError`."""
    headers = response.head.headers
    content_range = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if content_range is None:
        raise ValueError("the response has no valid Content-Range")
    first, last, total = (int(content_range[name]) for name in ("first", "last", "total"))
    if last - first + 1 != len(response.body):
        raise ValueError("the response is not as long as its Content-Range")
    if (first, last) != (start, min(start + length, total) - 1):
        raise ValueError("the response has another range than the one requested")
    return FileRange(response.body, total, headers.get("ETag"))
