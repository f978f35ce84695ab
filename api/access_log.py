"""Metrics and one log line a request."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from breakout.observability.metrics import API_BYTES, API_REQUESTS, API_RUNNING, API_SECONDS

log = structlog.get_logger(__name__)


class Observed:
    """Counts, times and logs what passes through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, size, whole, started = 0, 0, False, perf_counter()

        async def counted(message: Message) -> None:
            nonlocal status, size, whole
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            await send(message)

        API_RUNNING.inc()
        try:
            await self._app(scope, receive, counted)
        finally:
            API_RUNNING.dec()
            seconds = perf_counter() - started
            # Of what matches no route the address is anybody's invention.
            route = getattr(scope.get("route"), "path", "none")
            outcome = str(status) if whole else "broken"
            API_REQUESTS.labels(route, outcome).inc()
            API_SECONDS.labels(route).observe(seconds)
            API_BYTES.labels(route).inc(size)
            log.info(
                "answered",
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                status=outcome,
                bytes=size,
                seconds=round(seconds, 4),
            )
