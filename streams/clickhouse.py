"""ClickHouse for workers: queries and inserts that wait while the server is unavailable.

Calls block: run them in a thread. Transient errors are retried for ever, since skipping an insert
would lose rows; any other error ends the worker, which acknowledges nothing.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pyarrow as pa
import structlog
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import Purpose, await_clickhouse
from breakout.clickhouse.errors import ClickHouseUnavailableError, explained
from breakout.observability import metrics
from breakout.retry import Retry, RetryPolicy
from breakout.settings import Settings

log = structlog.get_logger(__name__)
ResultT = TypeVar("ResultT")


class StoppingError(Exception):
    """The worker is stopping: calls that wait for ClickHouse or Kafka end."""


class WorkerClickHouse:
    """Inserts and queries of one processor."""

    def __init__(
        self, settings: Settings, on_waiting: Callable[[str | None], None] = lambda _reason: None
    ) -> None:
        """`on_waiting` is called with the reason for waiting, and with None when it is over."""
        self._settings = settings
        self._on_waiting = on_waiting
        self._waiting = False
        self._stop = threading.Event()
        self._clients: dict[Purpose, Client] = {}

    def stop(self) -> None:
        """Make every waiting call raise `StoppingError`."""
        self._stop.set()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Insert rows; returns once ClickHouse has confirmed them."""
        if not rows.num_rows:
            return
        started = time.monotonic()
        self._retry(
            Purpose.INSERT,
            lambda client: client.insert_arrow(table, rows),
            lambda: metrics.INSERT_FAILURES.labels(table).inc(),
        )
        metrics.INSERT_SECONDS.labels(table).observe(time.monotonic() - started)
        metrics.ROWS_INSERTED.labels(table).inc(rows.num_rows)

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        """Return a query's rows as an Arrow table."""
        return self._retry(
            Purpose.READ,
            lambda client: client.query_arrow(sql, parameters=parameters, use_strings=True),
            lambda: None,
        )

    def _retry(
        self, purpose: Purpose, call: Callable[[Client], ResultT], on_failure: Callable[[], None]
    ) -> ResultT:
        def attempt() -> ResultT:
            if self._stop.is_set():
                raise StoppingError
            client = self._client(purpose)
            with explained(self._settings):
                return call(client)

        def waiting(retry: Retry) -> None:
            self._waiting = True
            self._on_waiting(str(retry.error))
            on_failure()
            log.warning(
                "waiting for ClickHouse",
                why=str(retry.error),
                retry_in_s=round(retry.wait_seconds, 1),
            )

        try:
            result = RetryPolicy().call(
                attempt,
                retry_on=ClickHouseUnavailableError,
                on_retry=waiting,
                stop=self._stop,
            )
        except ClickHouseUnavailableError:
            raise StoppingError from None
        if self._waiting:
            self._waiting = False
            self._on_waiting(None)
        return result

    def _client(self, purpose: Purpose) -> Client:
        client = self._clients.get(purpose)
        if client is None:
            client = self._clients[purpose] = await_clickhouse(
                self._settings, purpose, stop=self._stop
            )
        return client
