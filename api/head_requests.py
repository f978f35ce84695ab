"""HEAD requests, served as GET without the body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadMiddleware:
    """Serves HEAD as GET at every path, and drops the body once the headers are sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        # Range is defined for GET alone (RFC 9110): HEAD describes the complete file.
        headers = [pair for pair in scope["headers"] if pair[0] != b"range"]
        get_scope = {**scope, "method": "GET", "headers": headers}

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # Completes the response: the app stops streaming as if the client had left.
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            await self._app(get_scope, receive, send_headers)
        finally:
            if "route" in get_scope:
                # For the access log and the metrics.
                scope["route"] = get_scope["route"]
