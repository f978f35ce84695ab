"""The API's SQL: one query a file in `sql/api/`, with ClickHouse's own parameters.

What is as of now can be read where it is kept; what was then has to be worked out. Lines from
`-- now:` to `-- :now` are of the first only, lines from `-- past:` to `-- :past` of the second.
"""

import re
from functools import cache

from breakout.clickhouse.migrations import migrations_folder

_PARAMETER = re.compile(r"\{(\w+):[^}]+\}")
_ONLY = {
    now: re.compile(rf"^ *-- {left_out}:\n.*?^ *-- :{left_out}\n", re.MULTILINE | re.DOTALL)
    for now, left_out in ((True, "past"), (False, "now"))
}


@cache
def query(name: str, *, now: bool = False) -> str:
    """Return the SQL of a query. Raises `FileNotFoundError` for one that there is not."""
    text = (migrations_folder() / "api" / f"{name}.sql").read_text(encoding="utf-8")
    return _ONLY[now].sub("", text)


def parameters(sql: str) -> set[str]:
    """Return the names of a query's parameters."""
    return set(_PARAMETER.findall(sql))
