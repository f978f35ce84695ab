"""Keeps web pages away from the embedded ClickHouse.

A page from anywhere can send requests to 127.0.0.1 by way of its reader's browser, and the admin
may have no password. Three things give it away: the browser says that another site asks, names
the page's origin, or asks for a name of the page's own that was made to lead here (DNS
rebinding); the Host header then holds that name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from breakout.local.clickhouse.errors import ACCESS_DENIED, raised_here

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def refuse_web_sites(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to what a page of another site asks, and to what asks for another machine."""
    why = _why_not(request)
    if why is None:
        return await handler(request)
    error = raised_here(ACCESS_DENIED, why)
    answer = web.Response(
        status=error.status,
        text=f"{error.text}\n",
        headers={"X-ClickHouse-Exception-Code": str(error.code)},
    )
    answer.force_close()
    return answer


def _why_not(http: web.Request) -> str | None:
    host = http.headers.get("Host", "")
    if host and _name(f"//{host}") not in _HERE:
        return (
            f"This server answers requests for 127.0.0.1 or localhost only; the Host header asks "
            f"for {host!r}."
        )
    origin = http.headers.get("Origin")
    foreign = origin is not None and origin.lower() != f"http://{host}".lower()
    if foreign or http.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return "Requests from other web sites are not allowed."
    return None


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
