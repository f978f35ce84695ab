"""Response cache: small responses, returned again until a table they were read from changes."""

from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.database import Database
from api.table_states import ReadFrom
from breakout.clickhouse.errors import ClickHouseError
from breakout.observability.metrics import API_SHARED

MAX_BYTES = 64 * 2**20
MAX_BODY_BYTES = 256 * 1024
_CONDITIONAL = ("if-none-match", "range", "if-range")
"""Request headers with which a response is not cached. It depends on Accept besides; compression
comes after the cache."""
_READ_FROM = "breakout.read_from"


@dataclass(frozen=True)
class _Entry:
    read_from: ReadFrom
    start: Message
    body: bytes
    route: Any


def mark_cacheable(request: Request, read_from: ReadFrom) -> None:
    """Let the response to this request be returned again while `read_from` is unchanged."""
    request.scope[_READ_FROM] = read_from


class ResponseCacheMiddleware:
    """Responds to a repeated GET request without parsing its parameters again."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self._app = app
        self._database = database
        self._entries: OrderedDict[tuple[object, ...], _Entry] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if any(name in headers for name in _CONDITIONAL):
            await self._app(scope, receive, send)
            return
        key = (scope["path"], scope["query_string"], headers.get("accept"))
        entry = await self._find(key)
        if entry is not None:
            API_SHARED.inc()
            scope["route"] = entry.route
            # Other middleware adds headers to it.
            await send({**entry.start, "headers": list(entry.start["headers"])})
            await send({"type": "http.response.body", "body": entry.body})
            return
        start: Message = {}
        body = bytearray()

        async def send_recorded(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = {**message, "headers": list(message["headers"])}
            elif _READ_FROM in scope and len(body) <= MAX_BODY_BYTES:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._store(key, _Entry(scope[_READ_FROM], start, bytes(body), scope["route"]))
            await send(message)

        await self._app(scope, receive, send_recorded)

    async def _find(self, key: tuple[object, ...]) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            state = await self._database.state()
        except ClickHouseError:
            # The application reports it.
            return None
        return entry if entry.read_from.is_unchanged(state) else None

    def _store(self, key: tuple[object, ...], entry: _Entry) -> None:
        if entry.start["status"] != HTTPStatus.OK or len(entry.body) > MAX_BODY_BYTES:
            return
        self._drop(key)
        self._entries[key] = entry
        self._bytes += len(entry.body)
        while self._bytes > MAX_BYTES:
            # Oldest first.
            self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[object, ...]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry.body)
