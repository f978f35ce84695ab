"""Adds the settings that a view's meaning depends on, which override a user's profile.

ClickHouse resolves a view's SELECT with the reader's settings: with `join_use_nulls = 1` in a
profile `ram_now` failed. A SETTINGS clause of the SELECT itself comes first. A user with
`readonly = 1` is the exception: ClickHouse ignores the clause there.
"""

import re

from breakout.clickhouse.client import PINNED

_CLAUSE = "SETTINGS " + ", ".join(f"{name} = {value!r}" for name, value in sorted(PINNED.items()))
_ABOUT = re.compile(r"(?=\sCOMMENT\s+'(?:[^']|'')*'$)|$")


def pinned(statement: str) -> str:
    """Return a view's CREATE statement with the clause: before its COMMENT, else at its end."""
    return _ABOUT.sub(f"\n{_CLAUSE}", statement, count=1)
