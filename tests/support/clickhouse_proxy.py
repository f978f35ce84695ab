"""A proxy for ClickHouse that holds, aborts or refuses chosen requests at a chosen stage.

trap = proxy.trap("INSERT INTO downloads_log", Stage.BEFORE)
...                # the worker inserts
trap.wait()        # ClickHouse has not seen the request yet
worker.kill()
trap.release(forward=False)
"""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_plus

MAX_HOLD_SECONDS = 120.0
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Stage(Enum):
    """The stage of a request at which a trap holds it."""

    BEFORE = "ClickHouse has not seen the request"
    HALFWAY = "ClickHouse has received half of the request, and never gets the rest"
    APPLIED = "ClickHouse has executed it, and its response is on the way"


@dataclass(frozen=True)
class Refusal:
    """An error response of ClickHouse."""

    status: int
    text: str
    code: int | None = None
    """ClickHouse's error code; None for the response of a proxy."""

    @property
    def response(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        if self.code is None:
            return self.status, {}, self.text.encode()
        body = f"Code: {self.code}. DB::Exception: {self.text} (version 26.3.1.1 (official build))"
        return self.status, {"X-ClickHouse-Exception-Code": str(self.code)}, body.encode()


OVERLOADED = Refusal(503, "overloaded")
READ_ONLY = Refusal(500, "Table is in readonly mode. (TABLE_IS_READ_ONLY)", 242)
TOO_MANY_PARTS = Refusal(500, "Too many parts (300). Merges are slower. (TOO_MANY_PARTS)", 252)


class Trap:
    """Holds requests whose query contains a text, up to `times`."""

    def __init__(self, text: str, stage: Stage, times: int) -> None:
        self.text = text
        self.stage = stage
        self.left = times
        self.caught = 0
        self._reached = threading.Event()
        self._released = threading.Event()
        self._done = threading.Event()
        self._forward = True

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until a request is held."""
        if not self._reached.wait(seconds):
            raise TimeoutError(f"no request arrived with {self.text!r} within {seconds:.0f} s")

    def release(self, *, forward: bool = True) -> None:
        """Forward held requests (or their responses) or abort them; returns once that is done."""
        self._forward = forward
        self._released.set()
        if self._reached.is_set() and not self._done.wait(60):
            raise TimeoutError("ClickHouse does not respond to the held request")

    def done(self) -> None:
        """Mark a held request as handled."""
        self._done.set()

    def hold(self) -> bool:
        """Hold the calling request; return whether to forward it."""
        self._reached.set()
        return self._released.wait(MAX_HOLD_SECONDS) and self._forward


class ClickHouseProxy:
    """Forwards all requests except those that a trap holds or that are to be refused."""

    def __init__(self, port: int) -> None:
        self.behind = port
        self.refusal: Refusal | None = None
        """The response to every insert, instead of forwarding it."""
        self.refused = 0
        self.insert_seconds = 0.0
        """Delay of every insert."""
        self._traps: list[Trap] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Its URL, without a database."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Start to listen."""
        self._thread.start()

    def close(self) -> None:
        """Abort held requests, and stop."""
        self.open_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def open_all(self) -> None:
        """Remove all traps, the refusal and the delay."""
        self.refusal = None
        self.insert_seconds = 0.0
        with self._lock:
            traps, self._traps = self._traps, []
        for trap in traps:
            trap.release(forward=False)

    def trap(self, text: str, stage: Stage, *, times: int = 1) -> Trap:
        """Set a trap for future requests."""
        trap = Trap(text, stage, times)
        with self._lock:
            self._traps.append(trap)
        return trap

    def caught_by(self, query: str) -> Trap | None:
        """Return the trap that catches this query, if any."""
        with self._lock:
            for trap in self._traps:
                if trap.left and trap.text in query:
                    trap.left -= 1
                    trap.caught += 1
                    return trap
        return None


@contextmanager
def running_clickhouse_proxy(port: int) -> Iterator[ClickHouseProxy]:
    """Run a proxy for the ClickHouse on a port of 127.0.0.1."""
    proxy = ClickHouseProxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: ClickHouseProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, *_args: Any) -> None:
        """Log nothing."""

    def _handle(self) -> None:
        body = self._body()
        self.close_connection = True
        # A killed worker reads no response, and a killed ClickHouse sends none.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._respond(body)

    def _respond(self, body: bytes) -> None:
        text = unquote_plus(self.path) + body[:2000].decode(errors="replace")
        query = text.replace("`", "")
        if "INSERT INTO" in query:
            if refusal := self.server.proxy.refusal:
                self.server.proxy.refused += 1
                self._send(*refusal.response)
                return
            time.sleep(self.server.proxy.insert_seconds)
        trap = self.server.proxy.caught_by(query)
        if trap is None:
            self._send(*self._forward(body))
        else:
            try:
                self._hold(trap, body)
            finally:
                trap.done()

    def _hold(self, trap: Trap, body: bytes) -> None:
        if trap.stage is Stage.BEFORE:
            if trap.hold():
                self._send(*self._forward(body))
        elif trap.stage is Stage.HALFWAY:
            with contextlib.closing(self._begin(body)) as upstream:
                upstream.send(body[: len(body) // 2])
                trap.hold()
        else:
            response = self._forward(body)
            if trap.hold():
                self._send(*response)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _begin(self, body: bytes) -> http.client.HTTPConnection:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.proxy.behind)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                upstream.putheader(name, value)
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders()
        return upstream

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with contextlib.closing(self._begin(body)) as upstream:
            upstream.send(body)
            response = upstream.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.close_connection = False
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
