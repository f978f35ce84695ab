"""The read-only ClickHouse user of Grafana, the API and ad-hoc queries."""

import secrets
from hashlib import sha256

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from breakout.clickhouse.client import PINNED
from breakout.settings import Settings

log = structlog.get_logger(__name__)

# The user may lower these, but not raise or remove them (0 would mean no limit).
LIMITS = {
    "max_execution_time": 60,  # seconds
    "max_memory_usage": 2 * 2**30,  # bytes
    "max_result_rows": 5_000_000,
    "max_rows_to_read": 2_000_000_000,
}

TOTAL_MEMORY = 5 * 2**29
"""Bytes that all queries of the user may use together."""

# ACCESS_STORAGE_READONLY, ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND: users come from config files.
_USERS_ARE_FIXED = frozenset({495, 514})


def create_readonly_user(client: Client, settings: Settings) -> bool:
    """Create the read-only user, or reset its password, limits and rights.

    Does nothing without `BREAKOUT_READER_PASSWORD`, or if users are defined in ClickHouse's
    configuration, like those of the embedded server. Returns whether the user was created.
    """
    if settings.reader_password is None:
        log.info("read-only user not created: BREAKOUT_READER_PASSWORD is not set")
        return False
    for statement in readonly_user_statements(
        settings, settings.reader_password.get_secret_value()
    ):
        try:
            client.command(statement)
        except DriverError as error:
            if error.code not in _USERS_ARE_FIXED:
                raise
            log.info(
                "read-only user not created: users are defined in ClickHouse's configuration",
                user=settings.reader_user,
            )
            return False
    log.info("read-only user created", user=settings.reader_user)
    return True


def readonly_user_statements(settings: Settings, password: str) -> list[str]:
    """Return the statements that create the user; the password is in them as a salted hash.

    ClickHouse would compute the same hash itself, but the plain password would then appear in query
    logs and error messages.
    """
    user, database = settings.reader_user, settings.clickhouse.database
    salt = secrets.token_hex(32).upper()
    digest = sha256((password + salt).encode()).hexdigest().upper()
    identified = f"IDENTIFIED WITH sha256_hash BY '{digest}' SALT '{salt}'"
    limits = ", ".join(f"{name} = {most} MIN 1 MAX {most}" for name, most in LIMITS.items())
    # For all its queries together: the rest of the server's memory belongs to the workers.
    total = f"max_memory_usage_for_user = {TOTAL_MEMORY} MIN 1 MAX {TOTAL_MEMORY}"
    pins = ", ".join(f"{name} = {value!r}" for name, value in PINNED.items())
    final = "do_not_merge_across_partitions_select_final = 1"
    reads = f"readonly = 2 CONST, {limits}, {total}, {pins}, {final}"
    return [
        f"CREATE USER IF NOT EXISTS `{user}` {identified}",
        f"ALTER USER `{user}` {identified} SETTINGS {reads}",
        f"GRANT SELECT ON `{database}`.* TO `{user}`",
    ]
