"""What a statement may do, judged by the engine's own parser and never by its text.

Writes, DDL, files and other machines are refused by the engine itself: a reader's connection
holds only the reader's role and ``readonly = 2``. Two things are left to this module:
statements that would change the role, and functions that the engine grants to everybody
although they reach files or other services. The process is confined besides (confinement.py):
what gets past this module finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from breakout.local.clickhouse.engine import Connection
from breakout.local.clickhouse.errors import (
    ACCESS_DENIED,
    NOT_IMPLEMENTED,
    READONLY,
    SYNTAX_ERROR,
    raised_here,
)
from breakout.local.clickhouse.readonly_functions import ReaderFunctions

# The statements besides reading ones that change nothing but the session itself
_SESSION_STATEMENTS = frozenset({"Set", "UseQuery"})
_FUNCTION_NODE = re.compile(r"\s*Function ([^ ]+)")


@dataclass(frozen=True, slots=True)
class Rights:
    """What one request may do: ``read_only`` because of its method or user, ``reader``
    because of its user, ``functions`` if it is a reader's."""

    read_only: bool
    readonly: bool
    functions: ReaderFunctions

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
        if self.readonly:
            self._check_functions(connection, sql, params)
        return statement_class

    def check_rewritten(
        self, connection: Connection, sql: bytes, params: Mapping[str, str]
    ) -> None:
        """Judge a statement again as it will run, with its result sent elsewhere: what this
        program takes for a comment or a string must not hide what the engine does not."""
        self._single(connection, sql)
        if self.readonly:
            self._check_functions(connection, sql, params)

    def _single(self, connection: Connection, sql: bytes) -> str:
        statement_class, statements = connection.classify(sql)
        if statements > 1:
            raise raised_here(SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed")
        return statement_class

    def _check_functions(
        self, connection: Connection, sql: bytes, params: Mapping[str, str]
    ) -> None:
        # Raises the engine's own error for a text that does not parse
        tree = connection.syntax_tree(sql, params)
        refused = self.functions.refused(connection.canonical(sql), tree, params)
        if refused is not None:
            raise raised_here(ACCESS_DENIED, f"Not enough privileges: {refused}")


def check_needs_no_data(connection: Connection, sql: bytes, params: Mapping[str, str]) -> None:
    """Refuse an INSERT SELECT that reads the request's data with ``input``: the embedded
    engine would take such data for nothing, without an error."""
    nodes = map(_FUNCTION_NODE.match, connection.syntax_tree(sql, params))
    if any(node is not None and node.group(1).lower() == "input" for node in nodes):
        raise raised_here(
            NOT_IMPLEMENTED,
            "The table function input is not supported by this server: insert the data into a "
            "table first",
        )
