"""The roles that a request asks for."""

from __future__ import annotations

from collections.abc import Sequence

from breakout.local.clickhouse.config import ADMIN_ROLE, READER_ROLE
from breakout.local.clickhouse.engine import Connection, identifier
from breakout.local.clickhouse.errors import SET_NON_GRANTED_ROLE, UNKNOWN_ROLE, raised_here
from breakout.local.clickhouse.users import User


def take_roles(connection: Connection, user: User, roles: Sequence[str]) -> None:
    """Run what follows with the named roles alone, none meaning all that the user has.

    Raises ClickHouseError 511 for a role that does not exist, 512 for one the user does not have.
    The engine knows one user, who has every role: so a read-only user is judged here.
    """
    if not user.readonly:
        if roles:
            connection.run(f"SET ROLE {', '.join(map(identifier, roles))}".encode())
        return
    for role in roles:
        if role == ADMIN_ROLE:
            raise raised_here(SET_NON_GRANTED_ROLE, f"Role {role} should be granted to set current")
        if role != READER_ROLE:
            raise raised_here(UNKNOWN_ROLE, f"There is no role `{role}` in `user directories`.")
