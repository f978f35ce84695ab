"""``KILL QUERY`` by the ids that clients gave their statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from breakout.local.clickhouse.engine import Connection
from breakout.local.clickhouse.errors import READONLY, raised_here
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
# Looked for at the very end alone, so that a long condition costs nothing
_END_BYTES = 200
_AFTER = b" \t\r\n\f;"
_FORMAT = re.compile(rb"\sFORMAT\s++([A-Za-z]\w*)\Z", re.IGNORECASE)
_MODE = re.compile(rb"\s(SYNC|ASYNC|TEST)\Z", re.IGNORECASE)
_BY_ID = re.compile(
    rb"\s*[`\"]?query_id[`\"]?\s*=\s*"
    rb"(?P<value>'(?:[^'\\]|\\.|'')*+'|\{\s*\w+\s*:\s*String\s*\})\s*",
    re.IGNORECASE | re.DOTALL,
)
_STATUS = {"ASYNC": "waiting", "SYNC": "finished", "TEST": "unknown_status"}


@dataclass(frozen=True, slots=True)
class Kill:
    """One ``KILL QUERY``; ``mode`` is ASYNC, SYNC or TEST. Its methods block."""

    condition: bytes
    mode: str
    result_format: str

    def of_user(self, connection: Connection, user: str, params: Mapping[str, str]) -> Kill:
        """The same for the queries of ``user`` alone.

        They may be named by their id and by nothing else: any other condition would be computed
        where the queries of all users can be read. ``connection`` is the user's own.
        """
        found = _BY_ID.fullmatch(self.condition)
        if found is None:
            raise raised_here(
                READONLY,
                "Cannot execute query in readonly mode: a read-only user may end its own queries, "
                "one at a time, by KILL QUERY WHERE query_id = '...'.",
            )
        query_id = connection.text("SELECT " + found["value"].decode(errors="replace"), params)
        named = f" query_id = {string_literal(query_id)} AND user = {string_literal(user)}"
        return Kill(named.encode(), self.mode, self.result_format)

    def run(
        self, connection: Connection, ids: QueryIds, own_id: str, params: Mapping[str, str]
    ) -> tuple[bytes, list[str]]:
        """Tell the queries to end that the condition selects from ``system.processes``, but the one
        with ``own_id``. ``connection`` must see all processes.

        Returns what was done, rows of kill_status, query_id, user and query, and the ids of these
        queries in the engine; SYNC is for the caller to wait for (`Engine.runs`).
        """
        rows = f"FROM {ids.processes()} AS processes WHERE query_id != {string_literal(own_id)} AND"
        chosen = f"SELECT engine_query_id {rows} ({self.condition.decode(errors='replace')}\n)"
        found = connection.text(chosen, params).split()
        listed = ", ".join(map(string_literal, found)) or "''"
        answer = connection.run(
            f"SELECT {string_literal(_STATUS[self.mode])} AS kill_status, query_id, user, query "
            f"{rows} engine_query_id IN ({listed})".encode(),
            self.result_format,
        )
        if found and self.mode != "TEST":
            connection.run(f"KILL QUERY WHERE query_id IN ({listed}) ASYNC".encode())
        return answer.body, found


def kill_of(sql: bytes, default_format: str) -> Kill | None:
    """Read a ``KILL QUERY``; None for any other statement."""
    head = _KILL.match(sql)
    if head is None:
        return None
    code = _COMMENT_OR_STRING.sub(
        lambda found: found.group() if found["comment"] is None else b" ", sql[head.end() :]
    )
    condition, result_format = _cut(code.rstrip(_AFTER), _FORMAT)
    condition, mode = _cut(condition, _MODE)
    return Kill(condition, (mode or "ASYNC").upper(), result_format or default_format)


def _cut(sql: bytes, end: re.Pattern[bytes]) -> tuple[bytes, str | None]:
    """The statement without what ``end`` finds at its end, and what that says."""
    found = end.search(sql[-_END_BYTES:])
    if found is None:
        return sql, None
    return sql[: len(sql) - len(found.group())].rstrip(_AFTER), found[1].decode()
