"""Heartbeats: each running component writes its state every few seconds, for `breakout status`."""

import os
import socket
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self

import structlog
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.errors import ClickHouseError, explained
from breakout.observability.redaction import Redactor
from breakout.settings import Settings

INTERVAL_SECONDS = 10.0
# A component that stops must not wait longer than this for its last heartbeat.
WRITE_SECONDS = 3.0
LONGEST_ERROR = 1000

State = Literal["running", "idle", "waiting", "standby", "stopped"]

log = structlog.get_logger(__name__)


class Heartbeat:
    """Writes a component's row of the table `heartbeats` from a thread of its own.

    If ClickHouse is unavailable, heartbeats are lost and nothing else happens: no method raises,
    and only `stop` waits, for a few seconds at most.

    >>> with Heartbeat(settings, "collector:huggingface", metrics_address=address) as heart:
    ...     heart.beat("waiting")
    ...     heart.failed(error)
    """

    def __init__(
        self,
        settings: Settings,
        component: str,
        *,
        metrics_address: str | None = None,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._settings = settings
        self._redact = Redactor(settings)
        self._component = component
        self._instance = f"{socket.gethostname()}:{os.getpid()}"
        self._metrics_address = metrics_address
        self._interval = interval_seconds
        self._state: State = "running"
        self._error: tuple[str, datetime] | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._client: Client | None = None
        self._silent = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def beat(self, state: State) -> None:
        """Set the state of the component; a change is written immediately."""
        if state != self._state:
            self._state = state
            self._wake.set()

    def failed(self, error: BaseException | str) -> None:
        """Set the latest error of the component, without secrets."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self._error = (self._redact(" ".join(text.split()))[:LONGEST_ERROR], datetime.now(UTC))
        self._wake.set()

    def stop(self) -> None:
        """Write the state `stopped`, and end the thread."""
        self._state = "stopped"
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(2 * WRITE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            self.failed(error)
        self.stop()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            last = self._stopping.is_set()
            self._write()
            if last:
                break
            self._wake.wait(self._interval)
        if self._client:
            self._client.close()

    def _write(self) -> None:
        error, error_at = self._error or (None, None)
        row = {
            "component": self._component,
            "instance": self._instance,
            "at": datetime.now(UTC),
            "interval_seconds": self._interval,
            "state": self._state,
            "last_error": error,
            "last_error_at": error_at,
            "metrics_address": self._metrics_address,
        }
        try:
            with explained(self._settings):
                if self._client is None:
                    self._client = writer_client(self._settings, timeout_seconds=WRITE_SECONDS)
                self._client.insert("heartbeats", [list(row.values())], column_names=list(row))
        except ClickHouseError as failure:
            self._client = None
            if not self._silent:
                log.warning("cannot write heartbeats", why=str(failure))
            self._silent = True
        else:
            if self._silent:
                log.info("writing heartbeats again")
            self._silent = False
