"""`breakout status`: whether every part is up and up to date."""

import json
from datetime import UTC, datetime

import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from breakout.cli.console import console
from breakout.cli.start import start
from breakout.observability.health import Part, read_health
from breakout.observability.printable import printable, printable_json


@click.command()
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)
@click.pass_context
def status(context: click.Context, *, style: str) -> None:
    """Tell of every part whether it is up and up to date; exit code 1 when one is not.

    Wrong are: a server that does not answer, a schema that is not this program's, a part that
    missed three heartbeats, records that wait for more than 5 minutes, dead letters of the last
    day, and data older than three scrapes (BREAKOUT_SCRAPE_SECONDS).
    """
    settings = start()
    parts = read_health(settings)
    if style == "json":
        click.echo(_as_json(parts))
    else:
        console().print(as_table(parts))
    context.exit(0 if all(part.ok for part in parts) else 1)


def _as_json(parts: list[Part]) -> str:
    told = {
        "ok": all(part.ok for part in parts),
        "checked_at": datetime.now(UTC),
        "parts": [
            {
                "part": part.name,
                "ok": part.ok,
                "state": part.state,
                "detail": part.detail,
                **part.facts,
            }
            for part in parts
        ],
    }
    text = json.dumps(
        told,
        default=lambda value: value.isoformat(timespec="milliseconds"),
        ensure_ascii=False,
        indent=2,
    )
    return printable_json(text)


def as_table(parts: list[Part]) -> Group:
    """Return the status for a person."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("part", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("detail", overflow="fold")
    for part in parts:
        mark = Text("ok", style="green") if part.ok else Text("!!", style="bold red")
        table.add_row(
            mark, *(Text(printable(cell)) for cell in (part.name, part.state, part.detail))
        )
    wrong = sum(not part.ok for part in parts)
    verdict = f"{wrong} of {len(parts)} need attention" if wrong else "all is well"
    return Group(table, Text(verdict, style="bold"))
