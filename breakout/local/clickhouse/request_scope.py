"""Settings, database, roles and external tables of one request, on its connection."""

from __future__ import annotations

import contextlib

from breakout.local.clickhouse.connection import Connection
from breakout.local.clickhouse.errors import ClickHouseError
from breakout.local.clickhouse.form import ExternalTable
from breakout.local.clickhouse.request import QueryRequest
from breakout.local.clickhouse.roles import set_roles
from breakout.local.clickhouse.sessions import Session
from breakout.local.clickhouse.users import User


class RequestScope:
    """What a request changes on its connection; a session gets its own values back. Its methods
    block."""

    def __init__(
        self, connection: Connection, request: QueryRequest, user: User, session: Session | None
    ) -> None:
        self.connection = connection
        self._request = request
        self._user = user
        self._session = session
        self._session_settings: dict[str, str | None] = {}
        self._session_database: str | None = None
        self._tables: list[ExternalTable] = []

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to undo."""
        return bool(
            self._session_settings
            or self._session_database is not None
            or self._tables
            or self._request.roles
        )

    def apply(self) -> None:
        """Apply the settings, database and roles of the request."""
        request, connection = self._request, self.connection
        if self._session is not None:
            if request.settings:
                self._session_settings = connection.changed_settings(list(request.settings))
            if request.database is not None:
                self._session_database = connection.text("SELECT currentDatabase()")
        if request.database is not None:
            connection.use(request.database)
        set_roles(connection, self._user, request.roles)
        connection.set(request.settings)

    def load_tables(self, mark: str) -> None:
        """Create the external tables, with statements that carry ``mark``."""
        for table in self._request.external_tables or ():
            table.load(self.connection, mark)
            self._tables.append(table)

    def undo(self) -> None:
        """Give the session its own values back."""
        for table in self._tables:
            with contextlib.suppress(ClickHouseError):
                table.drop(self.connection)
        with contextlib.suppress(ClickHouseError):
            if self._request.roles and not self._user.readonly:
                self.connection.run(b"SET ROLE DEFAULT")
            self.connection.reset(self._session_settings)
            if self._session_database is not None:
                self.connection.use(self._session_database)
