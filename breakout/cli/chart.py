"""`breakout chart`: the rows of a chart."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

import click
from clickhouse_connect.driver.client import Client

from breakout.citation import Citation, CitedSource
from breakout.cli.console import console, echo, echo_data, format_option
from breakout.cli.known_names import require_known
from breakout.cli.start import start
from breakout.cli.tables import Column, fitting, sentences
from breakout.clickhouse.charts import Chart, ChartError, load_chart, load_charts
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import explained
from breakout.clickhouse.known_names import BASELINE, MODEL, ORGANISATION
from breakout.numbers import count_text, decimal_text, ram_text, share_text

MAX_TABLE_ROWS = 40
_SHARES = {"error_bound"}
"""Columns that are parts of 1, besides those that have "share" in their name."""
_KINDS = {"models": MODEL, "org": ORGANISATION, "against": ORGANISATION, "baseline": BASELINE}
"""Kinds of the names that parameters take."""


class _Parameter(click.ParamType):
    name = "NAME=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            self.fail(f"must be NAME=VALUE, got {value!r}", param, ctx)
        return name, text


@click.command()
@click.argument("name", required=False)
@click.option("--set", "values", type=_Parameter(), multiple=True, help="Set a parameter.")
@format_option("table", "json", "csv")
def chart(*, name: str | None, values: tuple[tuple[str, str], ...], style: str) -> None:
    """Show the rows of chart NAME, or list the charts.

    docs/charts.md lists the SQL, parameters and columns of each chart.
    """
    if name is None:
        _list(load_charts())
        return
    settings = start()
    try:
        loaded = load_chart(name)
        parameters = loaded.values(_by_name(values))
    except ChartError as error:
        raise click.UsageError(str(error)) from None
    with explained(settings), closing(reader_client(settings)) as client:
        _require_names(client, parameters)
        result = client.query(loaded.sql, parameters=parameters)
        citation, citations = _citations(client, loaded, dict(values))
    if style == "json":
        rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
        record = {
            "chart": name,
            "title": loaded.title,
            "rows": rows,
            "sources": citations,
            "citation": citation.text(),
            "bibtex": citation.bibtex(),
        }
        click.echo(json.dumps(record, default=_json_value, indent=2))
    elif style == "csv":
        echo_data(_as_csv(result.column_names, result.result_rows))
        # Not among the data, which programs read.
        echo(citation.text(), err=True)
    else:
        _print(loaded, result.column_names, result.result_rows)
        if not result.result_rows:
            echo(_empty_text(loaded, dict(values)))
        for line in (*citations, f"Cite as: {citation.text()}"):
            echo(line)


def _require_names(client: Client, parameters: Mapping[str, str | list[str]]) -> None:
    """Raise `UsageError` for a model, organisation or baseline that does not exist."""
    for parameter, value in parameters.items():
        if parameter in _KINDS:
            names = [value] if isinstance(value, str) else value
            require_known(client, _KINDS[parameter], names, parameter)


def _citations(
    client: Client, cited: Chart, values: Mapping[str, str]
) -> tuple[Citation, list[str]]:
    """Return the citation of a chart, and those of its sources."""
    rows = client.query(
        "SELECT title, licence, as_of, citation FROM sources "
        "WHERE source IN {names:Array(String)} ORDER BY source",
        parameters={"names": list(cited.sources)},
    ).result_rows
    # Without a zone: the column is UTC.
    times = [at.replace(tzinfo=None) for _, _, at, _ in rows if at is not None]
    as_of = f"{max(times).isoformat(timespec='milliseconds')}Z" if times else None
    chosen = ", ".join(f"{name}={value}" for name, value in values.items())
    figures = f"chart {cited.name} ({chosen})" if chosen else f"chart {cited.name}"
    sources = [CitedSource(title, licence) for title, licence, _, _ in rows]
    return Citation(figures, as_of, sources), [citation for *_, citation in rows]


def _by_name(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise ChartError(f"{name} is set twice: {values[name]!r} and {value!r}")
        values[name] = value
    return values


def _list(charts: dict[str, Chart]) -> None:
    width = max(len(name) for name in charts)
    for listed in charts.values():
        click.echo(f"{listed.name:{width}}  {listed.title}")


def _print(shown: Chart, names: Sequence[str], rows: Sequence[Any]) -> None:
    out = console()
    # A time series ends with the latest rows; a ranking starts with the first places.
    over_time = bool(rows) and isinstance(rows[0][0], date)
    some = rows[-MAX_TABLE_ROWS:] if over_time else rows[:MAX_TABLE_ROWS]
    columns = (
        [
            Column(name, right=is_number, wraps=not is_number)
            for name, is_number in zip(names, map(_is_number, zip(*some, strict=True)), strict=True)
        ]
        if some
        else [Column(name, wraps=True) for name in names]
    )
    cells = [[_cell(name, value) for name, value in zip(names, row, strict=True)] for row in some]
    out.print(sentences(shown.title, out.width, "bold"), fitting(columns, cells, out.width))
    if len(rows) > MAX_TABLE_ROWS:
        which = "last" if over_time else "first"
        out.print(
            f"The {which} {MAX_TABLE_ROWS} of {count_text(len(rows))} rows; "
            "--format csv prints all of them."
        )


def _is_number(values: Iterable[Any]) -> bool:
    return any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _empty_text(empty: Chart, values: dict[str, str]) -> str:
    filters = [
        f"{parameter.name}={values[parameter.name]} ({parameter.description})"
        for parameter in empty.parameters
        if parameter.name in values
    ]
    return f"No rows for {'; '.join(filters)}." if filters else "No rows yet."


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count_text(value)
    if not isinstance(value, float):
        return str(value)
    if column == "ram":
        return ram_text(value)
    return share_text(value) if "share" in column or column in _SHARES else decimal_text(value)


def _as_csv(columns: Iterable[str], rows: Iterable[Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow("" if value is None else value for value in row)
    return text.getvalue()


def _json_value(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"cannot convert {type(value).__name__} to JSON")
