"""Connections with deadlines: for a request to arrive, and for a response to be read.

uvicorn waits without limit for both. Here every connection is checked once a second.
"""

import asyncio
import socket
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.clients import Networks, client_name, is_trusted, parse_address
from api.strict_http import StrictConnection
from breakout.observability.metrics import API_CUT

CHECK_SECONDS = 1.0
REQUEST_SECONDS = 5.0
"""For a complete request with its body: all requests of this API fit into one packet."""
MAX_CONNECTIONS = 1000
"""Per address that is not a trusted proxy."""
EVENT_STREAM_BUFFER = 64 * 1024
"""Bytes of events that the kernel buffers for a client that does not read them."""
_DISCARD = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: unsent data are discarded."""
_INCOMPLETE = (h11.IDLE, h11.SEND_BODY)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ConnectionLimits:
    """Deadlines in seconds.

    `stall_seconds`: without a byte of a response read; `answer_seconds`: for a complete response.
    """

    stall_seconds: float
    answer_seconds: float
    trusted: Networks = ()
    open_connections: Counter[str] = field(default_factory=Counter)
    """By client address."""


class _Unchanged:
    """Measures how long a value has stayed the same."""

    def __init__(self) -> None:
        self.value: object = None
        self._since = 0.0

    def seconds(self, value: object, now: float) -> float:
        """Return the seconds since the value was passed first; 0 for None."""
        if value is None or value != self.value:
            self.value, self._since = value, now
        return now - self._since


class DeadlineProtocol(H11Protocol):
    """A connection with deadlines. Subclasses have the limits, see `protocol_with`."""

    limits: ConnectionLimits
    conn: StrictConnection

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.conn = StrictConnection(h11.SERVER, self.conn._max_incomplete_event_size)  # noqa: SLF001
        self._timer: asyncio.TimerHandle | None = None
        self._peer = ""
        self._request, self._unread, self._response = _Unchanged(), _Unchanged(), _Unchanged()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection and start its checks."""
        super().connection_made(transport)
        # uvicorn then writes only while the buffer is empty, so what is unread only shrinks.
        transport.set_write_buffer_limits(high=0)
        address = parse_address(self.client[0]) if self.client else None
        if not is_trusted(self.limits.trusted, address):
            self._peer = client_name(address)
            self.limits.open_connections[self._peer] += 1
            if self.limits.open_connections[self._peer] > MAX_CONNECTIONS:
                self._abort("too many")
                return
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the checks."""
        if self._timer is not None:
            self._timer.cancel()
        if self._peer:
            self.limits.open_connections[self._peer] -= 1
            if not self.limits.open_connections[self._peer]:
                del self.limits.open_connections[self._peer]
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Note that everything was read."""
        self._unread = _Unchanged()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Respond to an invalid request with a problem that says why."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            # Another response is being sent already.
            self._abort("request")
            return
        self.transport.write(self.conn.bad_request(msg))
        self.transport.close()

    def _check(self) -> None:
        why = self._missed_deadline(self.loop.time())
        if why:
            self._abort(why)
        else:
            self._timer = self.loop.call_later(CHECK_SECONDS, self._check)

    def _abort(self, why: str) -> None:
        API_CUT.labels(why).inc()
        log.info("closed a connection", why=why, client=self._peer or "a trusted proxy")
        if why in {"stalled", "slow"}:
            # The kernel would keep megabytes of the response for the client.
            self._set_socket_option(socket.SO_LINGER, _DISCARD)
        # `close` would wait until everything is read.
        self.transport.abort()

    def _missed_deadline(self, now: float) -> str:
        """Return which deadline the connection has missed, "" if none."""
        # In a tuple, since the first request of a connection has no cycle before it.
        request = (self.cycle,) if self.conn.their_state in _INCOMPLETE else None
        if self._request.seconds(request, now) > REQUEST_SECONDS:
            return "request"
        unread = self.transport.get_write_buffer_size() or None
        if self._unread.seconds(unread, now) > self.limits.stall_seconds:
            return "stalled"
        response = self._current_response()
        is_event_stream = response is not None and _is_event_stream(response)
        if is_event_stream and response is not self._response.value:
            self._set_socket_option(socket.SO_SNDBUF, EVENT_STREAM_BUFFER)
        late = self._response.seconds(response, now) > self.limits.answer_seconds
        return "slow" if late and not is_event_stream else ""

    def _current_response(self) -> RequestResponseCycle | None:
        """Return the response that was started and not read completely."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_started:
            return None
        if cycle.response_complete and not self.transport.get_write_buffer_size():
            return None
        return cycle

    def _set_socket_option(self, option: int, value: int | bytes) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, value)


def _is_event_stream(cycle: RequestResponseCycle) -> bool:
    """Return whether a response is a stream of events, which has its own time limit."""
    return bool(cycle.scope["state"].get("event_stream"))


def protocol_with(limits: ConnectionLimits) -> type[DeadlineProtocol]:
    """Return the protocol class of a server with these limits."""
    return type("LimitedProtocol", (DeadlineProtocol,), {"limits": limits})
