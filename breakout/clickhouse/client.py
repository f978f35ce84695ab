"""ClickHouse clients: the one place that makes them, with settings by purpose.

Two kinds of failure are told apart: `ClickHouseUnavailableError` goes away by waiting,
`ClickHouseRefusedError` does not. Their texts name the settings to look at, and never a password.

Clients hold no server session, so threads may share one.
"""

import logging
import math
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import clickhouse_connect
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError
from clickhouse_connect.driver.exceptions import Error as CodedDriverError
from clickhouse_connect.driver.exceptions import OperationalError
from clickhouse_connect.driver.httputil import check_env_proxy

from breakout.clickhouse.address import ClickHouseAddress
from breakout.http.addresses import host_port
from breakout.http.proxies import proxy_for
from breakout.observability.redaction import Redactor
from breakout.retry import Retry, RetryPolicy
from breakout.settings import Settings, SettingsError

CONNECT_SECONDS = 5.0
LONGEST_REASON = 500

log = structlog.get_logger(__name__)


class ClickHouseError(RuntimeError):
    """ClickHouse could not do what was asked. `code` is ClickHouse's own number, or None."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ClickHouseUnavailableError(ClickHouseError):
    """ClickHouse is away or overloaded: the same request may succeed later."""


class ClickHouseRefusedError(ClickHouseError):
    """ClickHouse answered no: the same request will fail again until something is changed."""


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
"""Settings on which the meaning of our SQL depends, as it needs them: a server's profile may
say otherwise. Views carry them (`breakout/clickhouse/pinned_views.py`), the read-only user has
them, and our clients send them."""

WHOLE_ANSWERS: dict[str, int | str] = {
    **PINNED,
    # As the query says, of now, with all rows and none besides.
    "analyzer_inline_views": 0,
    "extremes": 0,
    "final": 0,
    "limit": 0,
    "offset": 0,
    "use_query_cache": 0,
}
"""What our clients that read send: `PINNED`, and what would change their answers."""

_SETTINGS: dict[Purpose, dict[str, int | str]] = {
    Purpose.INSERT: {
        # Acknowledged means stored: no server-side buffer, and a batch repeated after a lost
        # answer is written again (its table keeps one row per key) rather than dropped by hash.
        "async_insert": 0,
        "insert_deduplicate": 0,
        # What is written together has one row a key, or nearly: nothing to merge before merging.
        "optimize_on_insert": 0,
        # Tables are partitioned by month: a history of ten years is one insert all the same.
        "max_partitions_per_insert_block": 0,
    },
    Purpose.READ: {
        **WHOLE_ANSWERS,
        # Every partitioned table partitions by a column of its key, so one key never spans two.
        "do_not_merge_across_partitions_select_final": 1,
    },
    Purpose.MIGRATE: {
        # Return when the change is done, on every replica there is.
        "alter_sync": 2,
        "mutations_sync": 2,
    },
}

# Codes that name a state of the server, not a fault of the request.
_PASSING = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED: shutting down
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        274,  # AIO_READ_ERROR
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        999,  # KEEPER_EXCEPTION
    }
)
_NOT_MIGRATED = frozenset({60, 81})  # UNKNOWN_TABLE, UNKNOWN_DATABASE
WRONG_LOGIN = frozenset({192, 193, 194, 516})
_PASSING_STATUSES = frozenset({429, 502, 503, 504})
_ACCESS_DENIED = frozenset({164, 497})  # READONLY, ACCESS_DENIED


def explain(error: Exception, settings: Settings) -> ClickHouseError:
    """Return a driver's error as one of ours, with what to look at and without secrets."""
    if isinstance(error, ClickHouseError):
        return error
    code = error.code if isinstance(error, CodedDriverError) else None
    explained_error = (
        _without_code(error, settings)
        if code is None
        else _with_code(code, _said(error), settings.clickhouse)
    )
    return type(explained_error)(Redactor(settings)(str(explained_error)), code)


def _with_code(code: int, said: str, address: ClickHouseAddress) -> ClickHouseError:
    if code in _PASSING:
        return ClickHouseUnavailableError(f"ClickHouse at {address} cannot do this now: {said}")
    if code in WRONG_LOGIN:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} does not let user {address.user!r} in: check "
            "BREAKOUT_CLICKHOUSE_USER and BREAKOUT_CLICKHOUSE_PASSWORD, or the user and "
            "password in CLICKHOUSE_URL"
        )
    if code in _ACCESS_DENIED:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} does not allow this to user {address.user!r} "
            f"(BREAKOUT_CLICKHOUSE_USER): {said}"
        )
    if code in _NOT_MIGRATED:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} lacks the database or a table of it: run "
            f"`breakout migrate`, or check the database in CLICKHOUSE_URL: {said}"
        )
    return ClickHouseRefusedError(f"ClickHouse at {address} refuses: {said}")


