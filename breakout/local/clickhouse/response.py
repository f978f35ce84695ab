"""The response to one query."""

from __future__ import annotations

import asyncio
import json
import secrets
import string
from collections.abc import Callable

from aiohttp import web

from breakout.local.clickhouse.blocks import BlockEncoder
from breakout.local.clickhouse.body_writer import BodyWriter
from breakout.local.clickhouse.compression import Encoder, response_encoder
from breakout.local.clickhouse.connection import Progress
from breakout.local.clickhouse.errors import ClickHouseError
from breakout.tasks import uninterrupted

DISPLAY_NAME = "breakout embedded"
_CONTENT_TYPES = {
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "CSVWithNamesAndTypes": "text/csv; charset=UTF-8; header=present",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSONCompactEachRow": "application/x-ndjson; charset=UTF-8",
    "JSONStringsEachRow": "application/x-ndjson; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
}
# More than this is compressed in a thread
_INLINE_COMPRESSION_BYTES = 16 << 10
_BINARY = ("Native", "RowBinary", "Arrow", "Parquet", "ORC", "Avro", "MsgPack", "BSON", "Proto")


class QueryResponse:
    """Headers and body; the status is not sent before the body begins.

    ``encoding`` is the content encoding of the body, None for an uncompressed one.
    """

    def __init__(self, http: web.Request, version: str, timezone: str) -> None:
        self._http = http
        self._version = version
        # Identifies an exception within the body
        self._tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
        self._headers = {
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
            "X-ClickHouse-Timezone": timezone,
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Exception-Tag": self._tag,
        }
        self.encoding: str | None = None
        self.blocks = False
        """Whether the body consists of ClickHouse's compressed blocks."""
        self._encoder: Encoder | None = None
        self._query_id = ""
        self._stream: web.StreamResponse
        self._writer: BodyWriter

    def set_query_id(self, query_id: str) -> None:
        """Set the id of the query."""
        self._query_id = query_id
        self._headers["X-ClickHouse-Query-Id"] = query_id

    def set_format(self, result_format: str) -> None:
        """Set the format of the body."""
        self._headers["X-ClickHouse-Format"] = result_format
        self._headers["Content-Type"] = _content_type(result_format)

    async def send(self, body: bytes, progress: Progress) -> web.StreamResponse:
        """Send a complete body."""
        self._headers["X-ClickHouse-Summary"] = _summary(progress)
        encoder = self._new_encoder() if body else None
        if encoder is not None:
            body = await _compress(lambda: encoder.compress(body) + encoder.flush(), body)
        response = web.StreamResponse(headers=self._headers)
        return await self._send(response, body)

    async def send_error(self, error: ClickHouseError, *, close: bool) -> web.StreamResponse:
        """Send an error in place of a body, and ``close`` the connection."""
        headers = {**self._headers, "X-ClickHouse-Exception-Code": str(error.code)}
        headers["Content-Type"] = "text/plain; charset=UTF-8"
        headers.pop("X-ClickHouse-Format", None)
        response = web.StreamResponse(status=error.status, headers=headers)
        if close:
            response.force_close()
        return await self._send(response, self._text(error))

    async def _send(self, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
        response.content_length = len(body)
        writer = BodyWriter(self._http, response, self._query_id)
        await writer.begin()
        await writer.write(body)
        await writer.end()
        return response

    async def begin(self) -> None:
        """Send the headers; an error can only follow the rows from now on."""
        self._headers["X-ClickHouse-Summary"] = _summary(Progress())
        self._encoder = self._new_encoder()
        self._stream = web.StreamResponse(headers=self._headers)
        self._writer = BodyWriter(self._http, self._stream, self._query_id)
        await self._writer.begin()

    async def write(self, data: bytes) -> None:
        """Send more of the body."""
        encoder = self._encoder
        if encoder is not None:
            data = await _compress(lambda: encoder.compress(data), data)
        await self._writer.write(data)

    async def end(self, data: bytes) -> web.StreamResponse:
        """Send the last of the body."""
        await self.write(data)
        await self._flush()
        await self._writer.end()
        return self._stream

    async def fail(self, data: bytes, error: ClickHouseError) -> web.StreamResponse:
        """Send the last of the body and an error, and break the connection: a client that does not
        look for the error must not take the rows for a complete result."""
        text = self._text(error)
        block = (
            f"\r\n__exception__\r\n{self._tag}\r\n".encode()
            + text
            + f"{len(text)} {self._tag}\r\n__exception__\r\n".encode()
        )
        await self.write(data + block)
        await self._flush()
        if self._http.transport is not None:
            self._http.transport.close()
        return self._stream

    async def _flush(self) -> None:
        if self._encoder is not None:
            await self._writer.write(self._encoder.flush())

    def _new_encoder(self) -> Encoder | None:
        if self.blocks:
            return BlockEncoder()
        if self.encoding is None:
            return None
        self._headers["Content-Encoding"] = self.encoding
        return response_encoder(self.encoding)

    def _text(self, error: ClickHouseError) -> bytes:
        suffix = "" if "(version " in error.text else f" (version {self._version})"
        return f"{error.text}{suffix}\n".encode(errors="replace")


async def _compress(compress: Callable[[], bytes], data: bytes) -> bytes:
    if len(data) <= _INLINE_COMPRESSION_BYTES:
        return compress()
    return await uninterrupted(asyncio.to_thread(compress))


def _content_type(result_format: str) -> str:
    known = _CONTENT_TYPES.get(result_format)
    if known is not None:
        return known
    if result_format.startswith(_BINARY):
        return "application/octet-stream"
    if result_format.startswith("JSON"):
        return "application/json; charset=UTF-8"
    if result_format.startswith(("TabSeparated", "TSV")):
        return "text/tab-separated-values; charset=UTF-8"
    return "text/plain; charset=UTF-8"


def _summary(progress: Progress) -> str:
    numbers = {
        "read_rows": progress.read_rows,
        "read_bytes": progress.read_bytes,
        "written_rows": progress.written_rows,
        "written_bytes": progress.written_bytes,
        "total_rows_to_read": 0,
        "result_rows": progress.result_rows,
        "result_bytes": progress.result_bytes,
        "elapsed_ns": progress.elapsed_ns,
    }
    # Strings, as in ClickHouse: JavaScript would lose digits of numbers
    return json.dumps({name: str(number) for name, number in numbers.items()})
