"""The timestamp of a response, and small responses that are consistent as of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.database import Database, parse_lines
from api.operation import Operation
from api.parameters import OperationParameters, iso
from api.problems import parameter_problem
from api.queries import Statement, parameters, query

ATTEMPTS = 3
"""How often stored figures are read again because newer observations arrived meanwhile."""


@dataclass(frozen=True)
class AsOf:
    """The timestamp of a response, as responses write it; None without data."""

    timestamp: str | None
    is_latest: bool
    requested: str | None


async def resolve_as_of(
    database: Database, operation: Operation, params: OperationParameters, requested: str | None
) -> AsOf:
    """Return the requested timestamp, or the latest one of the sources where that is earlier.

    Raises a 422 problem if it is earlier than the latest and the parameters allow the latest only.
    """
    latest_statement = _latest(operation)
    (row,) = parse_lines(
        await database.cached(latest_statement, lambda: database.fresh_lines(*latest_statement))
    )
    latest: str | None = row["as_of"]
    # All have one format, so they compare as text.
    timestamp = min(requested, latest) if requested and latest else latest
    if timestamp != latest and (reason := params.latest_only()):
        raise parameter_problem("as_of", reason)
    return AsOf(timestamp, timestamp == latest, requested)


async def read_small(
    database: Database, operation: Operation, build: Callable[[bool], Statement], as_of: AsOf
) -> tuple[str | None, bytes]:
    """Return the timestamp of a small response and its rows as lines of JSON.

    `build` returns the statement: of the latest figures if True, else of those at `as_of`.
    """
    past, now = build(False), build(True)
    if as_of.is_latest and now[0] != past[0]:
        stored = await read_stored(database, operation, now, as_of.requested)
        if stored is not None:
            return stored
    return as_of.timestamp, await database.lines(*past)


async def read_stored(
    database: Database, operation: Operation, statement: Statement, requested: str | None
) -> tuple[str | None, bytes] | None:
    """Return the timestamp and the lines of the latest stored figures, which are not versioned.

    None if newer observations arrived during each attempt, or are newer than `requested`: the
    response would mix figures of two timestamps.
    """

    async def fetch() -> bytes:
        for _ in range(ATTEMPTS):
            before, lines, after = await database.lines_between(statement, _latest(operation))
            ((timestamp,),) = (row.values() for row in parse_lines(after))
            if requested is not None and timestamp is not None and requested < timestamp:
                break
            if before == after:
                return (timestamp or "").encode() + b"\n" + lines
        return b""

    found = await database.cached((*statement, requested), fetch)
    timestamp, _, lines = found.partition(b"\n")
    return (timestamp.decode() or None, lines) if found else None


def bind(sql: str, params: Mapping[str, Any], timestamp: str | None) -> dict[str, Any]:
    """Return the values of the parameters that a query uses."""
    as_of = (timestamp or iso(datetime.now(UTC)))[:-1].replace("T", " ")
    used = parameters(sql)
    return {name: value for name, value in {**params, "as_of": as_of}.items() if name in used}


def _latest(operation: Operation) -> Statement:
    return query("as_of"), {"sources": list(operation.sources)}
