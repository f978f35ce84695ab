"""ClickHouse for the API: the read-only user, bound parameters, bounded concurrency, streams."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import clickhouse_connect
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError

from api.problems import unavailable
from api.recent import Recent
from breakout.clickhouse import (
    CONNECT_SECONDS,
    ClickHouseError,
    ClickHouseRefused,
    explain,
    tls_options,
)
from breakout.settings import Settings

Parameters = Mapping[str, str | float | bool | list[str] | list[int] | None]

_WRONG_LOGIN = frozenset({192, 193, 194, 516})
_SETTINGS: dict[str, str | int] = {
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


class Database:
    """A lazily made client: the API starts, and says 503, while ClickHouse is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.api_queries)
        self._making = asyncio.Lock()
        self._client: AsyncClient | None = None
        self._recent = Recent(settings.api_fresh_seconds)

    async def rows(self, sql: str, parameters: Parameters) -> list[dict[str, Any]]:
        """Return all rows of a small answer. Raises as `lines` does."""
        return [json.loads(line) for line in (await self.lines(sql, parameters)).splitlines()]

    async def lines(self, sql: str, parameters: Parameters) -> bytes:
        """Return the lines of JSON of a small answer, which may be one of the last moment.

        Raises `ClickHouseError`, and `ProblemError` when too many queries wait already.
        """
        key = (sql, json.dumps(parameters, sort_keys=True))
        return await self._recent.get(key, lambda: self.lines_now(sql, parameters))

    async def lines_now(self, sql: str, parameters: Parameters) -> bytes:
        """Return what `lines` does, of now."""
        async with self.stream(sql, parameters, "JSONEachRow") as chunks:
            return b"".join([chunk async for chunk in chunks])

    def forget(self) -> None:
        """Answer nothing any more with what was there before."""
        self._recent.forget()

    @asynccontextmanager
    async def stream(
        self, sql: str, parameters: Parameters, output_format: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Run a query; what it answers comes in pieces as it is written.

        Raises `ClickHouseError`, also for an answer that breaks off, and `ProblemError` when
        too many queries wait already.
        """
        async with self._slot():
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

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._settings.api_wait_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise unavailable("Too many queries run already", seconds=1) from None
        try:
            yield
        finally:
            self._slots.release()

    async def _connected(self) -> AsyncClient:
        async with self._making:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> AsyncClient:
        address, seconds = self._settings.clickhouse, self._settings.api_query_seconds
        password = self._settings.reader_password
        try:
            return await clickhouse_connect.get_async_client(
                host=address.host,
                port=address.port,
                secure=address.secure,
                username=self._settings.reader_user,
                password=password.get_secret_value() if password else "",
                database=address.database,
                settings={**_SETTINGS, "max_execution_time": seconds},
                connect_timeout=CONNECT_SECONDS,
                send_receive_timeout=seconds + 10,
                autogenerate_session_id=False,
                client_name="breakout-api",
                compress=False,
                query_retries=0,
                **tls_options(self._settings),
                connector_limit=self._settings.api_queries + 1,
                connector_limit_per_host=self._settings.api_queries + 1,
            )
        except (DriverError, OSError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> ClickHouseError:
        """Return a driver's error as one of ours; a login that fails is the reader's."""
        explained = explain(error, self._settings)
        if explained.code not in _WRONG_LOGIN:
            return explained
        return ClickHouseRefused(
            f"ClickHouse does not let the read-only user {self._settings.reader_user!r} in: check "
            "BREAKOUT_READER_USER and BREAKOUT_READER_PASSWORD; `breakout migrate` makes that user",
            explained.code,
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
