"""docs/tables.md, from a database that holds the schema."""

from collections.abc import Iterator
from itertools import groupby
from tempfile import TemporaryDirectory

import chdb.session

from breakout.clickhouse.migrations import read_migrations, sql_folder
from breakout.clickhouse.views import read_views
from tools.reference.markdown import code, page, table

TABLES = """
SELECT name, engine = 'View', comment FROM system.tables
WHERE database = currentDatabase() AND engine != 'MaterializedView' ORDER BY engine != 'View', name
"""
COLUMNS = """
SELECT table, name, type, comment FROM system.columns
WHERE database = currentDatabase() ORDER BY table, position
"""


def tables_page() -> str:
    """Return the page: the views, which are the public interface, then what is under them."""
    with TemporaryDirectory(prefix="breakout-reference-") as folder:
        session = chdb.session.Session(folder)
        try:
            tables, columns = _schema(session)
        finally:
            session.close()
    views = [(name, comment) for name, is_view, comment in tables if is_view]
    stores = [(name, comment) for name, is_view, comment in tables if not is_view]
    return page(
        "Tables",
        "The views are the public SQL interface: they show one row per key. The tables under "
        "them are for the processors, may hold several versions of a row until ClickHouse "
        "merges them, and may change. Times are UTC. What each number is, exactly, is in "
        "[definitions.md](definitions.md).",
        "## Views",
        *_blocks(views, columns),
        "## Tables under them",
        *_blocks(stores, columns),
    )


def _schema(
    session: chdb.session.Session,
) -> tuple[list[tuple[str, bool, str]], dict[str, list[tuple[str, str, str]]]]:
    session.query("CREATE DATABASE breakout")
    session.query("USE breakout")
    for migration in read_migrations():
        for statement in migration.statements:
            session.query(statement)
    for view in read_views(sql_folder() / "views"):
        session.query(view.statement)
    tables = [(name, bool(is_view), comment) for name, is_view, comment in _rows(session, TABLES)]
    columns = {
        name: [(column, kind, comment) for _, column, kind, comment in rows]
        for name, rows in groupby(_rows(session, COLUMNS), key=lambda row: row[0])
    }
    return tables, columns


def _rows(session: chdb.session.Session, query: str) -> list[tuple[str, ...]]:
    answer = session.query(query, "ArrowTable").to_pylist()
    return [tuple(row.values()) for row in answer]


def _blocks(
    tables: list[tuple[str, str]], columns: dict[str, list[tuple[str, str, str]]]
) -> Iterator[str]:
    for name, comment in tables:
        yield f"### {name}"
        yield f"{comment}."
        if name in columns:  # a view with a parameter has none until it is asked
            yield table(
                ("Column", "Type", "Meaning"),
                [(code(column), code(kind), meaning) for column, kind, meaning in columns[name]],
            )
