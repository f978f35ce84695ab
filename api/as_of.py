"""The timestamp of a response, and small responses that are consistent as of it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.database import ChangedError, Database, parse_lines
from api.operation import Operation
from api.parameters import OperationParameters, iso
from api.problems import parameter_problem
from api.queries import Statement, parameters, query
from api.query_tables import tables_of
from api.spool import SpoolFile
from api.table_states import ReadFrom

_AS_OF: Statement = query("as_of"), {}
ATTEMPTS = 3
"""How often stored figures are read again because newer observations arrived meanwhile."""


@dataclass(frozen=True)
class AsOf:
    """The timestamp of a response, as responses write it; None without data."""

    timestamp: str | None
    is_latest: bool
    requested: str | None


@dataclass(frozen=True)
class Small:
    """A small response: its timestamp, its rows as lines of JSON, and where they are from."""

    timestamp: str | None
    lines: bytes
    read_from: ReadFrom


async def resolve_as_of(
    database: Database, operation: Operation, params: OperationParameters, requested: str | None
) -> AsOf:
    """Return the requested timestamp, or the latest one of the sources where that is earlier.

    Raises a 422 problem if it is earlier than the latest and the parameters allow the latest only.
    """
    latest = _latest(await database.lines(*_AS_OF), operation)
    # All have one format, so they compare as text.
    timestamp = min(requested, latest) if requested and latest else latest
    if timestamp != latest and (reason := params.latest_only()):
        raise parameter_problem("as_of", reason)
    return AsOf(timestamp, timestamp == latest, requested)


async def read_small(
    database: Database,
    operation: Operation,
    params: OperationParameters,
    build: Callable[[bool], Statement],
    as_of: AsOf,
) -> Small:
    """Return a small response.

    `build` returns the statement: of the latest figures if True, else of those at `as_of`.
    """
    past, now = build(False), build(True)
    batched = params.is_of_one_model()
    if as_of.is_latest and now[0] != past[0]:
        stored = await read_stored(database, operation, now, as_of.requested, batched=batched)
        if stored is not None:
            return stored
    state = await database.state()
    lines = await database.lines(*past, batched=batched)
    return Small(as_of.timestamp, lines, ReadFrom(_tables(past[0]), state))


async def read_stored(
    database: Database,
    operation: Operation,
    statement: Statement,
    requested: str | None,
    *,
    batched: bool = False,
) -> Small | None:
    """Return a response of the latest stored figures, which are not versioned.

    None if observations arrived during each attempt, or are newer than `requested`: the response
    would mix figures of two timestamps.
    """
    for _ in range(ATTEMPTS):
        state = await database.state()
        try:
            timestamp = _latest(await database.lines_at(state, *_AS_OF), operation)
            if requested is not None and timestamp is not None and requested < timestamp:
                return None
            lines = await database.lines_at(state, *statement, batched=batched)
            return Small(timestamp, lines, ReadFrom(_tables(statement[0]), state))
        except ChangedError:
            continue
    return None


async def spool(
    database: Database,
    operation: Operation,
    build: Callable[[bool], Statement],
    as_of: AsOf,
    output_format: str,
) -> SpoolFile:
    """Return a response as a file, which the caller closes; see `read_small` for `build`."""
    past, now = build(False), build(True)
    if as_of.is_latest and now[0] != past[0]:
        state = await database.state()
        with suppress(ChangedError):
            latest = _latest(await database.lines_at(state, *_AS_OF), operation)
            if latest == as_of.timestamp:
                return await database.spool_at(state, *now, output_format)
    return await database.spool(*past, output_format)


def bind(sql: str, params: Mapping[str, Any], timestamp: str | None) -> dict[str, Any]:
    """Return the values of the parameters that a query uses."""
    as_of = (timestamp or iso(datetime.now(UTC)))[:-1].replace("T", " ")
    used = parameters(sql)
    return {name: value for name, value in {**params, "as_of": as_of}.items() if name in used}


def _tables(sql: str) -> frozenset[str]:
    return tables_of(sql) | tables_of(_AS_OF[0])


def _latest(lines: bytes, operation: Operation) -> str | None:
    """Return the latest timestamp of an operation's sources."""
    rows = parse_lines(lines)
    return max((row["as_of"] for row in rows if row["source"] in operation.sources), default=None)
