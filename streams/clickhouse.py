"""The workers' ClickHouse: reads and inserts that wait for a server that is away.

Calls block and belong in a thread. A passing failure is tried again for ever, since skipping
would lose rows; a refusal is a mistake of ours and ends the worker, which acknowledges nothing.
"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pyarrow as pa
import structlog
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import ClickHouseUnavailable, Purpose, await_clickhouse, explained
from breakout.observability import metrics
from breakout.settings import Settings

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


class Stopping(Exception):  # noqa: N818 - not an error: the worker was told to end
    """The worker stops, so nobody waits for ClickHouse or Kafka any more."""


class WorkerClickHouse:
    """Inserts and queries of one processor."""

    def __init__(
        self, settings: Settings, waits: Callable[[str | None], None] = lambda _why: None
    ) -> None:
        """`waits` hears why ClickHouse is waited for, and None when it answers again."""
        self._settings = settings
        self._waits = waits
        self._waiting = False
        self._stop = threading.Event()
        self._clients: dict[Purpose, Client] = {}

    def stop(self) -> None:
        """Make every waiting call raise `Stopping`."""
        self._stop.set()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Insert rows and return once ClickHouse has confirmed them."""
        if not rows.num_rows:
            return
        started = time.monotonic()
        self._persist(
            Purpose.INSERT,
            lambda client: client.insert_arrow(table, rows),
            lambda: metrics.INSERT_FAILURES.labels(table).inc(),
        )
        metrics.INSERT_SECONDS.labels(table).observe(time.monotonic() - started)
        metrics.ROWS_INSERTED.labels(table).inc(rows.num_rows)

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> pa.Table:
        """Return a query's rows as an Arrow table."""
        return self._persist(
            Purpose.READ,
            lambda client: client.query_arrow(sql, parameters=parameters, use_strings=True),
            lambda: None,
        )

    def _persist(
        self, purpose: Purpose, call: Callable[[Client], Answer], failed: Callable[[], None]
    ) -> Answer:
        pause = 0.1
        while True:
            if self._stop.is_set():
                raise Stopping
            try:
                client = self._client(purpose)
                with explained(self._settings):
                    answer = call(client)
            except ClickHouseUnavailable as error:
                if self._stop.is_set():
                    raise Stopping from None
                self._waiting = True
                self._waits(str(error))
                failed()
                log.warning("waiting for ClickHouse", why=str(error), again_in_s=round(pause, 1))
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 2, 10.0)
            else:
                if self._waiting:
                    self._waiting = False
                    self._waits(None)
                return answer

    def _client(self, purpose: Purpose) -> Client:
        client = self._clients.get(purpose)
        if client is None:
            client = self._clients[purpose] = await_clickhouse(
                self._settings, purpose, stop=self._stop
            )
        return client
