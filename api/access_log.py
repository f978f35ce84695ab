"""Access log: metrics and one log line per request."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from breakout.observability.metrics import API_BYTES, API_REQUESTS, API_RUNNING, API_SECONDS

log = structlog.get_logger(__name__)


class AccessLogMiddleware:
    """Counts, times and logs every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, size, complete, started = 0, 0, False, perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status, size, complete
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                complete = not message.get("more_body", False)
            await send(message)

        API_RUNNING.inc()
        try:
            await self._app(scope, receive, send_counted)
        finally:
            API_RUNNING.dec()
            seconds = perf_counter() - started
            # Without a route the path is arbitrary, and would make a label value per request.
            route = getattr(scope.get("route"), "path", "none")
            outcome = str(status) if complete else "broken"
            API_REQUESTS.labels(route, outcome).inc()
            API_SECONDS.labels(route).observe(seconds)
            API_BYTES.labels(route).inc(size)
            log.info(
                "served a request",
                path=scope["path"],
                query=scope["query_string"].decode("latin-1"),
                status=outcome,
                bytes=size,
                seconds=round(seconds, 4),
            )
