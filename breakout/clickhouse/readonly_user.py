"""The read-only ClickHouse user that people and Grafana query with."""

import secrets
from hashlib import sha256

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error as DriverError

from breakout.clickhouse.client import PINNED
from breakout.settings import Settings

log = structlog.get_logger(__name__)

# A reader may lower these, never raise or lift them (0 would mean no limit).
LIMITS = {
    "max_execution_time": 60,  # seconds
    "max_memory_usage": 2 * 2**30,  # bytes
    "max_result_rows": 5_000_000,
    "max_rows_to_read": 2_000_000_000,
}

TOTAL_MEMORY = 5 * 2**29
"""Bytes."""

# ACCESS_STORAGE_READONLY, ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND: users come from its own files.
_USERS_ARE_FIXED = frozenset({495, 514})


def create_reader(client: Client, settings: Settings) -> bool:
    """Create the reader, or give it its password, limits and rights again.

    Does nothing without `BREAKOUT_READER_PASSWORD`, or where ClickHouse manages its users
    itself, as the embedded one does. Returns whether it was done.
    """
    if settings.reader_password is None:
        log.info("no read-only user: BREAKOUT_READER_PASSWORD is not set")
        return False
    for statement in reader_statements(settings, settings.reader_password.get_secret_value()):
        try:
            client.command(statement)
        except DriverError as error:
            if error.code not in _USERS_ARE_FIXED:
                raise
            log.info("this ClickHouse manages its users itself", user=settings.reader_user)
            return False
    log.info("read-only user is ready", user=settings.reader_user)
    return True


def reader_statements(settings: Settings, password: str) -> list[str]:
    """Return the statements that make the reader; the password goes in as a salted hash.

    ClickHouse would make the same hash itself, but then the password would pass through
    query logs and error texts on its way.
    """
    user, database = settings.reader_user, settings.clickhouse.database
    salt = secrets.token_hex(32).upper()
    digest = sha256((password + salt).encode()).hexdigest().upper()
    identified = f"IDENTIFIED WITH sha256_hash BY '{digest}' SALT '{salt}'"
    limits = ", ".join(f"{name} = {most} MIN 1 MAX {most}" for name, most in LIMITS.items())
    # All its queries together: the rest of the server's memory is the workers'.
    total = f"max_memory_usage_for_user = {TOTAL_MEMORY} MIN 1 MAX {TOTAL_MEMORY}"
    pins = ", ".join(f"{name} = {value!r}" for name, value in PINNED.items())
    final = "do_not_merge_across_partitions_select_final = 1"
    reads = f"readonly = 2 CONST, {limits}, {total}, {pins}, {final}"
    return [
        f"CREATE USER IF NOT EXISTS `{user}` {identified}",
        f"ALTER USER `{user}` {identified} SETTINGS {reads}",
        f"GRANT SELECT ON `{database}`.* TO `{user}`",
    ]
