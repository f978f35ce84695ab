"""Sends a response, intact or damaged by a fault."""

import asyncio
import contextlib
import gzip
import socket
import struct
from collections.abc import Iterable

from aiohttp import hdrs, web

from tests.support.faulty_hub.faults import Drip, Fault, Gzip, Reset, Stalled, Truncated


async def send(
    request: web.Request, response: web.Response, faults: Iterable[Fault], stopping: asyncio.Event
) -> web.StreamResponse:
    """Apply the faults to a response; may send all or part of it."""
    for fault in faults:
        match fault:
            case Gzip():
                response = _compressed(request, response, corrupt=fault.corrupt)
            case Truncated(framing="complete"):
                return _with_body(response, _body(response)[: _half(response)])
            case Truncated():
                return await _cut(request, response, chunked=fault.framing == "chunked")
            case Stalled():
                return await _stall(request, response, stopping)
            case Drip():
                return await _drip(request, response, fault)
            case Reset(when="after_headers"):
                return await _reset_after_headers(request, response)
    return response


def reset(request: web.Request) -> web.Response:
    """Reset the connection of a request before its response."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        # With SO_LINGER at zero seconds, closing sends RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _begin(
    request: web.Request, response: web.Response, *, chunked: bool = False
) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    if chunked:
        stream.headers.popall(hdrs.CONTENT_LENGTH, None)
        stream.enable_chunked_encoding()
    else:
        stream.content_length = len(_body(response))
    stream.force_close()
    await stream.prepare(request)
    return stream


async def _cut(
    request: web.Request, response: web.Response, *, chunked: bool
) -> web.StreamResponse:
    stream = await _begin(request, response, chunked=chunked)
    await stream.write(_body(response)[: _half(response)])
    if request.transport is not None:
        request.transport.close()
    return stream


async def _stall(
    request: web.Request, response: web.Response, stopping: asyncio.Event
) -> web.StreamResponse:
    stream = await _begin(request, response)
    await stream.write(b"")  # headers alone
    while not _disconnected(request):
        # aiohttp does not notify a handler when its client disconnects.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.02)
            break
    return stream


async def _drip(request: web.Request, response: web.Response, drip: Drip) -> web.StreamResponse:
    stream = await _begin(request, response)
    body = _body(response)
    for start in range(0, len(body), drip.bytes_each):
        if _disconnected(request):
            break
        await stream.write(body[start : start + drip.bytes_each])
        await asyncio.sleep(drip.seconds_between)
    return stream


async def _reset_after_headers(request: web.Request, response: web.Response) -> web.StreamResponse:
    stream = await _begin(request, response)
    await stream.write(b"")
    # A reset discards what the client has not read yet: let the headers arrive.
    await asyncio.sleep(0.05)
    reset(request)
    return stream


def _compressed(request: web.Request, response: web.Response, *, corrupt: bool) -> web.Response:
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return response
    body = gzip.compress(_body(response), mtime=0)
    if corrupt:
        middle = len(body) // 2
        body = body[:middle] + bytes(byte ^ 0xFF for byte in body[middle:])
    compressed = _with_body(response, body)
    compressed.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return compressed


def _with_body(response: web.Response, body: bytes) -> web.Response:
    headers = response.headers.copy()
    headers.popall(hdrs.CONTENT_LENGTH, None)
    return web.Response(status=response.status, headers=headers, body=body)


def _body(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


def _half(response: web.Response) -> int:
    return len(_body(response)) // 2


def _disconnected(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
