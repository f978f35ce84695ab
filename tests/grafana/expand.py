"""Grafana's variables and the plugin's macros, expanded as their documentation defines them.

Variables: `${name}`, `${name:singlequote}` (quoted, joined by commas, quotes escaped with a
backslash) and `$name`; a custom value of All is put in as it is. Macros: `$__timeFilter(column)`,
`$__fromTime`, and `$__interval`-like ones for PromQL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")
_TIME_FILTER = re.compile(r"\$__timeFilter\(([\w.]+)\)")


@dataclass(frozen=True)
class Chosen:
    """What a variable stands for."""

    values: tuple[str, ...]
    all_value: str | None = None
    """Put in without formatting when All is chosen."""


def sql(text: str, chosen: Mapping[str, Chosen], since: datetime, until: datetime) -> str:
    """Return the SQL that ClickHouse is sent."""
    text = interpolate(text, chosen)
    text = _TIME_FILTER.sub(
        lambda found: (
            f"{found[1]} >= toDateTime({int(since.timestamp())}) "
            f"AND {found[1]} <= toDateTime({int(until.timestamp())})"
        ),
        text,
    )
    text = text.replace("$__fromTime", f"toDateTime({int(since.timestamp())})")
    left = re.search(r"\$\w+|\$\{", text)
    assert left is None, f"nothing expands {left[0] if left else ''} in {text}"
    return text


def interpolate(text: str, chosen: Mapping[str, Chosen]) -> str:
    """Return the text with its variables filled in."""

    def value(found: re.Match[str]) -> str:
        name, form = found[1] or found[3], found[2]
        one = chosen[name]
        if one.all_value is not None:
            return one.all_value
        if form == "singlequote":
            return ",".join("'" + value.replace("'", "\\'") + "'" for value in one.values)
        assert form is None, f"{name}: the form {form} is not known here"
        return one.values[0] if len(one.values) == 1 else "{" + ",".join(one.values) + "}"

    return _VARIABLE.sub(value, text)


def names(text: str) -> set[str]:
    """Return the variables a text needs; Grafana's own begin with two underscores."""
    found = {match[1] or match[3] for match in _VARIABLE.finditer(text)}
    return {name for name in found if not name.startswith("__")}
