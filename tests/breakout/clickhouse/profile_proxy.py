"""A ClickHouse whose profile says otherwise: what a client sends itself comes after it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import httpx


@contextmanager
def with_profile(url: str, profile: Mapping[str, Any]) -> Iterator[str]:
    """Serve the ClickHouse at `url` with these settings before the client's; yield the address."""
    said = urlencode(profile)
    http = httpx.Client(base_url=url, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            answer = http.request(
                self.command,
                f"{path}?{said}&{query}",
                content=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
                headers=[(name, v) for name, v in self.headers.items() if name in _KEPT],
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.startswith("x-clickhouse"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET  # noqa: N815 - the base class calls it so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # Closing waits for what is still asked: it uses the client
        server.daemon_threads = False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


_KEPT = {"Authorization", "Content-Type", "User-Agent"}
