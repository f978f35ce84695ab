"""ClickHouse's HTTP interface over the embedded engine: the application and its routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from breakout.local.clickhouse.compression import response_encoding
from breakout.local.clickhouse.engine import Engine
from breakout.local.clickhouse.errors import SOCKET_TIMEOUT, ClickHouseError
from breakout.local.clickhouse.form import Form, is_form, read_form
from breakout.local.clickhouse.query import LastPart, Query
from breakout.local.clickhouse.query_ids import QueryIds
from breakout.local.clickhouse.readonly_functions import LISTING, ReaderFunctions
from breakout.local.clickhouse.request import QueryRequest, check_headers, parse
from breakout.local.clickhouse.response import Answer
from breakout.local.clickhouse.rights import Rights
from breakout.local.clickhouse.sessions import Sessions
from breakout.local.clickhouse.threads import EngineThreads
from breakout.local.clickhouse.users import User, Users
from breakout.local.clickhouse.web_sites import refuse_web_sites

_SESSION_SWEEP_SECONDS = 1.0
# How much of a failed request's body is read to its end
_REST_SECONDS = 10.0
_LONGEST_REST = 256 << 20


class ClickHouseHttp:
    """The interface of one engine for the given users."""

    def __init__(self, engine: Engine, users: Users) -> None:
        self._engine = engine
        self._users = users
        self._threads = EngineThreads(engine)
        self._sessions = Sessions()
        self._ids = QueryIds()
        self._reader_functions = ReaderFunctions.of(
            [
                (name, kinds, same_as)
                for name, kinds, same_as in (row.split("\t") for row in engine.lines(LISTING))
            ],
            engine.lines("SELECT name FROM system.table_functions"),
        )

    def application(self) -> web.Application:
        """The routes, and what has to run beside them."""
        app = web.Application(middlewares=[refuse_web_sites])
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
        answer = Answer(http, self._engine.version, self._engine.timezone)
        form: Form | None = None
        try:
            check_headers(http.headers)
            user = self._users.authenticate(http.headers, http.query)
            form = await read_form(http) if is_form(http) else None
            request = await self._request(http, user, form)
            answer.name_query(request.query_id)
            if request.compress_blocks:
                answer.blocks = True
            elif request.http_compression:
                answer.encoding = response_encoding(http.headers.get("Accept-Encoding", ""))
            async with AsyncExitStack() as slots:
                with self._ids.running(user.name, request.query_id) as mark:
                    send_rest = await self._run(http, user, request, mark, answer, slots)
                return await send_rest()
        except ClickHouseError as error:
            last = error.code == SOCKET_TIMEOUT or not await _read_rest(http)
            return await answer.error(error, last=last)
        finally:
            if form is not None:
                form.close()

    async def _request(self, http: web.Request, user: User, form: Form | None) -> QueryRequest:
        def request() -> QueryRequest:
            read_only = http.method != "POST"
            return parse(http.query.items(), http.headers, read_only=read_only, form=form)

        # The fields of a form may be long
        return request() if form is None else await self._threads.short(request, readonly=user.readonly)

    async def _run(
        self,
        http: web.Request,
        user: User,
        request: QueryRequest,
        mark: str,
        answer: Answer,
        slots: AsyncExitStack,
    ) -> LastPart:
        rights = Rights(request.read_only or user.readonly, user.readonly, self._reader_functions)
        wish = request.session
        session = None if wish is None else self._sessions.acquire(user.name, wish)
        query = Query(
            engine=self._engine,
            threads=self._threads,
            ids=self._ids,
            mark=mark,
            user=user,
            request=request,
            rights=rights,
            session=session,
            answer=answer,
            slots=slots,
        )
        try:
            return await query.run(http)
        finally:
            if wish is not None:
                self._sessions.release(user.name, wish)


async def _ok(_http: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _read_rest(http: web.Request) -> bool:
    """Read what a client still sends although its request has failed already, within bounds;
    otherwise it would see a broken connection in place of the error."""
    size = 0
    try:
        async with asyncio.timeout(_REST_SECONDS):
            while size < _LONGEST_REST and not http.content.at_eof():
                size += len(await http.content.readany())
    except (TimeoutError, ConnectionError):
        return False
    return http.content.at_eof()
