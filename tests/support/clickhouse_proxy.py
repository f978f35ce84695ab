"""A proxy before ClickHouse that holds, cuts or refuses chosen requests, one moment apart.

trap = proxy.trap("INSERT INTO downloads_log", Moment.BEFORE)
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

HELD_AT_MOST_SECONDS = 120.0
_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Moment(Enum):
    """When a trap closes."""

    BEFORE = "ClickHouse has not seen the request"
    HALFWAY = "ClickHouse has half of the request, and never gets the rest"
    ANSWERED = "ClickHouse has done it, its answer is on the way"


@dataclass(frozen=True)
class Refusal:
    """An answer of ClickHouse that is no confirmation."""

    status: int
    text: str
    code: int | None = None
    """ClickHouse's number of the error; None when a proxy answers for it."""

    @property
    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        if self.code is None:
            return self.status, {}, self.text.encode()
        body = f"Code: {self.code}. DB::Exception: {self.text} (version 26.3.1.1 (official build))"
        return self.status, {"X-ClickHouse-Exception-Code": str(self.code)}, body.encode()


OVERLOADED = Refusal(503, "overloaded")
READ_ONLY = Refusal(500, "Table is in readonly mode. (TABLE_IS_READ_ONLY)", 242)
TOO_MANY_PARTS = Refusal(500, "Too many parts (300). Merges are slower. (TOO_MANY_PARTS)", 252)


class Trap:
    """Holds requests whose query has some text in it, as many as `times`."""

    def __init__(self, text: str, moment: Moment, times: int) -> None:
        self.text = text
        self.moment = moment
        self.left = times
        self.caught = 0
        self._reached = threading.Event()
        self._released = threading.Event()
        self._done = threading.Event()
        self._goes_on = True

    def wait(self, seconds: float = 60.0) -> None:
        """Return when a request is held."""
        if not self._reached.wait(seconds):
            raise TimeoutError(f"no request came with {self.text!r} within {seconds:.0f} s")

    def release(self, *, forward: bool = True) -> None:
        """Let held requests (or their answers) go on, or cut them off; return when it is done."""
        self._goes_on = forward
        self._released.set()
        if self._reached.is_set() and not self._done.wait(60):
            raise TimeoutError("ClickHouse does not answer what was held")

    def done(self) -> None:
        """Say that a held request is dealt with."""
        self._done.set()

    def hold(self) -> bool:
        """Hold the calling request; return whether it goes on."""
        self._reached.set()
        return self._released.wait(HELD_AT_MOST_SECONDS) and self._goes_on


class ClickHouseProxy:
    """Everything passes but what a trap holds, or what it is told to refuse."""

    def __init__(self, port: int) -> None:
        self.behind = port
        self.refusal: Refusal | None = None
        """What every insert is answered, instead of being passed on."""
        self.refused = 0
        self.insert_seconds = 0.0
        """How long every insert is held up."""
        self._traps: list[Trap] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Its address, without a database."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Let everything go that is held, and end."""
        self.open_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def open_all(self) -> None:
        """Remove every trap; refuse and hold up nothing more."""
        self.refusal = None
        self.insert_seconds = 0.0
        with self._lock:
            traps, self._traps = self._traps, []
        for trap in traps:
            trap.release(forward=False)

    def trap(self, text: str, moment: Moment, *, times: int = 1) -> Trap:
        """Set a trap for requests to come."""
        trap = Trap(text, moment, times)
        with self._lock:
            self._traps.append(trap)
        return trap

    def caught_by(self, query: str) -> Trap | None:
        """Return the trap that this query falls into, if any."""
        with self._lock:
            for trap in self._traps:
                if trap.left and trap.text in query:
                    trap.left -= 1
                    trap.caught += 1
                    return trap
        return None


@contextmanager
def running_clickhouse_proxy(port: int) -> Iterator[ClickHouseProxy]:
    """A proxy before the ClickHouse on a port of 127.0.0.1."""
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
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, *_args: Any) -> None:
        """Stay silent: nobody reads it."""

    def _pass_on(self) -> None:
        body = self._body()
        self.close_connection = True
        # A worker that was killed takes no answer, and a ClickHouse that was gives none.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        said = unquote_plus(self.path) + body[:2000].decode(errors="replace")
        query = said.replace("`", "")
        if "INSERT INTO" in query:
            if refusal := self.server.proxy.refusal:
                self.server.proxy.refused += 1
                self._say(*refusal.answer)
                return
            time.sleep(self.server.proxy.insert_seconds)
        trap = self.server.proxy.caught_by(query)
        if trap is None:
            self._say(*self._ask(body))
        else:
            try:
                self._spring(trap, body)
            finally:
                trap.done()

    def _spring(self, trap: Trap, body: bytes) -> None:
        if trap.moment is Moment.BEFORE:
            if trap.hold():
                self._say(*self._ask(body))
        elif trap.moment is Moment.HALFWAY:
            with contextlib.closing(self._begin(body)) as upstream:
                upstream.send(body[: len(body) // 2])
                trap.hold()
        else:
            answer = self._ask(body)
            if trap.hold():
                self._say(*answer)

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
            if name.lower() not in _OF_ONE_HOP:
                upstream.putheader(name, value)
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders()
        return upstream

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        with contextlib.closing(self._begin(body)) as upstream:
            upstream.send(body)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.close_connection = False
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _OF_ONE_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
