"""The API's SQL: one query a file in `sql/api/`, with ClickHouse's own parameters."""

import re
from functools import cache

from breakout.migrations import migrations_folder

_PARAMETER = re.compile(r"\{(\w+):[^}]+\}")


@cache
def query(name: str) -> str:
    """Return the SQL of a query. Raises `FileNotFoundError` for one that there is not."""
    return (migrations_folder() / "api" / f"{name}.sql").read_text(encoding="utf-8")


def parameters(sql: str) -> set[str]:
    """Return the names of a query's parameters."""
    return set(_PARAMETER.findall(sql))
