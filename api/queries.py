"""The API's SQL: one query per file in `sql/api/`, with ClickHouse's query parameters.

A query may have variants: lines from `-- NAME:` to `-- :NAME` are of the variant NAME only. The
latest figures are stored in tables (`now`), those of an earlier timestamp are computed (`past`).
A line `-- include: NAME` is replaced by the query NAME, in the same variant.
"""

import re
from collections.abc import Mapping
from functools import cache

from breakout.clickhouse.migrations import sql_folder

Values = Mapping[str, str | float | bool | list[str] | list[int] | None]
"""Values of query parameters by name."""
Statement = tuple[str, Values]
"""SQL and the values of its parameters."""

_PARAMETER = re.compile(r"\{(\w+):[^}]+\}")
_INCLUDE = re.compile(r"^ *-- include: (\w+)\n", re.MULTILINE)
_SECTION = re.compile(r"^ *-- (\w+):\n(.*?)^ *-- :\1\n", re.MULTILINE | re.DOTALL)


@cache
def query(name: str, *, now: bool = False, variant: str = "") -> str:
    """Return the SQL of a query. Raises `FileNotFoundError` for an unknown one.

    `variant` has the names of its variants, separated by spaces.
    """
    chosen = {"now" if now else "past", *variant.split()}

    def choose(section: re.Match[str]) -> str:
        return _SECTION.sub(choose, section[2]) if section[1] in chosen else ""

    text = (sql_folder() / "api" / f"{name}.sql").read_text(encoding="utf-8")
    text = _SECTION.sub(choose, text)
    return _INCLUDE.sub(lambda found: query(found[1], now=now, variant=variant), text)


def parameters(sql: str) -> set[str]:
    """Return the names of a query's parameters."""
    return set(_PARAMETER.findall(sql))
