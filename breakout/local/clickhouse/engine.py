"""ClickHouse's engine in this process, with one connection per request.

Measured on chDB 26.9: a connection costs 0.5 ms, queries on different connections run in
parallel (the engine releases the interpreter lock), ``SET`` and ``USE`` affect their own
connection only, and a second query on a connection whose query still runs gets wrong results.
So two requests never share a connection concurrently.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from breakout.local.clickhouse.config import write_config
from breakout.local.clickhouse.connection import Connection, engine_errors
from breakout.local.clickhouse.errors import ClickHouseError
from breakout.local.clickhouse.statements import string_literal


class Engine:
    """The engine of this process, open on one data directory until `close`."""

    def __init__(self, directory: Path) -> None:
        self._address = f"{directory / 'data'}?config-file={write_config(directory)}"
        # The import starts an engine, which reads files of the working directory
        os.chdir(directory)
        from chdb import _chdb  # noqa: PLC0415

        self._chdb: Any = _chdb
        with engine_errors():
            self._main = Connection(self._chdb.connect(self._address))
        _exit_on_crash()
        # A client takes four open files
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.version = self._main.text("SELECT version()")
        self.timezone = self._main.text("SELECT timezone()")

    def rows(self, sql: str) -> list[str]:
        """Return the rows of a statement, their columns separated by tabs."""
        return self._main.text(sql).split("\n")

    def connect(self, *, readonly: bool = False) -> Connection:
        """Open a session, of the read-only user if ``readonly``."""
        with engine_errors():
            connection = Connection(self._chdb.connect(self._address))
        if readonly:
            try:
                connection.make_readonly()
            except ClickHouseError:
                connection.close()
                raise
        return connection

    def cancel(self, mark: str) -> bool:
        """Cancel the running statement with this mark of `QueryIds`; False if there is none."""
        # Concatenated by the engine, so that the KILL does not match itself
        parts = ", ".join(string_literal(part) for part in mark.partition(" ")[::2])
        condition = f"position(query, concatWithSeparator(' ', {parts})) > 0"
        with closing(self.connect()) as connection:
            return bool(connection.run(f"KILL QUERY WHERE {condition} ASYNC".encode()).body)

    def any_running(self, query_ids: Sequence[str]) -> bool:
        """Return whether a statement with one of these ids of the engine still runs."""
        if not query_ids:
            return False
        listed = ", ".join(map(string_literal, query_ids))
        count = f"SELECT count() FROM system.processes WHERE query_id IN ({listed})"  # noqa: S608
        with closing(self.connect()) as connection:
            return connection.text(count) != "0"

    def close(self) -> None:
        """Close the engine, after all connections."""
        self._main.close()


def _exit_on_crash() -> None:
    """Exit immediately on a crash. The engine's own signal handler waits, with the interpreter
    lock, for a thread that may have crashed."""
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE):
        signal.signal(number, signal.SIG_DFL)
    # A core dump takes gigabytes and holds passwords
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
