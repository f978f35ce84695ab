"""A source that sends back, in as many ways as it fails, the secret it was sent."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Reflecting:
    """Where the source is, what it was sent, and what the place it redirects to was sent."""

    def __init__(self, address: str, elsewhere: str) -> None:
        self.address = address
        self.elsewhere = elsewhere
        self.sent: list[str] = []
        self.sent_elsewhere: list[str] = []


@contextmanager
def reflecting_source() -> Iterator[Reflecting]:
    """Each address fails in the next way whenever it is asked."""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            source.sent_elsewhere.append(f"{self.path} {self.headers}")
            self._say(500, "Elsewhere", b"")

        def _say(self, status: int, reason: str, body: bytes, **headers: str) -> None:
            self.send_response(status, reason)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Handler(Elsewhere):
        def do_GET(self) -> None:
            secret = self.headers.get("Authorization") or self.headers.get("x-api-key") or ""
            bare = secret.removeprefix("Bearer ")
            source.sent.append(bare)
            rows = json.dumps([{"id": bare, "modelId": f"{bare}/{bare}", "error": secret}]).encode()
            ways = [
                lambda: self._say(500, f"wrong token {bare}", rows),
                lambda: self._say(200, "OK", b"{" + rows),
                lambda: self._say(503, secret, rows, Retry_After=bare),
                lambda: self._say(302, bare, b"", Location=f"{source.elsewhere}/?seen={bare[:3]}"),
                lambda: self._say(200, "OK", rows, Content_Encoding="gzip"),
                lambda: self._say(401, f"{bare} is no token", rows, WWW_Authenticate=secret),
            ]
            ways[(len(source.sent) - 1) % len(ways)]()

    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
    ):
        source = Reflecting(
            f"http://127.0.0.1:{server.server_port}", f"http://localhost:{elsewhere.server_port}"
        )
        threads = [threading.Thread(target=one.serve_forever) for one in (server, elsewhere)]
        for thread in threads:
            thread.start()
        try:
            yield source
        finally:
            for one in (server, elsewhere):
                one.shutdown()
            for thread in threads:
                thread.join()
