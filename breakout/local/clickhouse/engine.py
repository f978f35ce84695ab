"""ClickHouse's engine in this process, one connection a request.

Measured on chDB 26.9: a connection costs 0.5 ms, queries on different connections run in
parallel (the engine releases the interpreter lock), ``SET`` and ``USE`` stay on their own
connection, and a second query on a connection whose query still runs is answered wrongly.
So a connection is never shared by two requests at once.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakout.local.clickhouse.config import (
    READER_PROFILE,
    READER_ROLE,
    READER_SETTINGS,
    write_config,
)
from breakout.local.clickhouse.errors import ClickHouseError, from_engine
from breakout.local.clickhouse.statements import string_literal


@dataclass(frozen=True, slots=True)
class Progress:
    """What a finished statement read and wrote, in rows and bytes."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_ns: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Bytes a statement answered itself with, and its progress."""

    body: bytes
    progress: Progress


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise from_engine(str(error)) from None
    except UnicodeDecodeError as error:
        # The engine quotes the statement in its error, whatever bytes it is made of
        raise from_engine(bytes(error.object).decode(errors="replace")) from None


class Connection:
    """One session of the engine. Every method blocks: call it off the event loop.

    It serves one call at a time. To close it while a call runs would leave the engine with freed
    memory, and crash the process.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._in_use = threading.Lock()

    def run(
        self,
        sql: bytes,
        result_format: str = "TabSeparated",
        params: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run one statement to its end."""
        with self._alone(), _engine_errors():
            result = self._raw.query(sql, result_format, params=dict(params or {}))
            if result.has_error():
                raise from_engine(result.error_message())
            body = result.bytes() or b""
            return Outcome(
                body,
                Progress(
                    read_rows=result.storage_rows_read(),
                    read_bytes=result.storage_bytes_read(),
                    written_rows=result.rows_written(),
                    written_bytes=result.bytes_written(),
                    result_rows=result.rows_read(),
                    result_bytes=result.bytes_read(),
                    elapsed_ns=round(result.elapsed() * 1e9),
                ),
            )

    def text(self, sql: str, params: Mapping[str, str] | None = None) -> str:
        """The result of a small statement as raw text, without the last line end."""
        body = self.run(sql.encode(), "TSVRaw", params).body
        return body.decode(errors="replace").removesuffix("\n")

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings of this connection."""
        if settings:
            pairs = ", ".join(f"{identifier(k)} = {string_literal(v)}" for k, v in settings.items())
            self.run(f"SET {pairs}".encode())

    def reset(self, settings: Mapping[str, str | None]) -> None:
        """Put settings back to an earlier value, None being their default."""
        for name, value in settings.items():
            shown = "DEFAULT" if value is None else string_literal(value)
            self.run(f"SET {identifier(name)} = {shown}".encode())

    def changed(self, names: list[str]) -> dict[str, str | None]:
        """The named settings' values on this connection, None where it is the default."""
        listed = ", ".join(string_literal(name) for name in names)
        changed = "SELECT name, value FROM system.settings WHERE changed AND name IN"
        rows = self.text(f"{changed} ({listed})")
        values = dict(row.split("\t", 1) for row in rows.split("\n") if row)
        return {name: values.get(name) for name in names}

    def use(self, database: str) -> None:
        """Make a database the current one."""
        self.run(f"USE {identifier(database)}".encode())

    def restrict_to_reading(self) -> None:
        """Give up every right but reading, for the rest of this connection's life."""
        self.run(f"SET ROLE {READER_ROLE}".encode())
        self.set({"profile": READER_PROFILE})
        self.set(READER_SETTINGS)

    def classify(self, sql: bytes) -> tuple[str, int]:
        """The engine's own judgement of a text: (class, number of statements).

        The class is READ_ONLY, MUTATING, EXTERNAL_ACCESS, CONTROL or UNKNOWN; a text that
        does not parse is (UNKNOWN, 0).
        """
        with self._alone(), _engine_errors():
            judged = self._raw.classify_query(sql)
        return judged["query_class"].name, int(judged["statement_count"])

    def syntax_tree(self, sql: bytes, params: Mapping[str, str]) -> list[str]:
        """Lines of the engine's syntax tree of a statement, indented by depth."""
        return (
            self.run(b"EXPLAIN AST " + sql, "TSVRaw", params)
            .body.decode(errors="replace")
            .splitlines()
        )

    def canonical(self, sql: bytes) -> str:
        """A statement that parses in the engine's own spelling, in one line."""
        return self.run(
            f"SELECT formatQuerySingleLine(unhex('{sql.hex()}'))".encode(), "TSVRaw"
        ).body.decode(errors="replace")

    def close(self) -> None:
        """End the session; its temporary tables are gone."""
        with self._alone():
            self._raw.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._in_use.acquire(blocking=False):
            raise RuntimeError("A connection of the engine was used while a call of it ran")
        try:
            yield
        finally:
            self._in_use.release()


class Engine:
    """The engine of this process, open on one data directory until ``close``."""

    def __init__(self, directory: Path) -> None:
        self._address = f"{directory / 'data'}?config-file={write_config(directory)}"
        # Importing starts an engine once, which reads files of the working directory
        os.chdir(directory)
        from chdb import _chdb  # noqa: PLC0415

        self._chdb: Any = _chdb
        with _engine_errors():
            self._keeper = Connection(self._chdb.connect(self._address))
        _die_of_crashes()
        # A client takes four open files
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.version = self._keeper.text("SELECT version()")
        self.timezone = self._keeper.text("SELECT timezone()")

    def lines(self, sql: str) -> list[str]:
        """The rows of a statement, their columns separated by tabs."""
        return self._keeper.text(sql).split("\n")

    def connect(self, *, readonly: bool = False) -> Connection:
        """A new session, for reading only if ``reader``."""
        with _engine_errors():
            connection = Connection(self._chdb.connect(self._address))
        if readonly:
            try:
                connection.restrict_to_reading()
            except ClickHouseError:
                connection.close()
                raise
        return connection

    def cancel(self, mark: str) -> bool:
        """Cancel the running statement that carries ``mark``, made by `QueryIds`; False when
        there was none."""
        # Put together by the engine, so that the KILL does not carry the mark itself
        parts = ", ".join(string_literal(part) for part in mark.partition(" ")[::2])
        condition = f"position(query, concatWithSeparator(' ', {parts})) > 0"
        with closing(self.connect()) as connection:
            return bool(connection.run(f"KILL QUERY WHERE {condition} ASYNC".encode()).body)

    def runs(self, query_ids: Sequence[str]) -> bool:
        """Whether any statement with one of these ids, the engine's own, still runs."""
        if not query_ids:
            return False
        listed = ", ".join(map(string_literal, query_ids))
        count = f"SELECT count() FROM system.processes WHERE query_id IN ({listed})"  # noqa: S608
        with closing(self.connect()) as connection:
            return connection.text(count) != "0"

    def close(self) -> None:
        """Close the engine; connections must have been closed before."""
        self._keeper.close()


def _die_of_crashes() -> None:
    """End this process at once when it crashes. The engine handles these signals itself, and waits
    in its handler, with the interpreter lock, for a thread that may have crashed."""
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE):
        signal.signal(number, signal.SIG_DFL)
    # Writing gigabytes of memory to a file, passwords among them, is not at once
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def identifier(name: str) -> str:
    """A name as SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
