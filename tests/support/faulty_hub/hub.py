"""The simulated Hub, with faults in its responses on demand."""

import asyncio
import email.utils
import time
from collections.abc import Sequence
from typing import Any, cast

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from breakout.simulation import Limits, SimulatedHub, responses
from breakout.simulation.budget import headers
from breakout.simulation.hub import Handler
from breakout.simulation.listing import START, PageSpan, Place
from breakout.simulation.query import Cursor, ListQuery
from breakout.simulation.rows import Row
from tests.support.faulty_hub import wire
from tests.support.faulty_hub.faults import (
    CursorLoop,
    Duplicates,
    ErrorStatus,
    Fault,
    Faults,
    Html,
    RepeatedCursor,
    Reset,
    TooManyRequests,
    change_rows,
)

_AFFECTING = web.RequestKey("faults", list[Fault])
_HTML = "<!doctype html><html><head><title>Sign in</title></head><body>Please wait</body></html>"


class FaultyHub(SimulatedHub):
    """A simulated Hub that injects the faults in `faults`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.faults = Faults()
        self._stopping = asyncio.Event()

    async def __aexit__(self, *error: object) -> None:
        self._stopping.set()
        await super().__aexit__(*error)

    def _middlewares(self) -> list[Middleware]:
        # A request that the rate limit rejects does not count for the faults.
        record, check = super()._middlewares()
        return [record, self._send, check, self._replace]

    @web.middleware
    async def _send(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # Every handler of the simulated Hub returns a complete response.
        response = cast("web.Response", await handler(request))
        return await wire.send(request, response, request.get(_AFFECTING, []), self._stopping)

    @web.middleware
    async def _replace(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/simulation/"):
            return await handler(request)
        request[_AFFECTING] = self.faults.affecting(request.path_qs)
        return _replacement(request) or await handler(request)

    def _page(self, request: web.Request, places: Sequence[Place], query: ListQuery) -> PageSpan:
        page = super()._page(request, places, query)
        cursor = query.cursor or START
        for fault in request[_AFFECTING]:
            match fault:
                case Duplicates():
                    page = page._replace(start=max(page.start - fault.count, 0))
                case RepeatedCursor():
                    page = page._replace(next_cursor=cursor)
                case CursorLoop() if cursor == START:
                    last = Cursor(*places[-1][:2]) if places else START
                    page = page._replace(next_cursor=page.next_cursor or last)
                case CursorLoop():
                    page = page._replace(next_cursor=START)
        return page

    def _served(self, request: web.Request, rows: list[Row]) -> list[Row]:
        return change_rows(rows, request[_AFFECTING])


def _replacement(request: web.Request) -> web.Response | None:
    """Return the response of a fault that replaces the real one, if there is such a fault."""
    for fault in request[_AFFECTING]:
        match fault:
            case ErrorStatus():
                return responses.error(fault.status, fault.message)
            case TooManyRequests():
                return responses.too_many_requests(request.remote, _wait(fault))
            case Html():
                return web.Response(text=_HTML, content_type="text/html")
            case Reset(when="before_headers"):
                return wire.reset(request)
    return None


def _wait(fault: TooManyRequests) -> dict[str, str]:
    match fault.wait:
        case "ratelimit":
            return headers(0, fault.seconds, Limits())
        case "seconds":
            return {hdrs.RETRY_AFTER: str(fault.seconds)}
        case "date":
            until = time.time() + fault.seconds
            return {hdrs.RETRY_AFTER: email.utils.formatdate(until, usegmt=True)}
        case _:
            return {}
