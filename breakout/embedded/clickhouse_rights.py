"""What a statement may do, judged by the engine's own parser and never by its text.

Writes, DDL, files and other machines are refused by the engine itself: a reader's connection
holds only the reader's role and ``readonly = 2``. Two things are left to this module:
statements that would change the role, and functions that the engine grants to everybody
although they reach files or other services.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from breakout.embedded.clickhouse_engine import Connection
from breakout.embedded.clickhouse_errors import (
    ACCESS_DENIED,
    NOT_IMPLEMENTED,
    READONLY,
    SYNTAX_ERROR,
    raised_here,
)

# The statements besides reading ones that change nothing but the session itself
_SESSION_STATEMENTS = frozenset({"Set", "UseQuery"})

# Table functions that compute rows or read tables the reader may read anyway. Any other,
# also one a later engine brings, is refused: `eval`, for one, runs a statement out of a
# string, and `Python` reads this process's memory.
_READER_TABLE_FUNCTIONS = frozenset(
    {
        "format",
        "fuzzjson",
        "generate_series",
        "generaterandom",
        "generateseries",
        "merge",
        "null",
        "numbers",
        "numbers_mt",
        "primes",
        "values",
        "view",
        "viewexplain",
        "viewifpermitted",
        "zeros",
        "zeros_mt",
    }
)
# Ordinary functions that read files or call services
_REFUSED_FUNCTIONS = re.compile(r"file|catboostevaluate|ai[a-z]+")
_FUNCTION_NODE = re.compile(r"\s*Function ([^ ]+)")


@dataclass(frozen=True, slots=True)
class Rights:
    """What one request may do: ``read_only`` because of its method or user, ``reader``
    because of its user. ``table_functions`` are all the engine's, in lower case."""

    read_only: bool
    reader: bool
    table_functions: frozenset[str]

    def check(self, connection: Connection, sql: bytes, params: Mapping[str, str]) -> str:
        """The engine's class of a statement as the client wrote it.

        Raises ClickHouseError for more than one statement, and for one that is not allowed.
        """
        statement_class = self._single(connection, sql)
        if self.read_only and statement_class != "READ_ONLY":
            # Also raises the engine's own error for a text that does not parse
            root = connection.syntax_tree(sql, params)[0].split(" ")[0]
            if root not in _SESSION_STATEMENTS:
                raise raised_here(READONLY, "Cannot execute query in readonly mode.")
        if self.reader:
            self._check_functions(connection, sql, params)
        return statement_class

    def check_rewritten(
        self, connection: Connection, sql: bytes, params: Mapping[str, str]
    ) -> None:
        """Judge a statement again as it will run, with its result sent elsewhere: what this
        program takes for a comment or a string must not hide what the engine does not."""
        self._single(connection, sql)
        if self.reader:
            self._check_functions(connection, sql, params)

    def _single(self, connection: Connection, sql: bytes) -> str:
        statement_class, statements = connection.classify(sql)
        if statements > 1:
            raise raised_here(SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed")
        return statement_class

    def _check_functions(
        self, connection: Connection, sql: bytes, params: Mapping[str, str]
    ) -> None:
        for name in _functions(connection, sql, params):
            unsafe = name in self.table_functions and name not in _READER_TABLE_FUNCTIONS
            if unsafe or _REFUSED_FUNCTIONS.fullmatch(name):
                raise raised_here(
                    ACCESS_DENIED,
                    f"Not enough privileges: a reader may not use the function {name}.",
                )


def check_needs_no_data(connection: Connection, sql: bytes, params: Mapping[str, str]) -> None:
    """Refuse an INSERT SELECT that reads the request's data with ``input``: the embedded
    engine would take such data for nothing, without an error."""
    if "input" in _functions(connection, sql, params):
        raise raised_here(
            NOT_IMPLEMENTED,
            "The table function input is not supported by this server: insert the data into a "
            "table first",
        )


def _functions(connection: Connection, sql: bytes, params: Mapping[str, str]) -> set[str]:
    """Names, in lower case, of the functions and table functions of a statement."""
    nodes = map(_FUNCTION_NODE.match, connection.syntax_tree(sql, params))
    return {node.group(1).strip("`").lower() for node in nodes if node is not None}
