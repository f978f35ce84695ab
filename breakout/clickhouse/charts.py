"""The charts of the mission: one SQL query each, with what it shows and what can be chosen.

They lie in `sql/charts/`. Each begins with comment lines: `title`, `meaning`, `sources` (names as
in the view `sources`), `parameter NAME TYPE = DEFAULT: meaning`, and `column NAME: meaning`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from itertools import takewhile

from breakout.clickhouse.migrations import migrations_folder

_LINE = re.compile(
    r"-- (?:(?P<said>title|meaning|sources)|column (?P<column>\w+)"
    r"|parameter (?P<parameter>\w+) (?P<type>\S+) = ?(?P<default>[^:]*)): (?P<text>.+)"
)


class ChartError(ValueError):
    """A chart or a parameter that there is not. The message says what there is."""


@dataclass(frozen=True)
class Parameter:
    """What can be chosen."""

    name: str
    type: str
    """ClickHouse type."""
    default: str
    """As ClickHouse reads it; of a list, its items with commas between them."""
    meaning: str

    def value(self, text: str) -> str | list[str]:
        """Return a value as a ClickHouse client takes it. Raises `ChartError` for a wrong one."""
        if self.type == "Array(String)":
            return [item.strip() for item in text.split(",") if item.strip()]
        if self.type == "UInt32" and not (re.fullmatch(r"[0-9]{1,10}", text) and int(text) < 2**32):
            raise ChartError(f"{self.name} must be a whole number from 0, got {text!r}")
        if self.type == "Date" and not _is_day(text):
            raise ChartError(f"{self.name} must be a day, YYYY-MM-DD, from 1970 on, got {text!r}")
        return text


@dataclass(frozen=True)
class Chart:
    """A query and what it shows."""

    name: str
    title: str
    meaning: str
    sources: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]
    """Meaning by name, in their order."""
    sql: str
    """The query, with ClickHouse's `{name:Type}` for the parameters."""

    def values(self, chosen: Mapping[str, str]) -> dict[str, str | list[str]]:
        """Return every parameter's value: the chosen one or its default, lists taken apart.

        Raises `ChartError` for a parameter the chart does not have, and for a wrong value.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in chosen:
            if name not in known:
                there = ", ".join(known) or "none"
                raise ChartError(f"{self.name} has no parameter {name}: it has {there}")
        return {name: one.value(chosen.get(name, one.default)) for name, one in known.items()}


def load_charts(folder: Traversable | None = None) -> dict[str, Chart]:
    """Read all charts, by name. Raises `ChartError` that names the wrong file."""
    folder = folder or migrations_folder() / "charts"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        chart.name: chart for chart in (_read(file) for file in files if file.name[-4:] == ".sql")
    }


def load_chart(name: str) -> Chart:
    """Read one chart. Raises `ChartError` for one that there is not."""
    charts = load_charts()
    if name not in charts:
        raise ChartError(f"{name}: no such chart; there are {', '.join(charts)}")
    return charts[name]


def _read(file: Traversable) -> Chart:
    said: dict[str, str] = {}
    parameters: list[Parameter] = []
    columns: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines()
    head = list(takewhile(lambda line: line.startswith("-- "), lines))
    for line in head:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ChartError(f"{file.name}: cannot read the line {line!r}")
        if found["parameter"]:
            default = found["default"].strip()
            parameters.append(Parameter(found["parameter"], found["type"], default, found["text"]))
        elif found["column"]:
            columns[found["column"]] = found["text"]
        else:
            said[found["said"]] = found["text"]
    for kind in ("title", "meaning", "sources"):
        if kind not in said:
            raise ChartError(f"{file.name}: lacks the line '-- {kind}: ...'")
    return Chart(
        file.name.removesuffix(".sql"),
        said["title"],
        said["meaning"],
        tuple(said["sources"].split(", ")),
        tuple(parameters),
        columns,
        "\n".join(lines[len(head) :]),
    )


def _is_day(text: str) -> bool:
    # ClickHouse would take 2026-13-45 as a day of the year after.
    try:
        return date.fromisoformat(text) >= date(1970, 1, 1) and len(text) == len("YYYY-MM-DD")
    except ValueError:
        return False
