"""`breakout chart`: the rows of a chart."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

import click
from rich.table import Table

from breakout.cli.console import console, echo, echo_data, format_option
from breakout.cli.start import start
from breakout.clickhouse.charts import Chart, ChartError, load_chart, load_charts
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.errors import explained

MAX_TABLE_ROWS = 40


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
        result = client.query(loaded.sql, parameters=parameters)
        sources = client.query(
            "SELECT citation FROM sources WHERE source IN {names:Array(String)} ORDER BY source",
            parameters={"names": list(loaded.sources)},
        )
    citations = [citation for (citation,) in sources.result_rows]
    if style == "json":
        rows = [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
        record = {"chart": name, "title": loaded.title, "rows": rows, "sources": citations}
        click.echo(json.dumps(record, default=_json_value, indent=2))
    elif style == "csv":
        echo_data(_as_csv(result.column_names, result.result_rows))
    else:
        _print(loaded, result.column_names, result.result_rows)
        if not result.result_rows:
            echo(_empty_text(loaded, dict(values)))
        for citation in citations:
            echo(citation)


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


def _print(shown: Chart, columns: Iterable[str], rows: Sequence[Any]) -> None:
    out = console()
    table = Table(title=shown.title, title_justify="left")
    for column in columns:
        # Wrapped when too narrow: an ellipsis would hide how model names differ.
        table.add_column(column, overflow="fold")
    # A time series ends with the latest rows; a ranking starts with the first places.
    over_time = bool(rows) and isinstance(rows[0][0], date)
    for row in rows[-MAX_TABLE_ROWS:] if over_time else rows[:MAX_TABLE_ROWS]:
        table.add_row(*("" if value is None else _cell(value) for value in row))
    out.print(table)
    if len(rows) > MAX_TABLE_ROWS:
        which = "last" if over_time else "first"
        out.print(
            f"The {which} {MAX_TABLE_ROWS} of {len(rows):,} rows; --format csv prints all of them."
        )


def _empty_text(empty: Chart, values: dict[str, str]) -> str:
    filters = [
        f"{parameter.name}={values[parameter.name]} ({parameter.description})"
        for parameter in empty.parameters
        if parameter.name in values
    ]
    return f"No rows for {'; '.join(filters)}." if filters else "No rows yet."


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


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
