"""Query ids of clients, which the embedded engine does not take.

The engine gives each statement an id of its own. So every statement carries a comment, its mark,
that holds the client's id and the user, and what shows ids is put right where it passes: calls of
``queryID()`` become the client's id, and reads of ``system.processes`` take id and user from the
marks in the engine's own list of processes. Nothing else is kept, so nothing can be out of date.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from breakout.local.clickhouse.errors import QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING, raised_here
from breakout.local.clickhouse.statements import string_literal

# Four times what the engine parses unless told otherwise
_LONGEST = 1 << 20
# A definition would keep the id of the request that made it
_DEFINITION = re.compile(
    rb"(?:\s|--[^\n]*\n|/\*.*?\*/)*+(?:CREATE|ATTACH|ALTER|REPLACE)\b", re.IGNORECASE | re.DOTALL
)
_SHOW_PROCESSES = re.compile(rb"\s*+SHOW\s++PROCESSLIST\b", re.IGNORECASE)
_LIST_PROCESSES = b"SELECT * FROM system.processes ORDER BY elapsed DESC"
_SHOWN = re.compile(rb"query_?id|processes", re.IGNORECASE)
# What is not code is matched first and left alone; an open end takes all the rest
_PLACES = re.compile(
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
# What may follow a table without an alias
_KEYWORDS = frozenset(
    b"ALL ANTI ANY ARRAY ASOF CROSS EXCEPT FETCH FINAL FORMAT FULL GLOBAL GROUP HAVING INNER "
    b"INTERSECT INTO JOIN LEFT LIMIT OFFSET ON ORDER PASTE PREWHERE QUALIFY RIGHT SAMPLE SEMI "
    b"SETTINGS UNION USING WHERE WINDOW".split()
)


class QueryIds:
    """The ids of the statements under way. Used from the event loop only."""

    def __init__(self) -> None:
        # Nobody who cannot read the list of processes can write a mark
        self._secret = secrets.token_hex(16)
        self._running: set[str] = set()
        self._begun = 0

    @contextmanager
    def running(self, user: str, query_id: str) -> Iterator[str]:
        """Hold an id for one statement, and give its mark.

        Raises ClickHouseError 216 while another statement has the id.
        """
        if query_id in self._running:
            raise raised_here(
                QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                f"Query with id = {query_id} is already running.",
            )
        self._running.add(query_id)
        self._begun += 1
        try:
            yield f"{self.mark_of(user, query_id)}{self._begun} */"
        finally:
            self._running.remove(query_id)

    def mark_of(self, user: str, query_id: str) -> str:
        """How the mark of a user's statement begins; marks of all its other statements differ."""
        return f"/* {self._secret} {user.encode().hex()} {query_id.encode().hex()}: "

    def processes(self) -> str:
        """A subquery: ``system.processes`` with the ids, users and statements of clients.

        ``engine_query_id`` is the id under which the engine knows a statement.
        """
        # In two parts each, so that this text is not taken for a mark or a target itself
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

    def shown(self, sql: bytes, query_id: str, *, readonly: bool) -> bytes:
        """The statement as it shows the clients' ids in place of the engine's.

        A ``reader`` sees no processes anyway, and would find the secret of marks in errors.
        """
        listing = None if readonly else _SHOW_PROCESSES.match(sql)
        if listing is not None:
            sql = _LIST_PROCESSES + sql[listing.end() :]
        if len(sql) > _LONGEST or _SHOWN.search(sql) is None or _DEFINITION.match(sql):
            return sql

        def put_right(found: re.Match[bytes]) -> bytes:
            call, source, alias = found["call"], found["from"], found["alias"] or b""
            if call is not None:
                return f"({string_literal(query_id)} AS `".encode() + call + b"()`)"
            if source is None or readonly:
                return found.group()
            rows = f"(SELECT * EXCEPT engine_query_id FROM {self.processes()})"  # noqa: S608
            named = alias and alias.split()[-1].upper() not in _KEYWORDS
            return source + rows.encode() + (b"" if named else b" AS processes") + alias

        return _PLACES.sub(put_right, sql)
