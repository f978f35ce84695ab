"""ClickHouse's HTTP interface over the embedded engine: the application and its routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from breakout.local.clickhouse.checked_statements import CheckedStatements
from breakout.local.clickhouse.compression import response_encoding
from breakout.local.clickhouse.cross_origin import reject_cross_origin
from breakout.local.clickhouse.engine import Engine
from breakout.local.clickhouse.engine_threads import EngineThreads
from breakout.local.clickhouse.errors import SOCKET_TIMEOUT, ClickHouseError
from breakout.local.clickhouse.execution import SendRest
from breakout.local.clickhouse.form import Form, is_form, read_form
from breakout.local.clickhouse.query import Query
from breakout.local.clickhouse.query_ids import QueryIds
from breakout.local.clickhouse.readonly_functions import FUNCTIONS_QUERY, ReadonlyFunctions
from breakout.local.clickhouse.request import QueryRequest, check_headers, parse_request
from breakout.local.clickhouse.response import QueryResponse
from breakout.local.clickhouse.rights import Rights
from breakout.local.clickhouse.run_query import run_query
from breakout.local.clickhouse.sessions import Sessions
from breakout.local.clickhouse.users import User, Users

_SESSION_SWEEP_SECONDS = 1.0
# The body of a failed request is read up to these limits
_DRAIN_SECONDS = 10.0
_DRAINED_BYTES = 256 << 20


class ClickHouseHttp:
    """The interface of one engine for the given users."""

    def __init__(self, engine: Engine, users: Users) -> None:
        self._engine = engine
        self._users = users
        self._threads = EngineThreads(engine)
        self._sessions = Sessions()
        self._ids = QueryIds()
        self._checked = CheckedStatements()
        functions = [row.split("\t") for row in engine.rows(FUNCTIONS_QUERY)]
        self._functions = ReadonlyFunctions.of(
            [(name, categories, alias_to) for name, categories, alias_to in functions],
            engine.rows("SELECT name FROM system.table_functions"),
        )

    def application(self) -> web.Application:
        """Return the application with its routes and background task."""
        app = web.Application(middlewares=[reject_cross_origin])
        app.router.add_get("/ping", _ok)
        app.router.add_get("/replicas_status", _ok)
        app.router.add_get("/", self._query)
        app.router.add_post("/", self._query)
        app.cleanup_ctx.append(self._lifetime)
        return app

    async def _lifetime(self, _app: web.Application) -> AsyncIterator[None]:
        async def sweep() -> None:
            while True:
                await asyncio.sleep(_SESSION_SWEEP_SECONDS)
                self._sessions.close_expired()

        sweeper = asyncio.create_task(sweep())
        yield
        sweeper.cancel()
        await asyncio.wait([sweeper])
        await self._threads.close()
        self._sessions.close()

    async def _query(self, http: web.Request) -> web.StreamResponse:
        try:
            return await self._respond(http)
        except ConnectionError:
            # The client has disconnected; aiohttp logs a cancellation for that, but no error
            raise asyncio.CancelledError from None

    async def _respond(self, http: web.Request) -> web.StreamResponse:
        response = QueryResponse(http, self._engine.version, self._engine.timezone)
        form: Form | None = None
        try:
            check_headers(http.headers)
            user = self._users.authenticate(http.headers, http.query)
            form = await read_form(http) if is_form(http) else None
            request = await self._request(http, user, form)
            response.set_query_id(request.query_id)
            if request.compress_blocks:
                response.blocks = True
            elif request.http_compression:
                response.encoding = response_encoding(http.headers.get("Accept-Encoding", ""))
            async with AsyncExitStack() as slots:
                with self._ids.running(user.name, request.query_id) as mark:
                    send_rest = await self._run(http, user, request, mark, response, slots)
                return await send_rest()
        except ClickHouseError as error:
            close = error.code == SOCKET_TIMEOUT or not await _drain(http)
            return await response.send_error(error, close=close)
        finally:
            if form is not None:
                form.close()

    async def _request(self, http: web.Request, user: User, form: Form | None) -> QueryRequest:
        def request() -> QueryRequest:
            read_only = http.method != "POST"
            return parse_request(http.query.items(), http.headers, read_only=read_only, form=form)

        if form is None:
            return request()
        # Its fields may be long
        return await self._threads.run_short(request, readonly=user.readonly)

    async def _run(
        self,
        http: web.Request,
        user: User,
        request: QueryRequest,
        mark: str,
        response: QueryResponse,
        slots: AsyncExitStack,
    ) -> SendRest:
        rights = Rights(request.read_only or user.readonly, user.readonly, self._functions)
        options = request.session
        session = None if options is None else self._sessions.acquire(user.name, options)
        query = Query(
            engine=self._engine,
            threads=self._threads,
            ids=self._ids,
            mark=mark,
            user=user,
            request=request,
            rights=rights,
            checked=self._checked,
            session=session,
            response=response,
            slots=slots,
        )
        try:
            return await run_query(query, http)
        finally:
            if options is not None:
                self._sessions.release(user.name, options)


async def _ok(_http: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _drain(http: web.Request) -> bool:
    """Read the rest of a failed request's body; returns whether its end was reached. A client
    that still sends would otherwise get a broken connection in place of the error."""
    size = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while size < _DRAINED_BYTES and not http.content.at_eof():
                size += len(await http.content.readany())
    except (TimeoutError, ConnectionError):
        return False
    return http.content.at_eof()
