"""ClickHouse as the API's read-only user: responses as streams of bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import clickhouse_connect
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError

from api.queries import Values
from breakout.clickhouse.client import CONNECT_SECONDS, READ_SETTINGS, connection_options
from breakout.clickhouse.errors import WRONG_LOGIN, ClickHouseError, ClickHouseRefusedError, explain
from breakout.settings import Settings

UNQUEUED_CONNECTIONS = 8
"""Beyond those of queued queries, for small ones that do not wait in the queue."""
_SETTINGS: dict[str, str | int] = {
    **READ_SETTINGS,
    "do_not_merge_across_partitions_select_final": 1,
    # A closed connection cancels its query.
    "cancel_http_readonly_queries_on_client_close": 1,
    "date_time_output_format": "iso",
    # JSON: integers are numbers, NaN and infinity are null.
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 0,
    "output_format_json_escape_forward_slashes": 0,
    "format_csv_null_representation": "",
    "output_format_arrow_date_as_uint16": 0,
    "output_format_parquet_date_as_uint16": 0,
    "output_format_parquet_compression_method": "zstd",
}


class ReadOnlyClient:
    """Connects on the first query, so that the API starts while ClickHouse is unavailable."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connecting = asyncio.Lock()
        self._client: AsyncClient | None = None

    async def lines(self, sql: str, values: Values) -> bytes:
        """Return the rows of a small response as lines of JSON. Raises `ClickHouseError`."""
        async with self.stream(sql, values, "JSONEachRow") as chunks:
            return await collect(chunks)

    @asynccontextmanager
    async def stream(
        self, sql: str, values: Values, output_format: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Run a query and yield the chunks of its response as they arrive.

        Raises `ClickHouseError`, also if the response breaks off.
        """
        client = await self._connected()
        try:
            stream = await client.raw_stream(sql, dict(values), fmt=output_format)
        except (DriverError, OSError) as error:
            raise self._explain(error) from error
        async with stream as chunks:
            yield self._chunks(chunks)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _chunks(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        except (DriverError, OSError, aiohttp.ClientError) as error:
            raise self._explain(error) from error

    async def _connected(self) -> AsyncClient:
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> AsyncClient:
        address, seconds = self._settings.clickhouse_reader, self._settings.api_query_seconds
        connections = self._settings.api_concurrent_queries + UNQUEUED_CONNECTIONS
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
                connector_limit=connections,
                connector_limit_per_host=connections,
            )
        except (DriverError, OSError) as error:
            raise self._explain(error) from error

    def _explain(self, error: Exception) -> ClickHouseError:
        """Return a driver's error as one of ours; a failed login names the reader's settings."""
        explained = explain(error, self._settings)
        if explained.code not in WRONG_LOGIN:
            return explained
        return ClickHouseRefusedError(
            f"ClickHouse rejected the login of the read-only user {self._settings.reader_user!r}: "
            "check BREAKOUT_READER_USER and BREAKOUT_READER_PASSWORD; `breakout migrate` creates "
            "that user",
            explained.code,
        )


async def single_chunk(data: bytes) -> AsyncIterator[bytes]:
    """Yield all data as one chunk."""
    yield data


async def collect(chunks: AsyncIterator[bytes]) -> bytes:
    """Return all chunks as one."""
    return b"".join([chunk async for chunk in chunks])
