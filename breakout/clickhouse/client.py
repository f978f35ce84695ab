"""ClickHouse clients, each with the settings of its purpose.

Clients hold no server session, so threads may share one. They raise the errors of
`breakout.clickhouse.errors`.
"""

import logging
import math
import os
import threading
from enum import StrEnum
from typing import Any

import clickhouse_connect
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.httputil import check_env_proxy

from breakout.clickhouse.address import ClickHouseAddress
from breakout.clickhouse.errors import (
    ClickHouseRefusedError,
    ClickHouseUnavailableError,
    explained,
)
from breakout.http.addresses import host_port
from breakout.http.proxies import proxy_for
from breakout.retry import Retry, RetryPolicy
from breakout.settings import Settings, SettingsError

CONNECT_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Purpose(StrEnum):
    """What a client is for."""

    INSERT = "insert"
    READ = "read"
    MIGRATE = "migrate"


PINNED: dict[str, int | str] = {
    "aggregate_functions_null_for_empty": 0,
    "join_algorithm": "direct,parallel_hash,hash",
    "join_default_strictness": "ALL",
    "join_use_nulls": 0,
    "prefer_column_name_to_alias": 0,
    "transform_null_in": 0,
}
"""Settings on which the meaning of our SQL depends, since a server's profile may change them.

Views contain them (`breakout/clickhouse/pinned_views.py`), the read-only user has them, and our
clients send them.
"""

READ_SETTINGS: dict[str, int | str] = {
    **PINNED,
    # Exactly the rows of the query: none cut off, added or cached.
    "analyzer_inline_views": 0,
    "extremes": 0,
    "final": 0,
    "limit": 0,
    "offset": 0,
    "use_query_cache": 0,
}
"""Settings that clients send with queries: `PINNED`, and those that could change a result."""

_SETTINGS: dict[Purpose, dict[str, int | str]] = {
    Purpose.INSERT: {
        # Acknowledged means stored: no server-side buffer, and a batch repeated after a lost
        # response is written again (its table keeps one row per key), not dropped by its hash.
        "async_insert": 0,
        "insert_deduplicate": 0,
        # A batch has about one row per key, so collapsing it before the insert gains nothing.
        "optimize_on_insert": 0,
        # Tables are partitioned by month: one insert may hold a history of ten years.
        "max_partitions_per_insert_block": 0,
    },
    Purpose.READ: {
        **READ_SETTINGS,
        # Tables are partitioned by a column of their key, so no key spans two partitions.
        "do_not_merge_across_partitions_select_final": 1,
    },
    Purpose.MIGRATE: {
        # Return once the change is applied on every replica.
        "alter_sync": 2,
        "mutations_sync": 2,
    },
}


def writer_client(settings: Settings, *, timeout_seconds: float | None = None) -> Client:
    """Connect for inserts, which are not retried.

    An insert times out after `timeout_seconds`, by default the setting `insert_timeout_seconds`.
    """
    timeout = timeout_seconds or settings.insert_timeout_seconds
    return _connect(settings, Purpose.INSERT, timeout=timeout, query_retries=0)


def reader_client(settings: Settings, *, timeout_seconds: float = 60.0) -> Client:
    """Connect for queries, which time out after `timeout_seconds`."""
    return _connect(settings, Purpose.READ, timeout=timeout_seconds)


def migration_client(settings: Settings) -> Client:
    """Connect for schema changes, without a database: it may not exist yet."""
    return _connect(settings, Purpose.MIGRATE, timeout=600.0, database=None)


def await_clickhouse(
    settings: Settings,
    purpose: Purpose = Purpose.READ,
    *,
    give_up_after: float | None = None,
    stop: threading.Event | None = None,
) -> Client:
    """Return a client once ClickHouse is available.

    Raises the last `ClickHouseUnavailableError` after `give_up_after` seconds (None: never) or
    when `stop` is set, and `ClickHouseRefusedError` immediately: a retry would not help.
    """
    make = {
        Purpose.INSERT: writer_client,
        Purpose.READ: reader_client,
        Purpose.MIGRATE: migration_client,
    }[purpose]
    return RetryPolicy(timeout_seconds=give_up_after).call(
        lambda: make(settings),
        retry_on=ClickHouseUnavailableError,
        on_retry=_log_wait,
        stop=stop,
    )


def _log_wait(retry: Retry) -> None:
    level = logging.DEBUG if retry.elapsed_seconds < 1 else logging.WARNING
    log.log(
        level,
        "waiting for ClickHouse",
        waited_s=round(retry.elapsed_seconds, 1),
        why=str(retry.error),
    )


def _connect(
    settings: Settings,
    purpose: Purpose,
    *,
    timeout: float,
    database: str | None = "",
    **more: Any,
) -> Client:
    address = settings.clickhouse
    with explained(settings):
        return clickhouse_connect.get_client(
            host=address.host,
            port=address.port,
            secure=address.secure,
            username=address.user,
            password=address.password.get_secret_value(),
            database=address.database if database == "" else database,
            settings=dict(_SETTINGS[purpose]),
            connect_timeout=CONNECT_SECONDS,
            # The driver takes integers, and would round a fraction to 0.
            send_receive_timeout=math.ceil(timeout),
            autogenerate_session_id=False,
            client_name=f"breakout-{purpose}",
            tz_mode="aware",
            **connection_options(settings),
            **more,
        )


def connection_options(settings: Settings) -> dict[str, Any]:
    """Return the driver's arguments for TLS and a proxy.

    Raises `ClickHouseRefusedError` for an invalid proxy variable.
    """
    address, file = settings.clickhouse, settings.clickhouse_ca_file
    options: dict[str, Any] = {}
    if address.secure and file is not None:
        options["ca_cert"] = str(file)
    try:
        proxy = proxy_for(f"{address.scheme}://{host_port(address.host, address.port)}")
    except SettingsError as error:
        raise ClickHouseRefusedError(str(error)) from error
    if proxy is None:
        _bypass_proxy(address)
    elif proxy.is_socks:
        raise ClickHouseRefusedError(
            f"{proxy.variable}: ClickHouse at {address} cannot be reached by a SOCKS proxy: add "
            f"its host to NO_PROXY, or set {address.scheme.upper()}_PROXY to an http:// proxy"
        )
    else:
        options[f"{address.scheme}_proxy"] = proxy.url
    return options


def _bypass_proxy(address: ClickHouseAddress) -> None:
    """Make the driver bypass the proxy, which only NO_PROXY can do."""
    if check_env_proxy(address.scheme, address.host, address.port) is None:
        return
    variable = "no_proxy" if os.environ.get("no_proxy") else "NO_PROXY"
    listed = os.environ.get(variable)
    os.environ[variable] = f"{listed},{address.host}" if listed else address.host
