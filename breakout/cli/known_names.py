"""Checks names that people type against the database."""

from collections.abc import Iterable

import click
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.known_names import Kind
from breakout.nearest import nearest, unknown


def require_known(client: Client, kind: Kind, names: Iterable[str], parameter: str) -> None:
    """Raise `UsageError` for a name that does not exist, with the nearest ones."""
    wanted = [name for name in names if name]
    known = _names(client, kind.known_sql(), names=wanted) if wanted else []
    for name in wanted:
        if name not in known:
            near = nearest(name, _names(client, kind.similar_sql(), name=name))
            message = unknown(kind.label, name, near, known if kind.is_listed else ())
            raise click.UsageError(f"{parameter}: {message}")


def _names(client: Client, sql: str, **parameters: str | list[str]) -> list[str]:
    return [name for (name,) in client.query(sql, parameters=parameters).result_rows]
