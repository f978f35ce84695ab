"""The charts of the mission: one SQL query each, with what it shows and what can be chosen.

They lie in `sql/charts/`. Each begins with comment lines: `title`, `meaning`, `sources` (names as
in the view `sources`), `parameter NAME TYPE = DEFAULT: meaning`, and `column NAME: meaning`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from breakout.migrations import migrations_folder

_LINE = re.compile(r"-- (?P<kind>[a-z]+)(?: (?P<name>\w+))?(?P<rest>[^:]*): (?P<text>.+)")
_TYPED = re.compile(r" (?P<type>\S+) = ?(?P<default>.*)")


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
        """Return a value as a ClickHouse client takes it."""
        if not self.type.startswith("Array"):
            return text
        return [item.strip() for item in text.split(",") if item.strip()]


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

        Raises `ChartError` for a parameter the chart does not have.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in chosen:
            if name not in known:
                there = ", ".join(known) or "none"
                raise ChartError(f"{self.name} has no parameter {name}: it has {there}")
        return {name: one.value(chosen.get(name, one.default)) for name, one in known.items()}


def load_charts() -> dict[str, Chart]:
    """Read all charts, by name."""
    folder = migrations_folder() / "charts"
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
    comments = [line for line in lines if line.startswith("-- ")]
    for line in comments:
        found = _LINE.fullmatch(line)
        if found is None:
            raise ChartError(f"{file.name}: cannot read the line {line!r}")
        kind, name, text = found["kind"], found["name"], found["text"]
        if kind == "parameter" and (typed := _TYPED.fullmatch(found["rest"])):
            parameters.append(Parameter(name, typed["type"], typed["default"].strip(), text))
        elif kind == "column":
            columns[name] = text
        else:
            said[kind] = text
    return Chart(
        file.name.removesuffix(".sql"),
        said["title"],
        said["meaning"],
        tuple(said["sources"].split(", ")),
        tuple(parameters),
        columns,
        "\n".join(lines[len(comments) :]),
    )
