"""Connections that end: a request has to come whole in time, and an answer has to be read.

uvicorn waits for both as long as it takes. Every connection is looked at once a second instead.
"""

import asyncio
import json
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.clients import Networks, address_of, key_of, trusts
from api.problems import MEDIA_TYPE
from breakout.observability.metrics import API_CUT

LOOK_SECONDS = 1.0
REQUEST_SECONDS = 5.0
"""For a request to come whole, its body too: what is asked here fits into one packet."""
MOST_CONNECTIONS = 1000
"""Of one address that is no trusted proxy."""
STREAM_BUFFER = 64 * 1024
"""Bytes of events that the kernel keeps for a reader that does not take them."""
_AT_ONCE = struct.pack("ii", 1, 0)
"""Linger for no time: what was not taken is dropped."""
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Limits:
    """What a connection may take, seconds.

    `stall_seconds`: of an answer, without a byte taken; `answer_seconds`: for a whole answer.
    """

    stall_seconds: float
    answer_seconds: float
    trusted: Networks = ()
    opened: Counter[str] = field(default_factory=Counter)
    """Connections by the address that opened them."""


class _StrictConnection(h11.Connection):
    """Refuses what two servers may read as two different requests."""

    why = ""

    def next_event(self) -> Any:
        """Return the next event. Raises `h11.RemoteProtocolError`, and keeps why."""
        try:
            event = super().next_event()
            if isinstance(event, h11.Request):
                names = {name for name, _ in event.headers}
                if names >= {b"content-length", b"transfer-encoding"}:
                    raise h11.RemoteProtocolError(
                        "Content-Length and Transfer-Encoding exclude each other: send one"
                    )
        except h11.RemoteProtocolError as error:
            self.why = str(error)
            raise
        return event


class BoundedProtocol(H11Protocol):
    """A connection with deadlines. Subclasses say which, see `bounded`."""

    limits: Limits

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.conn = _StrictConnection(h11.SERVER, self.conn._max_incomplete_event_size)  # noqa: SLF001
        self._timer: asyncio.TimerHandle | None = None
        self._peer = ""
        # Each with when it was noticed first.
        self._request: tuple[RequestResponseCycle | None, float] | None = None
        self._answer: tuple[RequestResponseCycle, float] | None = None
        self._unread: tuple[int, float] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look after it."""
        super().connection_made(transport)
        # Nothing is written before the kernel has taken what was: what is unread then only shrinks.
        transport.set_write_buffer_limits(high=0)
        address = address_of(self.client[0]) if self.client else None
        if not trusts(self.limits.trusted, address):
            self._peer = key_of(address)
            self.limits.opened[self._peer] += 1
            if self.limits.opened[self._peer] > MOST_CONNECTIONS:
                self._cut("too many")
                return
        self._timer = self.loop.call_later(LOOK_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look after it no longer."""
        if self._timer is not None:
            self._timer.cancel()
        if self._peer:
            self.limits.opened[self._peer] -= 1
            # Who is gone is not remembered.
            if not self.limits.opened[self._peer]:
                del self.limits.opened[self._peer]
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Note that all was taken."""
        self._unread = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request with a problem that says why."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            # In the middle of an answer there is no place for another.
            self._cut("request")
            return
        why = getattr(self.conn, "why", "") or msg
        problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": why}
        body = json.dumps({**problem, "errors": []}).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _look(self) -> None:
        why = self._overdue(self.loop.time())
        if why:
            self._cut(why)
        else:
            self._timer = self.loop.call_later(LOOK_SECONDS, self._look)

    def _cut(self, why: str) -> None:
        API_CUT.labels(why).inc()
        log.info("cut a connection", why=why, client=self._peer or "a trusted proxy")
        if why in {"stalled", "slow"}:
            # The kernel has megabytes of the answer as well, and would keep them for the reader.
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        # To close would wait until everything is read.
        self.transport.abort()

    def _overdue(self, now: float) -> str:
        """Return why the connection has to end, "" while it may go on."""
        if self._request_is_late(now):
            return "request"
        if self._reader_has_stalled(now):
            return "stalled"
        return "slow" if self._answer_is_late(now) else ""

    def _request_is_late(self, now: float) -> bool:
        if self.conn.their_state not in _UNFINISHED:
            self._request = None
        elif self._request is None or self._request[0] is not self.cycle:
            self._request = self.cycle, now
        else:
            return now - self._request[1] > REQUEST_SECONDS
        return False

    def _reader_has_stalled(self, now: float) -> bool:
        unread = self.transport.get_write_buffer_size()
        if not unread:
            self._unread = None
        elif self._unread is None or unread < self._unread[0]:
            self._unread = unread, now
        else:
            return now - self._unread[1] > self.limits.stall_seconds
        return False

    def _answer_is_late(self, now: float) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        ended = cycle is None or (
            cycle.response_complete and not self.transport.get_write_buffer_size()
        )
        if cycle is None or ended or not cycle.response_started:
            self._answer = None
        elif self._answer is None or self._answer[0] is not cycle:
            self._answer = cycle, now
            if _is_endless(cycle):
                connection = self.transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STREAM_BUFFER)
        else:
            late = now - self._answer[1] > self.limits.answer_seconds
            return late and not _is_endless(cycle)
        return False


def _is_endless(cycle: RequestResponseCycle) -> bool:
    """Return whether an answer is a stream of events, which ends in its own time."""
    return bool(cycle.scope["state"].get("endless"))


def bounded(limits: Limits) -> type[BoundedProtocol]:
    """Return the protocol of a server with these limits."""
    return type("Bounded", (BoundedProtocol,), {"limits": limits})
