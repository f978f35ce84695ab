"""ClickHouse exceptions: code, text, and the HTTP status of the response."""

from __future__ import annotations

import re

SYNTAX_ERROR = 62
UNKNOWN_FORMAT = 73
READONLY = 164
NOT_IMPLEMENTED = 48
INTO_OUTFILE_NOT_ALLOWED = 358
SESSION_NOT_FOUND = 372
SESSION_IS_LOCKED = 373
INVALID_SESSION_TIMEOUT = 374
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
UNKNOWN_COMPRESSION_METHOD = 89
CHECKSUM_DOESNT_MATCH = 40
CANNOT_DECOMPRESS = 271
BAD_ARGUMENTS = 36
ENGINE_FAILURE = 1002
SOCKET_TIMEOUT = 209
QUERY_IS_TOO_LARGE = 229
QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216
UNKNOWN_ROLE = 511
SET_NON_GRANTED_ROLE = 512

_NAMES = {
    SYNTAX_ERROR: "SYNTAX_ERROR",
    UNKNOWN_FORMAT: "UNKNOWN_FORMAT",
    READONLY: "READONLY",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    INTO_OUTFILE_NOT_ALLOWED: "INTO_OUTFILE_NOT_ALLOWED",
    SESSION_NOT_FOUND: "SESSION_NOT_FOUND",
    SESSION_IS_LOCKED: "SESSION_IS_LOCKED",
    INVALID_SESSION_TIMEOUT: "INVALID_SESSION_TIMEOUT",
    ACCESS_DENIED: "ACCESS_DENIED",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    UNKNOWN_COMPRESSION_METHOD: "UNKNOWN_COMPRESSION_METHOD",
    CHECKSUM_DOESNT_MATCH: "CHECKSUM_DOESNT_MATCH",
    CANNOT_DECOMPRESS: "CANNOT_DECOMPRESS",
    BAD_ARGUMENTS: "BAD_ARGUMENTS",
    SOCKET_TIMEOUT: "SOCKET_TIMEOUT",
    QUERY_IS_TOO_LARGE: "QUERY_IS_TOO_LARGE",
    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    UNKNOWN_ROLE: "UNKNOWN_ROLE",
    SET_NON_GRANTED_ROLE: "SET_NON_GRANTED_ROLE",
    ENGINE_FAILURE: "UNKNOWN_EXCEPTION",
}

# Statuses of ClickHouse 26's HTTP interface; every code not listed is a 500.
_STATUS_OF_CODE = {
    194: 401,
    **dict.fromkeys((192, 193, 497, 512, 516), 403),
    **dict.fromkeys((6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123), 400),
    **dict.fromkeys((167, 168, 223, 321, 376, 427, 441, 675, 676), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511), 404),
    159: 408,
    381: 411,
    229: 413,
    48: 501,
    **dict.fromkeys((76, 209, 439), 503),
}

_CODE = re.compile(r"Code: (\d+)\. DB::")


class ClickHouseError(Exception):
    """A failed request, with ClickHouse's error code and its text ``Code: N. DB::...``."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """HTTP status of a ClickHouse server for this code."""
        return _STATUS_OF_CODE.get(self.code, 500)


def clickhouse_error(code: int, message: str) -> ClickHouseError:
    """Return an error of the HTTP layer, in ClickHouse's format."""
    return ClickHouseError(code, f"Code: {code}. DB::Exception: {message} ({_NAMES[code]})")


def engine_error(text: str) -> ClickHouseError:
    """Return the error of an engine call; a text without a code is unknown (1002)."""
    text = text.partition(", Stack trace (when copying this message")[0].strip()
    found = _CODE.search(text)
    if found is None:
        return clickhouse_error(ENGINE_FAILURE, text)
    return ClickHouseError(int(found.group(1)), text[found.start() :])
