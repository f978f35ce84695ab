"""``KILL QUERY`` by the ids that clients gave their statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from breakout.local.clickhouse.connection import Connection
from breakout.local.clickhouse.errors import READONLY, clickhouse_error
from breakout.local.clickhouse.query_ids import QueryIds
from breakout.local.clickhouse.statements import string_literal

_KILL = re.compile(
    rb"(?:\s|--[^\n]*\n|/\*.*?\*/)*+KILL\s++QUERY\s++WHERE\b", re.DOTALL | re.IGNORECASE
)
_COMMENT_OR_STRING = re.compile(
    rb"""
    (?P<comment>--[^\n]* | /\*.*?(?:\*/|\Z))
  | '(?:[^'\\]|\\.|'')*+(?:'|\\?\Z) | "(?:[^"\\]|\\.|"")*+(?:"|\\?\Z)
  | `(?:[^`\\]|\\.|``)*+(?:`|\\?\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
# Only the end is searched, so that a long condition costs nothing
_END_BYTES = 200
_TRAILING = b" \t\r\n\f;"
_FORMAT = re.compile(rb"\sFORMAT\s++([A-Za-z]\w*)\Z", re.IGNORECASE)
_MODE = re.compile(rb"\s(SYNC|ASYNC|TEST)\Z", re.IGNORECASE)
_BY_ID = re.compile(
    rb"\s*[`\"]?query_id[`\"]?\s*=\s*"
    rb"(?P<value>'(?:[^'\\]|\\.|'')*+'|\{\s*\w+\s*:\s*String\s*\})\s*",
    re.IGNORECASE | re.DOTALL,
)
_STATUS = {"ASYNC": "waiting", "SYNC": "finished", "TEST": "unknown_status"}


@dataclass(frozen=True, slots=True)
class KillQuery:
    """A ``KILL QUERY`` statement; ``mode`` is ASYNC, SYNC or TEST. Its methods block."""

    condition: bytes
    mode: str
    result_format: str

    def of_user(self, connection: Connection, user: str, params: Mapping[str, str]) -> KillQuery:
        """Return the statement limited to the queries of ``user``.

        Its condition must be a query id: any other would be evaluated with access to the queries
        of all users. ``connection`` is the user's own.
        """
        found = _BY_ID.fullmatch(self.condition)
        if found is None:
            raise clickhouse_error(
                READONLY,
                "Cannot execute query in readonly mode: a read-only user may kill its own queries, "
                "one at a time, by KILL QUERY WHERE query_id = '...'.",
            )
        query_id = connection.text("SELECT " + found["value"].decode(errors="replace"), params)
        named = f" query_id = {string_literal(query_id)} AND user = {string_literal(user)}"
        return KillQuery(named.encode(), self.mode, self.result_format)

    def run(
        self, connection: Connection, ids: QueryIds, own_id: str, params: Mapping[str, str]
    ) -> tuple[bytes, list[str]]:
        """Cancel the queries that the condition selects from ``system.processes``, except the one
        with ``own_id``. ``connection`` must see all processes.

        Returns the result, rows of kill_status, query_id, user and query, and the engine's ids of
        these queries. For SYNC the caller waits for their end (`Engine.any_running`).
        """
        rows = f"FROM {ids.processes()} AS processes WHERE query_id != {string_literal(own_id)} AND"
        chosen = f"SELECT engine_query_id {rows} ({self.condition.decode(errors='replace')}\n)"
        found = connection.text(chosen, params).split()
        listed = ", ".join(map(string_literal, found)) or "''"
        result = connection.run(
            f"SELECT {string_literal(_STATUS[self.mode])} AS kill_status, query_id, user, query "
            f"{rows} engine_query_id IN ({listed})".encode(),
            self.result_format,
        )
        if found and self.mode != "TEST":
            connection.run(f"KILL QUERY WHERE query_id IN ({listed}) ASYNC".encode())
        return result.body, found


def parse_kill_query(sql: bytes, default_format: str) -> KillQuery | None:
    """Parse a ``KILL QUERY``; None for any other statement."""
    head = _KILL.match(sql)
    if head is None:
        return None
    code = _COMMENT_OR_STRING.sub(
        lambda found: found.group() if found["comment"] is None else b" ", sql[head.end() :]
    )
    condition, result_format = _split(code.rstrip(_TRAILING), _FORMAT)
    condition, mode = _split(condition, _MODE)
    return KillQuery(condition, (mode or "ASYNC").upper(), result_format or default_format)


def _split(sql: bytes, end: re.Pattern[bytes]) -> tuple[bytes, str | None]:
    """Return the statement without a clause at its end, and the clause's value."""
    found = end.search(sql[-_END_BYTES:])
    if found is None:
        return sql, None
    return sql[: len(sql) - len(found.group())].rstrip(_TRAILING), found[1].decode()
