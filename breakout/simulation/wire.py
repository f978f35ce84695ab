"""Sending an answer, whole or broken in the way of a fault."""

import asyncio
import contextlib
import gzip
import socket
import struct
from collections.abc import Iterable

from aiohttp import hdrs, web

from breakout.simulation.faults import Drip, Fault, Gzip, Reset, Stalled, Truncated


async def send(
    request: web.Request, answer: web.Response, faults: Iterable[Fault], stopping: asyncio.Event
) -> web.StreamResponse:
    """Return the response to a request after the faults; may have sent all or part of it."""
    for fault in faults:
        match fault:
            case Gzip():
                answer = _compressed(request, answer, corrupt=fault.corrupt)
            case Truncated(framing="complete"):
                return _with_body(answer, _body(answer)[: _half(answer)])
            case Truncated():
                return await _cut(request, answer, chunked=fault.framing == "chunked")
            case Stalled():
                return await _stall(request, answer, stopping)
            case Drip():
                return await _drip(request, answer, fault)
            case Reset(when="after_headers"):
                return await _reset_after_headers(request, answer)
    return answer


def reset(request: web.Request) -> web.Response:
    """Reset the connection of a request that has no answer yet."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        # Lingering for zero seconds makes closing send RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _begin(
    request: web.Request, answer: web.Response, *, chunked: bool = False
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if chunked:
        response.headers.popall(hdrs.CONTENT_LENGTH, None)
        response.enable_chunked_encoding()
    else:
        response.content_length = len(_body(answer))
    response.force_close()
    await response.prepare(request)
    return response


async def _cut(request: web.Request, answer: web.Response, *, chunked: bool) -> web.StreamResponse:
    response = await _begin(request, answer, chunked=chunked)
    await response.write(_body(answer)[: _half(answer)])
    if request.transport is not None:
        request.transport.close()
    return response


async def _stall(
    request: web.Request, answer: web.Response, stopping: asyncio.Event
) -> web.StreamResponse:
    response = await _begin(request, answer)
    await response.write(b"")  # headers alone
    while not _gone(request):
        # The server does not tell a handler that its client left.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), 0.02)
            break
    return response


async def _drip(request: web.Request, answer: web.Response, drip: Drip) -> web.StreamResponse:
    response = await _begin(request, answer)
    body = _body(answer)
    for start in range(0, len(body), drip.bytes_each):
        if _gone(request):
            break
        await response.write(body[start : start + drip.bytes_each])
        await asyncio.sleep(drip.seconds_between)
    return response


async def _reset_after_headers(request: web.Request, answer: web.Response) -> web.StreamResponse:
    response = await _begin(request, answer)
    await response.write(b"")
    # A reset throws away what the client has not read yet: let the headers arrive.
    await asyncio.sleep(0.05)
    reset(request)
    return response


def _compressed(request: web.Request, answer: web.Response, *, corrupt: bool) -> web.Response:
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return answer
    body = gzip.compress(_body(answer), mtime=0)
    if corrupt:
        middle = len(body) // 2
        body = body[:middle] + bytes(byte ^ 0xFF for byte in body[middle:])
    compressed = _with_body(answer, body)
    compressed.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return compressed


def _with_body(answer: web.Response, body: bytes) -> web.Response:
    headers = answer.headers.copy()
    headers.popall(hdrs.CONTENT_LENGTH, None)
    return web.Response(status=answer.status, headers=headers, body=body)


def _body(answer: web.Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b""


def _half(answer: web.Response) -> int:
    return len(_body(answer)) // 2


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
