"""ClickHouse for the API: the read-only user, bound parameters, bounded concurrency, streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import Any

import aiohttp
import clickhouse_connect
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError

from api.answer_cache import After, Recent
from api.clients import current
from api.fair_queue import Turns
from api.queries import query
from api.spool import Spool, Spooled
from api.token_buckets import Buckets
from breakout.clickhouse.client import CONNECT_SECONDS, READ_SETTINGS, connection_options
from breakout.clickhouse.errors import WRONG_LOGIN, ClickHouseError, ClickHouseRefusedError, explain
from breakout.settings import Settings

Parameters = Mapping[str, str | float | bool | list[str] | list[int] | None]

AT_ONCE = 8
"""Connections for small queries that wait for no other: for the moment, for what has changed."""
_SETTINGS: dict[str, str | int] = {
    **READ_SETTINGS,
    "do_not_merge_across_partitions_select_final": 1,
    # A reader that leaves stops its query.
    "cancel_http_readonly_queries_on_client_close": 1,
    "date_time_output_format": "iso",
    # Integers stay integers in JSON, and a number that is none is null.
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_json_escape_forward_slashes": 0,
    "format_csv_null_representation": "",
    "output_format_arrow_date_as_uint16": 0,
    "output_format_parquet_date_as_uint16": 0,
    "output_format_parquet_compression_method": "zstd",
}


def parsed(lines: bytes) -> list[dict[str, Any]]:
    """Return the rows of lines of JSON."""
    return [json.loads(line) for line in lines.splitlines()]


class Database:
    """A lazily made client: the API starts, and says 503, while ClickHouse is away."""

    def __init__(self, settings: Settings, costs: Buckets) -> None:
        self._settings = settings
        self._turns = Turns(settings.api_concurrent_queries, costs)
        self._spool = Spool(settings.api_spool_mebibytes * 2**20)
        self._making = asyncio.Lock()
        self._client: AsyncClient | None = None
        self._recent = Recent()
        self._after: dict[str, After] = {}
        self._looking = asyncio.Lock()
        self._looked_until = 0.0
        self._state = b""

    async def rows(self, sql: str, parameters: Parameters) -> list[dict[str, Any]]:
        """Return all rows of a small answer. Raises as `lines` does."""
        return parsed(await self.lines(sql, parameters))

    async def lines(self, sql: str, parameters: Parameters) -> bytes:
        """Return the lines of JSON of a small answer, which may be one given before.

        Raises `ClickHouseError`, and `ProblemError` when too many queries wait already.
        """
        return await self.shared((sql, parameters), lambda: self.lines_now(sql, parameters))

    async def lines_after(self, sql: str, parameters: Parameters) -> bytes:
        """Return what `lines_now` does, shared with others who ask while the one before runs.

        It waits for no other query, so it must be a small one.
        """
        key = json.dumps((sql, parameters), sort_keys=True)
        after = self._after.setdefault(key, After())
        return await after.get(lambda: self._lines_at_once(sql, parameters))

    async def between(
        self, sql: str, parameters: Parameters, mark: tuple[str, Parameters]
    ) -> tuple[bytes, bytes, bytes]:
        """Return what `mark` answers before, what `lines_now` answers, and `mark` after it."""
        async with self._turn():
            before = await self.lines_after(*mark)
            lines = await self._lines_at_once(sql, parameters)
            return before, lines, await self.lines_after(*mark)

    async def _lines_at_once(self, sql: str, parameters: Parameters) -> bytes:
        async with self._asked(sql, parameters, "JSONEachRow") as pieces:
            return await _whole(pieces)

    async def shared(self, key: object, ask: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return what `ask` does, or did before for the same key, if nothing has changed since.

        A key is what JSON can write.
        """
        if not self._settings.api_fresh_seconds:
            return await ask()
        await self._look()
        return await self._recent.get(json.dumps(key, sort_keys=True), ask)

    async def _look(self) -> None:
        """Forget the answers if something has changed; looks once in `api_fresh_seconds`."""
        # Who comes while another looks need not wait for it.
        if (now := monotonic()) < self._looked_until or self._looking.locked():
            return
        async with self._looking:
            # Those it spares would wait with it.
            state = await self._lines_at_once(query("state"), {})
            if state != self._state:
                self._state = state
                self._recent.forget()
            self._looked_until = now + self._settings.api_fresh_seconds

    async def lines_now(self, sql: str, parameters: Parameters) -> bytes:
        """Return what `lines` does, of now."""
        async with self.stream(sql, parameters, "JSONEachRow") as pieces:
            return await _whole(pieces)

    def forget(self) -> None:
        """Answer nothing any more with what was there before."""
        self._looked_until = 0.0
        self._recent.forget()

    @asynccontextmanager
    async def stream(
        self, sql: str, parameters: Parameters, output_format: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Run a query; what it answers comes in pieces as it is written.

        Raises `ClickHouseError`, also for an answer that breaks off, and `ProblemError` when
        too many queries wait already.
        """
        async with self._turn(), self._asked(sql, parameters, output_format) as pieces:
            yield pieces

    @asynccontextmanager
    async def spooled(
        self, sql: str, parameters: Parameters, output_format: str
    ) -> AsyncIterator[Spooled]:
        """Run a query, and keep its whole answer in a file until the block ends.

        The query has ended when this yields: however slowly a reader takes the answer, or if it
        leaves, ClickHouse does not notice. Raises as `stream` does, and `ProblemError` for an
        answer that has no room.
        """
        async with self._file() as file:
            async with self.stream(sql, parameters, output_format) as pieces:
                await file.fill(pieces)
            yield file

    @asynccontextmanager
    async def held(self, lines: bytes) -> AsyncIterator[Spooled]:
        """Keep an answer in a file until the block ends. Raises as `spooled` does."""

        async def pieces() -> AsyncIterator[bytes]:
            yield lines

        async with self._file() as file:
            await file.fill(pieces())
            yield file

    def _file(self) -> AbstractAsyncContextManager[Spooled]:
        return self._spool.file(current.get().name, self._settings.api_wait_seconds)

    @asynccontextmanager
    async def _asked(
        self, sql: str, parameters: Parameters, output_format: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        client = await self._connected()
        try:
            stream = await client.raw_stream(sql, dict(parameters), fmt=output_format)
        except (DriverError, OSError) as error:
            raise self._explained(error) from error
        async with stream as chunks:
            yield self._pieces(chunks)

    async def _pieces(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        except (DriverError, OSError, aiohttp.ClientError) as error:
            raise self._explained(error) from error

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._turns.turn(current.get(), self._settings.api_wait_seconds)

    async def _connected(self) -> AsyncClient:
        async with self._making:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> AsyncClient:
        address, seconds = self._settings.clickhouse_reader, self._settings.api_query_seconds
        try:
            return await clickhouse_connect.get_async_client(
                host=address.host,
                port=address.port,
                secure=address.secure,
                username=address.user,
                password=address.password.get_secret_value(),
                database=address.database,
                settings={**_SETTINGS, "max_execution_time": seconds},
                connect_timeout=CONNECT_SECONDS,
                send_receive_timeout=seconds + 10,
                autogenerate_session_id=False,
                client_name="breakout-api",
                compress=False,
                query_retries=0,
                **connection_options(self._settings),
                connector_limit=self._settings.api_concurrent_queries + AT_ONCE,
                connector_limit_per_host=self._settings.api_concurrent_queries + AT_ONCE,
            )
        except (DriverError, OSError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> ClickHouseError:
        """Return a driver's error as one of ours; a login that fails is the reader's."""
        explained = explain(error, self._settings)
        if explained.code not in WRONG_LOGIN:
            return explained
        return ClickHouseRefusedError(
            f"ClickHouse does not let the read-only user {self._settings.reader_user!r} in: check "
            "BREAKOUT_READER_USER and BREAKOUT_READER_PASSWORD; `breakout migrate` makes that user",
            explained.code,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()


async def _whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])
