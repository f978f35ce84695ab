"""Errors of ClickHouse, made from those of its driver.

`ClickHouseUnavailableError` may disappear with a retry, `ClickHouseRefusedError` does not. Their
messages name the settings to check, and never a password.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError as DriverError
from clickhouse_connect.driver.exceptions import Error as CodedDriverError
from clickhouse_connect.driver.exceptions import OperationalError

from breakout.clickhouse.address import ClickHouseAddress
from breakout.observability.redaction import Redactor
from breakout.settings import Settings

MAX_REASON_LENGTH = 500

# Codes that name a state of the server, not a fault of the request.
_TRANSIENT = frozenset(
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
_TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
UNKNOWN_DATABASE = 81
_NOT_MIGRATED = frozenset({60, UNKNOWN_DATABASE})  # 60: UNKNOWN_TABLE
WRONG_LOGIN = frozenset({192, 193, 194, 516})
"""UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED."""
_ACCESS_DENIED = frozenset({164, 497})  # READONLY, ACCESS_DENIED


class ClickHouseError(RuntimeError):
    """A request to ClickHouse failed. `code` is ClickHouse's error code, or None."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ClickHouseUnavailableError(ClickHouseError):
    """ClickHouse is unreachable or overloaded: the same request may succeed later."""


class ClickHouseRefusedError(ClickHouseError):
    """ClickHouse rejected the request: it fails again until something is changed."""


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Raise the driver's errors inside the block as `ClickHouseError`."""
    try:
        yield
    except (DriverError, OSError) as error:
        raise explain(error, settings) from error


def explain(error: Exception, settings: Settings) -> ClickHouseError:
    """Return a driver's error as a `ClickHouseError` that says what to check, without secrets."""
    if isinstance(error, ClickHouseError):
        return error
    code = error.code if isinstance(error, CodedDriverError) else None
    explained_error = (
        _without_code(error, settings)
        if code is None
        else _with_code(code, _reason(error), settings.clickhouse)
    )
    return type(explained_error)(Redactor(settings)(str(explained_error)), code)


def _with_code(code: int, reason: str, address: ClickHouseAddress) -> ClickHouseError:
    if code in _TRANSIENT:
        return ClickHouseUnavailableError(f"ClickHouse at {address} is not ready: {reason}")
    if code in WRONG_LOGIN:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} rejected the login of user {address.user!r}: check "
            "BREAKOUT_CLICKHOUSE_USER and BREAKOUT_CLICKHOUSE_PASSWORD, or the user and "
            "password in CLICKHOUSE_URL"
        )
    if code in _ACCESS_DENIED:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} denied access to user {address.user!r} "
            f"(BREAKOUT_CLICKHOUSE_USER): {reason}"
        )
    if code in _NOT_MIGRATED:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} has no such database or table: run `breakout migrate`, or "
            f"check the database in CLICKHOUSE_URL: {reason}"
        )
    return ClickHouseRefusedError(f"ClickHouse at {address} rejected the request: {reason}")


def _without_code(error: Exception, settings: Settings) -> ClickHouseError:
    address = settings.clickhouse
    status = _http_status(error)
    if status in _TRANSIENT_STATUSES:
        return ClickHouseUnavailableError(
            f"ClickHouse at {address} is not ready: HTTP status {status}"
        )
    tls_problem = _tls_problem(error)
    if tls_problem is not None:
        return ClickHouseRefusedError(f"ClickHouse at {address} (CLICKHOUSE_URL): {tls_problem}")
    constrained = re.search(r"Setting (\w+) is (?:unknown or )?readonly", str(error))
    if constrained:
        return ClickHouseRefusedError(
            f"ClickHouse at {address} does not allow this user to set {constrained[1]}, which our "
            "queries need: its profile must have readonly = 0 or 2, not 1, and no constraint on it"
        )
    disconnected = isinstance(error, OperationalError) and error.__cause__ is not None
    if status is None and (disconnected or isinstance(error, OSError)):
        return ClickHouseUnavailableError(
            f"cannot connect to ClickHouse at {address} (CLICKHOUSE_URL): {_network_reason(error)}"
        )
    return ClickHouseRefusedError(
        f"the server at {address} (CLICKHOUSE_URL) did not respond like ClickHouse: "
        f"{_reason(error)}"
    )


def _reason(error: Exception) -> str:
    """Return ClickHouse's message: one line, without what the driver adds around it."""
    text = re.sub(r"^.*?DB::Exception: ", "", str(error).strip(), count=1, flags=re.DOTALL)
    text = re.sub(r"\s*(\(version [^()]*(\([^()]*\))?[^()]*\))?\s*\(for url [^)]*\)$", "", text)
    return _one_line(text) or "no reason given"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON_LENGTH else line[: MAX_REASON_LENGTH - 3] + "..."


def _tls_problem(error: BaseException) -> str | None:
    """Return why a TLS handshake can never succeed; None if it is something else."""
    text = " ".join(str(cause) for cause in _causes(error))
    found = re.search(r"certificate verify failed: ([^()]+)", text)
    if found:
        return (
            f"its certificate is not trusted ({found[1].strip()}): name the file of its "
            "authority's certificate in BREAKOUT_CLICKHOUSE_CA_FILE, and use a host name that the "
            "certificate contains"
        )
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return "it does not speak TLS: use http://, or another port"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _http_status(error: Exception) -> int | None:
    found = re.match(r"HTTP driver received HTTP status (\d+)", str(error))
    return int(found[1]) if found else None


def _network_reason(error: BaseException) -> str:
    """Return the plain reason of a failed connection, not the layers around it."""
    text = f"{error} {error.__cause__ or ''}"
    reasons = ("Connection refused", "timed out", "Name or service not known", "No route to host")
    return next((reason.lower() for reason in reasons if reason in text), _one_line(text))
