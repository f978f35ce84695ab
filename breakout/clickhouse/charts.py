"""Charts: SQL queries with a title, a description, parameters and columns.

Each is a file in `sql/charts/` that begins with comment lines: `title`, `description`, `sources`
(names as in the view `sources`), `parameter NAME TYPE = DEFAULT: description`, and
`column NAME: description`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources.abc import Traversable
from itertools import takewhile

from breakout.clickhouse.migrations import sql_folder
from breakout.core.sizes import SIZE_BINS
from breakout.nearest import nearest, unknown

_LINE = re.compile(
    r"-- (?:(?P<field>title|description|sources)|column (?P<column>\w+)"
    r"|parameter (?P<parameter>\w+) (?P<type>\S+) = ?(?P<default>[^:]*)): (?P<text>.+)"
)


class ChartError(ValueError):
    """Unknown chart or parameter, or an invalid value. The message lists the valid ones."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a chart."""

    name: str
    type: str
    """ClickHouse type."""
    default: str
    """As ClickHouse parses it; items of a list are separated by commas."""
    description: str

    def value(self, text: str) -> str | list[str]:
        """Return a value as ClickHouse clients take it. Raises `ChartError` if it is invalid."""
        if self.type == "Array(String)":
            return [item.strip() for item in text.split(",") if item.strip()]
        if self.type == "UInt32" and not (re.fullmatch(r"[0-9]{1,10}", text) and int(text) < 2**32):
            raise ChartError(
                f"invalid {self.name} {text!r}: use a whole number from 0 to 4294967295"
            )
        if self.type == "Date" and not _is_day(text):
            raise ChartError(
                f"invalid {self.name} {text!r}: use a day, YYYY-MM-DD, from 1970-01-01"
            )
        if self.name == "size_bin" and text and text not in SIZE_BINS:
            raise ChartError(unknown("size bin", text, nearest(text, SIZE_BINS), SIZE_BINS))
        return text


@dataclass(frozen=True)
class Chart:
    """A query and its documentation."""

    name: str
    title: str
    description: str
    sources: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: Mapping[str, str]
    """Description by name, in the order of the query."""
    sql: str
    """The query, with ClickHouse's `{name:Type}` for the parameters."""

    def values(self, chosen: Mapping[str, str]) -> dict[str, str | list[str]]:
        """Return the values of all parameters: chosen or default, lists split.

        Raises `ChartError` for an unknown parameter or an invalid value.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in chosen:
            if name not in known:
                if not known:
                    raise ChartError(f'Unknown parameter "{name}": {self.name} has none')
                raise ChartError(
                    unknown(f"parameter of {self.name}", name, nearest(name, known), known)
                )
        return {
            name: parameter.value(chosen.get(name, parameter.default))
            for name, parameter in known.items()
        }


def load_charts(folder: Traversable | None = None) -> dict[str, Chart]:
    """Read all charts, by name. Raises `ChartError` for an invalid file."""
    folder = folder or sql_folder() / "charts"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        chart.name: chart for chart in (_read(file) for file in files if file.name[-4:] == ".sql")
    }


def load_chart(name: str) -> Chart:
    """Read one chart. Raises `ChartError` if it is unknown."""
    charts = load_charts()
    if name not in charts:
        raise ChartError(unknown("chart", name, nearest(name, charts), charts))
    return charts[name]


def _read(file: Traversable) -> Chart:
    fields: dict[str, str] = {}
    parameters: list[Parameter] = []
    columns: dict[str, str] = {}
    lines = file.read_text(encoding="utf-8").splitlines()
    head = list(takewhile(lambda line: line.startswith("-- "), lines))
    for line in head:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ChartError(f"{file.name}: cannot parse the line {line!r}")
        if found["parameter"]:
            default = found["default"].strip()
            parameters.append(Parameter(found["parameter"], found["type"], default, found["text"]))
        elif found["column"]:
            columns[found["column"]] = found["text"]
        else:
            fields[found["field"]] = found["text"]
    for field in ("title", "description", "sources"):
        if field not in fields:
            raise ChartError(f"{file.name}: missing line '-- {field}: ...'")
    return Chart(
        file.name.removesuffix(".sql"),
        fields["title"],
        fields["description"],
        tuple(fields["sources"].split(", ")),
        tuple(parameters),
        columns,
        "\n".join(lines[len(head) :]),
    )


def _is_day(text: str) -> bool:
    # ClickHouse parses 2026-13-45 as a day of the next year.
    try:
        return date.fromisoformat(text) >= date(1970, 1, 1) and len(text) == len("YYYY-MM-DD")
    except ValueError:
        return False
