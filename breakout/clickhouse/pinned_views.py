"""Gives every view the settings that its meaning depends on, whatever a reader's profile says.

ClickHouse resolves a view's SELECT with the reader's settings: with `join_use_nulls = 1` in a
profile `ram_now` failed. A SETTINGS clause of the SELECT itself comes first. A user with
`readonly = 1` is the exception: ClickHouse ignores the clause there.
"""

import re
from collections.abc import Iterable

from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import PINNED

_CLAUSE = "SETTINGS " + ", ".join(f"{name} = {value!r}" for name, value in sorted(PINNED.items()))
_FORMER = re.compile(r"\s+SETTINGS \w+ = (?:\w+|'[^']*')(?:, \w+ = (?:\w+|'[^']*'))*$")
_VIEW = re.compile(
    r"(?P<view>CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\s.+?)(?P<about>\sCOMMENT\s+'[^']*')?", re.DOTALL
)


def pinned(statement: str) -> str:
    """Return a statement with the clause, if it makes a view."""
    view = _VIEW.fullmatch(statement)
    return f"{view['view']}\n{_CLAUSE}{view['about'] or ''}" if view else statement


def pin_views(client: Client, database: str, names: Iterable[str]) -> list[str]:
    """Replace those of these views that lack the clause, from before it; return their names.

    Running it twice changes nothing.
    """
    views = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = {database:String} "
        "AND engine = 'View' AND name IN {names:Array(String)} "
        "AND NOT endsWith(create_table_query, {clause:String}) ORDER BY name",
        parameters={"database": database, "names": list(names), "clause": _CLAUSE},
    ).result_rows
    for _, made in views:
        replacing = made.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
        client.command(pinned(_FORMER.sub("", replacing)))
    return [name for name, _ in views]
