"""One session of the embedded engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from breakout.local.clickhouse.config import READONLY_PROFILE, READONLY_ROLE, READONLY_SETTINGS
from breakout.local.clickhouse.errors import engine_error
from breakout.local.clickhouse.statements import string_literal


@dataclass(frozen=True, slots=True)
class Progress:
    """What a finished statement read and wrote: rows, bytes, and nanoseconds."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_ns: int = 0


@dataclass(frozen=True, slots=True)
class StatementResult:
    """The output of a statement, empty if it went to a pipe, and its progress."""

    body: bytes
    progress: Progress


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn exceptions of the engine into ClickHouseError."""
    try:
        yield
    except RuntimeError as error:
        raise engine_error(str(error)) from None
    except UnicodeDecodeError as error:
        # The engine quotes the statement in its error, which may hold any bytes
        raise engine_error(bytes(error.object).decode(errors="replace")) from None


class Connection:
    """One session of the engine. Every method blocks: call it off the event loop.

    It runs one call at a time. Closing it during a call would free memory that the engine uses,
    and crash the process.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._in_use = threading.Lock()

    def run(
        self,
        sql: bytes,
        result_format: str = "TabSeparated",
        params: Mapping[str, str] | None = None,
    ) -> StatementResult:
        """Run one statement."""
        with self._exclusive(), engine_errors():
            result = self._raw.query(sql, result_format, params=dict(params or {}))
            if result.has_error():
                raise engine_error(result.error_message())
            body = result.bytes() or b""
            return StatementResult(
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
        """Return the result of a small statement as raw text, without the last line end."""
        body = self.run(sql.encode(), "TSVRaw", params).body
        return body.decode(errors="replace").removesuffix("\n")

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings of this connection."""
        if settings:
            pairs = ", ".join(f"{identifier(k)} = {string_literal(v)}" for k, v in settings.items())
            self.run(f"SET {pairs}".encode())

    def reset(self, settings: Mapping[str, str | None]) -> None:
        """Restore settings; None restores the default."""
        for name, value in settings.items():
            shown = "DEFAULT" if value is None else string_literal(value)
            self.run(f"SET {identifier(name)} = {shown}".encode())

    def changed_settings(self, names: list[str]) -> dict[str, str | None]:
        """Return settings of this connection by name; None for a default."""
        listed = ", ".join(string_literal(name) for name in names)
        changed = "SELECT name, value FROM system.settings WHERE changed AND name IN"
        rows = self.text(f"{changed} ({listed})")
        values = dict(row.split("\t", 1) for row in rows.split("\n") if row)
        return {name: values.get(name) for name in names}

    def use(self, database: str) -> None:
        """Change the current database."""
        self.run(f"USE {identifier(database)}".encode())

    def make_readonly(self) -> None:
        """Drop every privilege but reading; it cannot be undone."""
        self.run(f"SET ROLE {READONLY_ROLE}".encode())
        self.set({"profile": READONLY_PROFILE})
        self.set(READONLY_SETTINGS)

    def classify(self, sql: bytes) -> tuple[str, int]:
        """Return the engine's own classification of a text: (class, number of statements).

        The class is READ_ONLY, MUTATING, EXTERNAL_ACCESS, CONTROL or UNKNOWN; a text that
        does not parse is (UNKNOWN, 0).
        """
        with self._exclusive(), engine_errors():
            classified = self._raw.classify_query(sql)
        return classified["query_class"].name, int(classified["statement_count"])

    def syntax_tree(self, sql: bytes, params: Mapping[str, str]) -> list[str]:
        """Return the engine's syntax tree of a statement as lines, indented by depth."""
        return (
            self.run(b"EXPLAIN AST " + sql, "TSVRaw", params)
            .body.decode(errors="replace")
            .splitlines()
        )

    def canonical(self, sql: bytes) -> str:
        """Return a valid statement as the engine formats it, in one line."""
        return self.run(
            f"SELECT formatQuerySingleLine(unhex('{sql.hex()}'))".encode(), "TSVRaw"
        ).body.decode(errors="replace")

    def close(self) -> None:
        """End the session and drop its temporary tables."""
        with self._exclusive():
            self._raw.close()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if not self._in_use.acquire(blocking=False):
            raise RuntimeError("two calls of one connection at the same time")
        try:
            yield
        finally:
            self._in_use.release()


def identifier(name: str) -> str:
    """Return a name as SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
