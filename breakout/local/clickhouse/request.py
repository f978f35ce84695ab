"""The parameters of a request to ClickHouse's HTTP interface."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from breakout.local.clickhouse.errors import (
    BAD_ARGUMENTS,
    INVALID_SESSION_TIMEOUT,
    SESSION_NOT_FOUND,
    UNKNOWN_FORMAT,
    clickhouse_error,
)
from breakout.local.clickhouse.form import ExternalTable, Form

DEFAULT_SESSION_SECONDS = 60
MAX_SESSION_SECONDS = 3600

_FORMAT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")

_NUMBER = re.compile(r"[0-9]{1,9}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# Parameters of the interface; any other is a setting of the query
_INTERFACE_PARAMETERS = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """The session that a request uses."""

    session_id: str
    timeout_seconds: int
    must_exist: bool
    close: bool


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A request without its body. ``params`` are the values of ``{name:Type}``, escaped."""

    query: bytes
    query_id: str
    default_format: str
    client_protocol_version: int
    database: str | None
    roles: Sequence[str]
    settings: Mapping[str, str]
    params: Mapping[str, str]
    session: SessionOptions | None
    compress_blocks: bool
    decompress_blocks: bool
    wait_end_of_query: bool
    http_compression: bool
    read_only: bool
    external_tables: Sequence[ExternalTable] | None
    """The files of a form; None if the body is not a form."""


def parse_request(
    arguments: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    *,
    read_only: bool,
    form: Form | None = None,
) -> QueryRequest:
    """Parse URL parameters, fields of a form and headers.

    Raises ClickHouseError for an invalid value.
    """
    pairs = [*arguments, *(form.fields if form is not None else ())]
    values = dict(pairs)
    file_parameters = form.file_parameters() if form is not None else ()
    settings = {
        name: value
        for name, value in values.items()
        if name not in _INTERFACE_PARAMETERS
        and name not in file_parameters
        and not name.startswith("param_")
    }
    http_compression = _flag(settings.pop("enable_http_compression", "0"))
    return QueryRequest(
        query="".join(value for name, value in pairs if name == "query").encode(
            "utf-8", "surrogateescape"
        ),
        query_id=_query_id(
            values.get("query_id") or headers.get("X-ClickHouse-Query-Id") or _new_id()
        ),
        default_format=_format(
            values.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
        ),
        client_protocol_version=_protocol_version(values.get("client_protocol_version", "0")),
        roles=[value for name, value in pairs if name == "role" and value],
        database=values.get("database") or headers.get("X-ClickHouse-Database") or None,
        settings=settings,
        params={
            name.removeprefix("param_"): value
            for name, value in values.items()
            if name.startswith("param_")
        },
        session=_session(values),
        compress_blocks=_flag(values.get("compress", "0")),
        decompress_blocks=_flag(values.get("decompress", "0")),
        wait_end_of_query=_flag(values.get("wait_end_of_query", "0")),
        http_compression=http_compression,
        read_only=read_only,
        external_tables=None if form is None else form.external_tables(values),
    )


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ClickHouseError for a header that is not UTF-8: the engine could not quote it."""
    for name, value in headers.items():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise clickhouse_error(BAD_ARGUMENTS, f"The header {name} is not UTF-8") from None


def _query_id(text: str) -> str:
    # It is sent back in a header
    if _CONTROL.search(text):
        raise clickhouse_error(BAD_ARGUMENTS, "query_id must not contain control characters")
    return text


def _format(name: str) -> str:
    # It becomes part of a statement
    if _FORMAT_NAME.fullmatch(name) is None:
        raise clickhouse_error(UNKNOWN_FORMAT, f"Unknown format {name}")
    return name


def _protocol_version(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise clickhouse_error(
            BAD_ARGUMENTS, f"client_protocol_version is not a number: '{text[:80]}'"
        )
    return int(text)


def _session(values: Mapping[str, str]) -> SessionOptions | None:
    session_id = values.get("session_id", "")
    if not session_id:
        if _flag(values.get("session_check", "0")):
            raise clickhouse_error(SESSION_NOT_FOUND, "Session not found: session_id is empty")
        return None
    text = values.get("session_timeout", str(DEFAULT_SESSION_SECONDS))
    if _NUMBER.fullmatch(text) is None:
        raise clickhouse_error(INVALID_SESSION_TIMEOUT, f"Invalid session timeout: '{text[:80]}'")
    if int(text) > MAX_SESSION_SECONDS:
        raise clickhouse_error(
            INVALID_SESSION_TIMEOUT,
            f"Session timeout '{text}' is larger than max_session_timeout: {MAX_SESSION_SECONDS}",
        )
    return SessionOptions(
        session_id=session_id,
        timeout_seconds=int(text),
        must_exist=_flag(values.get("session_check", "0")),
        close=_flag(values.get("close_session", "0")),
    )


def _flag(value: str) -> bool:
    return value.lower() not in ("", "0", "false")


def _new_id() -> str:
    return str(uuid.uuid4())
