"""`breakout status`: checks every part of the system."""

import json
from datetime import UTC, datetime

import click
from rich.console import Group
from rich.text import Text

from breakout.cli.console import console, format_option
from breakout.cli.start import start
from breakout.cli.tables import Column, fitting
from breakout.observability.health import Part, read_health
from breakout.observability.printable import printable_json


@click.command()
@format_option("table", "json")
@click.pass_context
def status(context: click.Context, *, style: str) -> None:
    """Check that every part runs and is up to date; exit code 1 if one does not.

    It fails for a server that does not respond, a schema of another version, a part that missed
    three heartbeats, a lag of more than 5 minutes, dead letters of the last day, and data older
    than three scrapes (BREAKOUT_SCRAPE_SECONDS). It says, without failing, when a hub has not
    renewed half of the counters of busy models of one age, or let a tenth of them fall (the view
    counter_alarms).
    """
    settings = start()
    parts = read_health(settings)
    if style == "json":
        click.echo(_as_json(parts))
    else:
        out = console()
        out.print(as_table(parts, out.width))
    context.exit(0 if all(part.ok for part in parts) else 1)


def _as_json(parts: list[Part]) -> str:
    record = {
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
        record,
        default=lambda value: value.isoformat(timespec="milliseconds"),
        ensure_ascii=False,
        indent=2,
    )
    return printable_json(text)


def as_table(parts: list[Part], width: int) -> Group:
    """Return the status as a table for a terminal of so many columns."""
    columns = [Column(""), Column("part"), Column("state"), Column("detail", wraps=True)]
    rows: list[list[str | Text]] = [
        [
            Text("ok", style="green") if part.ok else Text("!!", style="bold red"),
            part.name,
            part.state,
            part.detail,
        ]
        for part in parts
    ]
    failed = sum(not part.ok for part in parts)
    summary = f"{failed} of {len(parts)} need attention" if failed else "all parts are healthy"
    return Group(fitting(columns, rows, width), Text(summary, style="bold"))
