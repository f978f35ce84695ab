"""Whether a statement is allowed, by the engine's own parser and never by its text.

The engine itself denies writes, DDL, files and other machines: a connection of the read-only user
has that user's role and ``readonly = 2``. This module denies the rest: statements that would
change the role, and functions that the engine grants to everybody although they reach files or
other services. The process is also confined (confinement.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from breakout.local.clickhouse.connection import Connection
from breakout.local.clickhouse.errors import (
    ACCESS_DENIED,
    NOT_IMPLEMENTED,
    READONLY,
    SYNTAX_ERROR,
    clickhouse_error,
)
from breakout.local.clickhouse.readonly_functions import ReadonlyFunctions, depends_on_parameters

# Statements that change nothing but the session
_SESSION_STATEMENTS = frozenset({"Set", "UseQuery"})
_FUNCTION_NODE = re.compile(r"\s*Function ([^ ]+)")


@dataclass(frozen=True, slots=True)
class Rights:
    """What a request may do.

    ``read_only`` holds for a GET and for the read-only user, ``readonly`` for that user alone,
    who may call ``functions``.
    """

    read_only: bool
    readonly: bool
    functions: ReadonlyFunctions

    def check(self, connection: Connection, sql: bytes, params: Mapping[str, str]) -> str:
        """Return the engine's class of a statement as the client wrote it.

        Raises ClickHouseError for several statements, and for one that is not allowed.
        """
        statement_class = self._single(connection, sql)
        if self.read_only and statement_class != "READ_ONLY":
            # Also raises the engine's own error for a text that does not parse
            root = connection.syntax_tree(sql, params)[0].split(" ")[0]
            if root not in _SESSION_STATEMENTS:
                raise clickhouse_error(READONLY, "Cannot execute query in readonly mode.")
        if self.readonly:
            self._check_functions(connection, sql, params)
        return statement_class

    def check_rewritten(
        self, connection: Connection, sql: bytes, params: Mapping[str, str]
    ) -> bool:
        """Check a statement again as it will run, rewritten: this program and the engine might
        disagree about what is a comment or a string.

        Returns whether it is allowed to the read-only user with any values of its parameters.
        """
        self._single(connection, sql)
        return self.readonly and self._check_functions(connection, sql, params)

    def _single(self, connection: Connection, sql: bytes) -> str:
        statement_class, statements = connection.classify(sql)
        if statements > 1:
            raise clickhouse_error(SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed")
        return statement_class

    def _check_functions(
        self, connection: Connection, sql: bytes, params: Mapping[str, str]
    ) -> bool:
        # Raises the engine's own error for a text that does not parse
        tree = connection.syntax_tree(sql, params)
        canonical = connection.canonical(sql)
        denied = self.functions.denied(canonical, tree, params)
        if denied is not None:
            raise clickhouse_error(ACCESS_DENIED, f"Not enough privileges: {denied}")
        return not depends_on_parameters(canonical)


def check_needs_no_data(connection: Connection, sql: bytes, params: Mapping[str, str]) -> None:
    """Raise ClickHouseError for an INSERT SELECT from ``input``: the embedded engine would insert
    no rows, without an error."""
    nodes = map(_FUNCTION_NODE.match, connection.syntax_tree(sql, params))
    if any(node is not None and node.group(1).lower() == "input" for node in nodes):
        raise clickhouse_error(
            NOT_IMPLEMENTED,
            "The table function input is not supported by this server: insert the data into a "
            "table first",
        )
