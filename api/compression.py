"""Compressed responses, as Accept-Encoding asks for them."""

import asyncio
from collections import OrderedDict

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.encodings import Compressor, Encoding, compress, compressor, negotiate

MIN_BYTES = 1024
"""A smaller body fits into one packet as it is."""
THREAD_BYTES = 64 * 1024
"""From this size on a body is compressed in a thread: zstd needs about 0.3 ms for it."""
CACHED_BYTES = 32 * 2**20
CACHED_BODY_BYTES = 2**20
_TEXT = ("application/json", "application/problem+json", "application/javascript", "image/svg+xml")


def is_compressible(status: int, headers: Headers) -> bool:
    """Return whether a response is text; neither encoded already, nor a part, nor events."""
    media = headers.get("content-type", "").partition(";")[0].strip()
    text = media in _TEXT or (media.startswith("text/") and media != "text/event-stream")
    # A part of a file is a part of the file as it is.
    return text and "content-encoding" not in headers and status not in {206, 304, 416}


class CompressedBodies:
    """Compressed bodies by what they were, the latest used: equal answers are compressed once."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[Encoding, bytes], bytes] = OrderedDict()
        self._size = 0

    async def get(self, encoding: Encoding, body: bytes) -> bytes:
        """Return a complete body, compressed."""
        key = (encoding, body)
        found = self._bodies.get(key)
        if found is not None:
            self._bodies.move_to_end(key)
            return found
        if len(body) < THREAD_BYTES:
            found = compress(encoding, body)
        else:
            found = await asyncio.to_thread(compress, encoding, body)
        if len(body) <= CACHED_BODY_BYTES and key not in self._bodies:
            self._bodies[key] = found
            self._size += len(body) + len(found)
            while self._size > CACHED_BYTES:
                (_, oldest), compressed = self._bodies.popitem(last=False)
                self._size -= len(oldest) + len(compressed)
        return found


class CompressionMiddleware:
    """Compresses text by zstd, brotli or gzip.

    An encoded response has a weak ETag: its bytes are others than those of the tagged file, so that
    it cannot be resumed by Range.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._bodies = CompressedBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        encoding = negotiate(Headers(scope=scope).get("accept-encoding"))
        await self._app(scope, receive, _Response(send, encoding, self._bodies).send)


class _Response:
    """One response. Its start waits for the first part of the body, which shows how large it is."""

    def __init__(self, send: Send, encoding: Encoding | None, bodies: CompressedBodies) -> None:
        self._send, self._encoding, self._bodies = send, encoding, bodies
        self._start: Message | None = None
        self._compressor: Compressor | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            if not is_compressible(message["status"], headers):
                await self._send(message)
                return
            _vary(headers)
            self._start = {**message, "headers": headers.raw}
            if self._encoding is None:
                await self._flush_start()
        elif message["type"] == "http.response.body":
            await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            await self._send(message)

    async def _send_body(self, body: bytes, more: bool) -> None:
        if self._start is not None and self._encoding is not None:
            if more:
                self._compressor = compressor(self._encoding)
                self._encode_start(self._start, self._encoding, None)
            elif len(body) >= MIN_BYTES:
                body = await self._bodies.get(self._encoding, body)
                self._encode_start(self._start, self._encoding, len(body))
            await self._flush_start()
        if self._compressor is not None:
            run = self._compressor.compress
            body = run(body) if len(body) < THREAD_BYTES else await asyncio.to_thread(run, body)
            if not more:
                body += self._compressor.flush()
            elif not body:
                return
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def _encode_start(self, start: Message, encoding: Encoding, size: int | None) -> None:
        headers = MutableHeaders(raw=start["headers"])
        headers["content-encoding"] = encoding
        if size is None:
            del headers["content-length"]
        else:
            headers["content-length"] = str(size)
        etag = headers.get("etag")
        if etag is not None and not etag.startswith("W/"):
            headers["etag"] = f"W/{etag}"
        del headers["accept-ranges"]

    async def _flush_start(self) -> None:
        if self._start is not None:
            start, self._start = self._start, None
            await self._send(start)


def _vary(headers: MutableHeaders) -> None:
    names = {name.strip().lower() for name in headers.get("vary", "").split(",")}
    if "accept-encoding" not in names:
        headers.add_vary_header("Accept-Encoding")
