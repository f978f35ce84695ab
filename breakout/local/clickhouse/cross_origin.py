"""Rejects cross-origin requests of web pages to the embedded ClickHouse.

A page of any site can send requests to 127.0.0.1 from a browser on this machine, and the admin may
have no password. Such a request has the header ``Sec-Fetch-Site``, the page's ``Origin`` or, after
DNS rebinding, the page's own name in ``Host``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from breakout.local.clickhouse.errors import ACCESS_DENIED, clickhouse_error

_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def reject_cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Respond 403 to requests from another site, and to requests for another host."""
    reason = _rejection(request)
    if reason is None:
        return await handler(request)
    error = clickhouse_error(ACCESS_DENIED, reason)
    response = web.Response(
        status=error.status,
        text=f"{error.text}\n",
        headers={"X-ClickHouse-Exception-Code": str(error.code)},
    )
    response.force_close()
    return response


def _rejection(http: web.Request) -> str | None:
    host = http.headers.get("Host", "")
    if host and _name(f"//{host}") not in _LOCAL_NAMES:
        return (
            f"Only requests to 127.0.0.1 or localhost are allowed, not to {host!r} (Host header)."
        )
    origin = http.headers.get("Origin")
    cross_origin = origin is not None and origin.lower() != f"http://{host}".lower()
    if cross_origin or http.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return "Cross-origin requests are not allowed."
    return None


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
