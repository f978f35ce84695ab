"""Charts: one SQL query each in `sql/charts/`, with its description and parameters.

Each file begins with comment lines: `title`, `meaning`, `sources` (names as in the view
`sources`), `parameter NAME TYPE = DEFAULT: meaning`, and `column NAME: meaning`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from itertools import takewhile

from breakout.clickhouse.migrations import migrations_folder

_LINE = re.compile(
    r"-- (?:(?P<key>title|meaning|sources)|column (?P<column>\w+)"
    r"|parameter (?P<parameter>\w+) (?P<type>\S+) = ?(?P<default>[^:]*)): (?P<text>.+)"
)


class ChartError(ValueError):
    """Unknown chart or parameter, or an invalid value. The message lists what is valid."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a chart."""

    name: str
    type: str
    """ClickHouse type."""
    default: str
    """As ClickHouse parses it; items of a list are separated by commas."""
    meaning: str

    def value(self, text: str) -> str | list[str]:
        """Return a value for a ClickHouse client. Raises `ChartError` for an invalid one."""
        if self.type == "Array(String)":
            return [item.strip() for item in text.split(",") if item.strip()]
        if self.type == "UInt32" and not (re.fullmatch(r"[0-9]{1,10}", text) and int(text) < 2**32):
            raise ChartError(f"{self.name} must be a whole number, at least 0, got {text!r}")
        if self.type == "Date" and not _is_day(text):
            raise ChartError(f"{self.name} must be a date YYYY-MM-DD, from 1970 on, got {text!r}")
        return text


@dataclass(frozen=True)
class Chart:
    """A chart: a query and its description."""

    name: str
    title: str
    meaning: str
    sources: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]
    """Meaning of each column, in the order of the query."""
    sql: str
    """The query, with ClickHouse's `{name:Type}` for the parameters."""

    def values(self, chosen: Mapping[str, str]) -> dict[str, str | list[str]]:
        """Return the value of every parameter: the chosen one or its default, lists split.

        Raises `ChartError` for an unknown parameter or an invalid value.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in chosen:
            if name not in known:
                names = ", ".join(known) or "none"
                raise ChartError(
                    f"Unknown parameter {name!r} of chart {self.name}. Parameters: {names}"
                )
        return {
            name: parameter.value(chosen.get(name, parameter.default))
            for name, parameter in known.items()
        }


def load_charts(folder: Traversable | None = None) -> dict[str, Chart]:
    """Read all charts, by name. Raises `ChartError` that names an invalid file."""
    folder = folder or migrations_folder() / "charts"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        chart.name: chart for chart in (_read(file) for file in files if file.name[-4:] == ".sql")
    }


def load_chart(name: str) -> Chart:
    """Read one chart. Raises `ChartError` for an unknown name."""
    charts = load_charts()
    if name not in charts:
        raise ChartError(f"Unknown chart {name!r}. Choose one of: {', '.join(charts)}")
    return charts[name]


def _read(file: Traversable) -> Chart:
    described: dict[str, str] = {}
    parameters: list[Parameter] = []
    columns: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines()
    head = list(takewhile(lambda line: line.startswith("-- "), lines))
    for line in head:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ChartError(f"{file.name}: invalid comment line {line!r}")
        if found["parameter"]:
            default = found["default"].strip()
            parameters.append(Parameter(found["parameter"], found["type"], default, found["text"]))
        elif found["column"]:
            columns[found["column"]] = found["text"]
        else:
            described[found["key"]] = found["text"]
    for kind in ("title", "meaning", "sources"):
        if kind not in described:
            raise ChartError(f"{file.name}: the line '-- {kind}: ...' is missing")
    return Chart(
        file.name.removesuffix(".sql"),
        described["title"],
        described["meaning"],
        tuple(described["sources"].split(", ")),
        tuple(parameters),
        columns,
        "\n".join(lines[len(head) :]),
    )


def _is_day(text: str) -> bool:
    # ClickHouse would parse 2026-13-45 as a date in 2027.
    try:
        return date.fromisoformat(text) >= date(1970, 1, 1) and len(text) == len("YYYY-MM-DD")
    except ValueError:
        return False
