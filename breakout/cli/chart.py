"""`breakout chart`: the numbers behind every chart of the mission."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

import click
from rich.table import Table

from breakout.cli.console import console, echo, echo_data
from breakout.cli.start import start
from breakout.clickhouse.charts import Chart, ChartError, load_chart, load_charts
from breakout.clickhouse.client import explained, reader_client

SHOWN = 40


class _Choice(click.ParamType):
    name = "NAME=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, chosen = str(value).partition("=")
        if not equals or not name:
            self.fail(f"must be NAME=VALUE, got {value!r}", param, ctx)
        return name, chosen


@click.command()
@click.argument("name", required=False)
@click.option("--set", "chosen", type=_Choice(), multiple=True, help="Choose a parameter's value.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
def chart(*, name: str | None, chosen: tuple[tuple[str, str], ...], style: str) -> None:
    """Show the numbers of chart NAME, or list the charts.

    docs/charts.md has each chart's SQL, parameters and columns.
    """
    if name is None:
        _list(load_charts())
        return
    settings = start()
    try:
        wanted = load_chart(name)
        parameters = wanted.values(_by_name(chosen))
    except ChartError as error:
        raise click.UsageError(str(error)) from None
    with explained(settings), closing(reader_client(settings)) as client:
        answer = client.query(wanted.sql, parameters=parameters)
        cited = client.query(
            "SELECT citation FROM sources WHERE source IN {names:Array(String)} ORDER BY source",
            parameters={"names": list(wanted.sources)},
        )
    citations = [citation for (citation,) in cited.result_rows]
    if style == "json":
        rows = [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]
        told = {"chart": name, "title": wanted.title, "rows": rows, "sources": citations}
        click.echo(json.dumps(told, default=_written, indent=2))
    elif style == "csv":
        echo_data(_as_csv(answer.column_names, answer.result_rows))
    else:
        _print(wanted, answer.column_names, answer.result_rows)
        if not answer.result_rows:
            echo(_why_empty(wanted, dict(chosen)))
        for citation in citations:
            echo(citation)


def _by_name(chosen: tuple[tuple[str, str], ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in chosen:
        if name in values:
            raise ChartError(f"{name} is set twice: {values[name]!r} and {value!r}")
        values[name] = value
    return values


def _list(charts: dict[str, Chart]) -> None:
    width = max(len(name) for name in charts)
    for one in charts.values():
        click.echo(f"{one.name:{width}}  {one.title}")


def _print(wanted: Chart, columns: Iterable[str], rows: Sequence[Any]) -> None:
    out = console()
    table = Table(title=wanted.title, title_justify="left")
    for column in columns:
        # Too narrow, it goes on below: three dots would lose what tells models apart.
        table.add_column(column, overflow="fold")
    # Over time the latest are last; a ranking has its first places first.
    over_time = bool(rows) and isinstance(rows[0][0], date)
    for row in rows[-SHOWN:] if over_time else rows[:SHOWN]:
        table.add_row(*("" if value is None else _shown(value) for value in row))
    out.print(table)
    if len(rows) > SHOWN:
        which = "last" if over_time else "first"
        out.print(f"The {which} {SHOWN} of {len(rows):,} rows; --format csv has them all.")


def _why_empty(wanted: Chart, chosen: dict[str, str]) -> str:
    said = [
        f"{one.name}={chosen[one.name]} ({one.meaning})"
        for one in wanted.parameters
        if one.name in chosen
    ]
    return f"No numbers with {'; '.join(said)}." if said else "No numbers yet."


def _shown(value: Any) -> str:
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


def _written(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__}")
