"""Query ids of clients, which the embedded engine does not accept.

The engine gives each statement its own id. So every statement carries a comment, its mark, with
the client's id and the user, and expressions that return ids are rewritten: calls of
``queryID()`` to the client's id, and reads of ``system.processes`` to a subquery that takes id and
user from the marks. There is no other state that could become outdated.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from breakout.local.clickhouse.errors import QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING, clickhouse_error
from breakout.local.clickhouse.statements import string_literal

# Four times the engine's default of max_query_size
_MAX_BYTES = 1 << 20
# A definition would store the id of the request that created it
_DEFINITION = re.compile(
    rb"(?:\s|--[^\n]*\n|/\*.*?\*/)*+(?:CREATE|ATTACH|ALTER|REPLACE)\b", re.IGNORECASE | re.DOTALL
)
_SHOW_PROCESSES = re.compile(rb"\s*+SHOW\s++PROCESSLIST\b", re.IGNORECASE)
_LIST_PROCESSES = b"SELECT * FROM system.processes ORDER BY elapsed DESC"
_RETURNS_IDS = re.compile(rb"query_?id|processes", re.IGNORECASE)
# Comments and literals match first and stay; an unterminated one takes the rest
_EXPRESSIONS = re.compile(
    rb"""
    --[^\n]* | /\*.*?(?:\*/|\Z)
  | '(?:[^'\\]|\\.|'')*+(?:'|\\?\Z) | "(?:[^"\\]|\\.|"")*+(?:"|\\?\Z)
  | `(?:[^`\\]|\\.|``)*+(?:`|\\?\Z) | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
  | (?<![\w.])(?P<call>(?:initial_?|current_?)?query_?id)\s*\(\s*\)
  | (?<![\w.])(?P<from>(?:FROM|JOIN)\s+)[`"]?system[`"]?\s*\.\s*[`"]?processes\b[`"]?(?!\s*[.(])
    (?P<alias>\s+(?:AS\b|[A-Za-z_]\w*))?
  | \w+
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# Words that may follow a table without an alias
_KEYWORDS = frozenset(
    b"ALL ANTI ANY ARRAY ASOF CROSS EXCEPT FETCH FINAL FORMAT FULL GLOBAL GROUP HAVING INNER "
    b"INTERSECT INTO JOIN LEFT LIMIT OFFSET ON ORDER PASTE PREWHERE QUALIFY RIGHT SAMPLE SEMI "
    b"SETTINGS UNION USING WHERE WINDOW".split()
)


class QueryIds:
    """The ids of the running statements. Used from the event loop only."""

    def __init__(self) -> None:
        # Without access to system.processes, a mark cannot be forged
        self._secret = secrets.token_hex(16)
        self._running: set[str] = set()
        self._count = 0

    @contextmanager
    def running(self, user: str, query_id: str) -> Iterator[str]:
        """Reserve an id for one statement, and yield its mark.

        Raises ClickHouseError 216 while another statement has the id.
        """
        if query_id in self._running:
            raise clickhouse_error(
                QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                f"Query with id = {query_id} is already running.",
            )
        self._running.add(query_id)
        self._count += 1
        try:
            yield f"{self.mark_prefix(user, query_id)}{self._count} */"
        finally:
            self._running.remove(query_id)

    def mark_prefix(self, user: str, query_id: str) -> str:
        """Return the start of the mark of a user's statement."""
        return f"/* {self._secret} {user.encode().hex()} {query_id.encode().hex()}: "

    def processes(self) -> str:
        """Return a subquery: ``system.processes`` with the ids, users and statements of clients.

        ``engine_query_id`` is the engine's own id of a statement.
        """
        # Each in two parts, so that this text does not match itself
        marked = f"concat('/[*] ', '{self._secret} ([0-9a-f]*) ([0-9a-f]*): ([0-9]+) [*]/')"
        target = r"concat('\nINTO OUTFILE ', '\'/dev/fd/[0-9]+\' APPEND')"
        columns = {
            "query_id": "if(empty(mark), query_id, unhex(mark[2]))",
            "initial_query_id": "if(empty(mark), initial_query_id, unhex(mark[2]))",
            "user": "if(empty(mark), user, unhex(mark[1]))",
            "initial_user": "if(empty(mark), initial_user, unhex(mark[1]))",
            "query": (
                r"replaceRegexpOne(replaceRegexpOne(query, target, ''), concat('\\s*', marked), '')"
            ),
        }
        replaced = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        names = f"{marked} AS marked, {target} AS target, extractGroups(query, marked) AS mark"
        rows = f"* REPLACE ({replaced}), processes.query_id AS engine_query_id"
        return f"(WITH {names} SELECT {rows} FROM system.processes)"  # noqa: S608

    def rewrite(self, sql: bytes, query_id: str, *, readonly: bool) -> bytes:
        """Rewrite a statement so that it returns the clients' ids in place of the engine's.

        The read-only user sees no processes anyway, and errors would expose the secret of marks.
        """
        listing = None if readonly else _SHOW_PROCESSES.match(sql)
        if listing is not None:
            sql = _LIST_PROCESSES + sql[listing.end() :]
        if len(sql) > _MAX_BYTES or _RETURNS_IDS.search(sql) is None or _DEFINITION.match(sql):
            return sql

        def replace(found: re.Match[bytes]) -> bytes:
            call, source, alias = found["call"], found["from"], found["alias"] or b""
            if call is not None:
                return f"({string_literal(query_id)} AS `".encode() + call + b"()`)"
            if source is None or readonly:
                return found.group()
            rows = f"(SELECT * EXCEPT engine_query_id FROM {self.processes()})"  # noqa: S608
            named = alias and alias.split()[-1].upper() not in _KEYWORDS
            return source + rows.encode() + (b"" if named else b" AS processes") + alias

        return _EXPRESSIONS.sub(replace, sql)
