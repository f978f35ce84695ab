"""OPTIONS requests: the methods of a path. Preflight requests are CORSMiddleware's."""

from collections.abc import MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = "GET, HEAD, OPTIONS"
"""The methods of every path, as Allow lists them."""


def has_route(scope: MutableMapping[str, Any], path: str) -> bool:
    """Return whether GET has a response at a path of the application that serves the scope."""
    get = {**scope, "path": path, "method": "GET"}
    return any(route.matches(dict(get))[0] is Match.FULL for route in scope["app"].routes)


class OptionsMiddleware:
    """Answers OPTIONS at every path that has a response; others are 404 problems."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await self._app(scope, receive, send)
        elif scope["path"] == "*" or has_route(scope, scope["path"]):
            await Response(status_code=204, headers={"Allow": METHODS})(scope, receive, send)
        else:
            await self._app({**scope, "method": "GET"}, receive, send)
