"""`breakout baseline`: freezes the live baseline under a name, and lists baselines."""

import json
import re
from datetime import UTC, datetime

import click
from clickhouse_connect.driver.client import Client

from breakout.cli.console import console, format_option
from breakout.cli.errors import CommandFailedError
from breakout.cli.groups import NamingGroup
from breakout.cli.leaderboard import known_baselines
from breakout.cli.start import start
from breakout.cli.tables import Column, fitting
from breakout.clickhouse.client import reader_client, writer_client
from breakout.clickhouse.errors import explained
from breakout.numbers import count_text

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = "live"


@click.group(cls=NamingGroup)
def baseline() -> None:
    """Freeze the live baseline under a name, or list all baselines."""


@baseline.command()
@click.argument("name")
def freeze(name: str) -> None:
    """Copy the current live baseline under NAME, for RAM that can be cited.

    A frozen baseline never changes, and its name cannot be used again.
    """
    if not NAME.fullmatch(name):
        raise CommandFailedError(
            f"invalid name of a baseline {name!r}: use at most 64 letters, digits, '.', '_' and "
            "'-', starting with a letter or digit, for example 2026-Q4"
        )
    if name.lower().startswith(RESERVED):
        raise CommandFailedError(
            f"invalid name of a baseline {name!r}: names that start with 'live' are reserved"
        )
    settings = start()
    client = writer_client(settings)
    with explained(settings):
        if name in known_baselines(client):
            raise CommandFailedError(
                f"the baseline {name!r} already exists and cannot be changed: choose another name"
            )
        values = _values(client).get("live", (0, None))[0]
        if not values:
            raise CommandFailedError(
                "cannot freeze the live baseline: it has no values yet, which need ten tracked "
                "models of one size bin at the same age"
            )
        # Rows first: the baseline is visible by its name, and then complete.
        client.command(
            """
            INSERT INTO baselines_log
                (baseline, size_bin, age_days, peers, downloads, as_of, version)
            SELECT {name:String}, size_bin, age_days, peers, downloads, as_of, version
            FROM baselines_log FINAL
            WHERE baseline = 'live' AND peers > 0
            """,
            parameters={"name": name},
        )
        client.insert(
            "frozen_baselines",
            [[name, datetime.now(UTC), "live"]],
            column_names=["baseline", "frozen_at", "method"],
        )
    click.echo(f"froze the live baseline as {name}: {values:,} values")


@baseline.command(name="list")
@format_option("table", "json")
def list_baselines(*, style: str) -> None:
    """List the baselines with the number of their values and their dates."""
    settings = start()
    client = reader_client(settings)
    with explained(settings):
        frozen = client.query("SELECT baseline, frozen_at FROM frozen_baselines FINAL").result_rows
        values = _values(client)
        names = known_baselines(client)
    frozen_at_of = {str(name): frozen_at for name, frozen_at in frozen}
    rows = [(name, *values.get(name, (0, None)), frozen_at_of.get(name)) for name in names]
    if style == "json":
        fields = ("baseline", "values", "as_of", "frozen_at")
        records = [dict(zip(fields, row, strict=True)) for row in rows]
        click.echo(json.dumps(records, default=datetime.isoformat, indent=2))
        return
    columns = [
        Column("baseline", wraps=True),
        Column("values", right=True),
        Column("as of (UTC)"),
        Column("frozen at (UTC)"),
    ]
    shown = [
        [name, count_text(count), _minute(as_of), _minute(frozen_at)]
        for name, count, as_of, frozen_at in rows
    ]
    out = console()
    out.print(fitting(columns, shown, out.width))


def _values(client: Client) -> dict[str, tuple[int, datetime | None]]:
    """Return for each baseline the number of its values, and as of when."""
    rows = client.query(
        "SELECT baseline, countIf(downloads IS NOT NULL), max(as_of) "
        "FROM baselines GROUP BY baseline"
    ).result_rows
    return {name: (values, as_of) for name, values, as_of in rows}


def _minute(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else ""
