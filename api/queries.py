"""The API's SQL: one query per file in `sql/api/`, with ClickHouse's query parameters.

The latest figures are stored in tables; those of an earlier timestamp have to be computed. Lines
from `-- now:` to `-- :now` are of the first variant only, those from `-- past:` to `-- :past` of
the second.
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
_OTHER_VARIANT = {
    now: re.compile(rf"^ *-- {left_out}:\n.*?^ *-- :{left_out}\n", re.MULTILINE | re.DOTALL)
    for now, left_out in ((True, "past"), (False, "now"))
}


@cache
def query(name: str, *, now: bool = False) -> str:
    """Return the SQL of a query. Raises `FileNotFoundError` for an unknown one."""
    text = (sql_folder() / "api" / f"{name}.sql").read_text(encoding="utf-8")
    return _OTHER_VARIANT[now].sub("", text)


def parameters(sql: str) -> set[str]:
    """Return the names of a query's parameters."""
    return set(_PARAMETER.findall(sql))