def _without_code(error: Exception, settings: Settings) -> ClickHouseError:
    address = settings.clickhouse
    status = _http_status(error)
    if status in _PASSING_STATUSES:
        return ClickHouseUnavailableError(
            f"ClickHouse at {address} cannot do this now: HTTP status {status}"
        )
    untrusted = _of_tls(error)
    if untrusted is not None:
        return ClickHouseRefusedError(f"ClickHouse at {address} (CLICKHOUSE_URL): {untrusted}")
    fixed = re.search(r"Setting (\w+) is (?:unknown or )?readonly", str(error))
    if fixed:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} does not let this user set {fixed[1]}, which our queries "
            "need: its profile must have readonly = 0 or 2, not 1, and no constraint on it"
        )
    lost = isinstance(error, OperationalError) and error.__cause__ is not None
    if status is None and (lost or isinstance(error, OSError)):
        return ClickHouseUnavailableError(
            f"no ClickHouse answers at {address} (CLICKHOUSE_URL): {_why_silent(error)}"
        )
    return ClickHouseRefusedError(
        f"what answers at {address} (CLICKHOUSE_URL) does not answer as ClickHouse does: "
        f"{_said(error)}"
    )


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn the driver's errors inside the block into ours."""
    try:
        yield
    except (DriverError, OSError) as error:
        raise explain(error, settings) from error


def writer_client(settings: Settings, *, timeout_seconds: float | None = None) -> Client:
    """Connect for inserts, each of which is sent once.

    An insert takes `timeout_seconds` at most, `insert_timeout_seconds` unless said.
    """
    timeout = timeout_seconds or settings.insert_timeout_seconds
    return _connect(settings, Purpose.INSERT, timeout=timeout, query_retries=0)


def reader_client(settings: Settings, *, timeout_seconds: float = 60.0) -> Client:
    """Connect for queries, each of which takes `timeout_seconds` at most."""
    return _connect(settings, Purpose.READ, timeout=timeout_seconds)


def migration_client(settings: Settings) -> Client:
    """Connect for schema changes, to no database: it may not exist yet."""
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
            # The driver takes whole seconds, and would make 0 of a fraction.
            send_receive_timeout=math.ceil(timeout),
            autogenerate_session_id=False,
            client_name=f"breakout-{purpose}",
            tz_mode="aware",
            **connection_options(settings),
            **more,
        )


def connection_options(settings: Settings) -> dict[str, Any]:
    """Return the driver's arguments for the way to ClickHouse: TLS with verified names, a proxy.

    Raises `ClickHouseRefusedError` for a variable of proxies that cannot be used.
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
        _keep_direct(address)
    elif proxy.is_socks:
        raise ClickHouseRefusedError(
            f"{proxy.variable}: ClickHouse at {address} cannot be reached by a SOCKS proxy: name "
            f"its host in NO_PROXY, or an http:// proxy in {address.scheme.upper()}_PROXY"
        )
    else:
        options[f"{address.scheme}_proxy"] = proxy.url
    return options


def _keep_direct(address: ClickHouseAddress) -> None:
    """Keep the driver from a proxy: it has no argument for that, only this variable."""
    if check_env_proxy(address.scheme, address.host, address.port) is None:
        return
    variable = "no_proxy" if os.environ.get("no_proxy") else "NO_PROXY"
    listed = os.environ.get(variable)
    os.environ[variable] = f"{listed},{address.host}" if listed else address.host


def _said(error: Exception) -> str:
    """Return ClickHouse's own words: one line, without the driver's around them."""
    text = re.sub(r"^.*?DB::Exception: ", "", str(error).strip(), count=1, flags=re.DOTALL)
    text = re.sub(r"\s*(\(version [^()]*(\([^()]*\))?[^()]*\))?\s*\(for url [^)]*\)$", "", text)
    return _one_line(text) or "no reason given"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3] + "..."


def _of_tls(error: BaseException) -> str | None:
    """Return what is wrong with TLS for good; None if it is something else."""
    text = " ".join(str(one) for one in _causes(error))
    found = re.search(r"certificate verify failed: ([^()]+)", text)
    if found:
        return (
            f"its certificate is not trusted ({found[1].strip()}): name the file of its "
            "authority's certificate in BREAKOUT_CLICKHOUSE_CA_FILE, and call the server as the "
            "certificate does"
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return "it does not speak TLS: the address must be http://, or another port"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _http_status(error: Exception) -> int | None:
    found = re.match(r"HTTP driver received HTTP status (\d+)", str(error))
    return int(found[1]) if found else None


def _why_silent(error: BaseException) -> str:
    """Return the plain reason of a failed connection, not the layers around it."""
    text = f"{error} {error.__cause__ or ''}"
    reasons = ("Connection refused", "timed out", "Name or service not known", "No route to host")
    return next((reason.lower() for reason in reasons if reason in text), _one_line(text))
