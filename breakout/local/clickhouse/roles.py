"""The parameter ``role`` of a request."""

from __future__ import annotations

from collections.abc import Sequence

from breakout.local.clickhouse.config import ADMIN_ROLE, READONLY_ROLE
from breakout.local.clickhouse.connection import Connection, identifier
from breakout.local.clickhouse.errors import SET_NON_GRANTED_ROLE, UNKNOWN_ROLE, clickhouse_error
from breakout.local.clickhouse.users import User


def set_roles(connection: Connection, user: User, roles: Sequence[str]) -> None:
    """Activate the named roles only; without any, all roles of the user stay active.

    Raises ClickHouseError 511 for a role that does not exist, 512 for one that is not granted to
    the user. The engine has a single user with every role, so the read-only user is checked here.
    """
    if not user.readonly:
        if roles:
            connection.run(f"SET ROLE {', '.join(map(identifier, roles))}".encode())
        return
    for role in roles:
        if role == ADMIN_ROLE:
            raise clickhouse_error(
                SET_NON_GRANTED_ROLE, f"Role {role} should be granted to set current"
            )
        if role != READONLY_ROLE:
            raise clickhouse_error(
                UNKNOWN_ROLE, f"There is no role `{role}` in `user directories`."
            )
