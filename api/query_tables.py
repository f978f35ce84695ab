"""The tables that a query reads, directly or through views."""

import re
from functools import cache

from breakout.clickhouse.migrations import sql_folder
from breakout.clickhouse.statements import without_texts
from breakout.clickhouse.views import read_views

_WORD = re.compile(r"\w+")
_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)


@cache
def tables_of(sql: str) -> frozenset[str]:
    """Return the names of the tables that a query reads.

    A column with the name of a table or view counts as one: the result may hold too many names, but
    never too few.
    """
    return frozenset().union(*(_tables_by_name().get(word, frozenset()) for word in _words(sql)))


@cache
def _tables_by_name() -> dict[str, frozenset[str]]:
    """Return the tables behind each table and view."""
    found: dict[str, frozenset[str]] = {}
    for file in (sql_folder() / "schema").iterdir():
        if file.name.endswith(".sql"):
            for table in _TABLE.findall(file.read_text(encoding="utf-8")):
                found[table] = frozenset({table})
    # In the order of what they read.
    for view in read_views(sql_folder() / "views"):
        read = (found.get(word, frozenset()) for word in _words(view.statement))
        found[view.name] = frozenset().union(*read)
    return found


def _words(sql: str) -> set[str]:
    return set(_WORD.findall(without_texts(sql)))
