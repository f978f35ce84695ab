"""`breakout replay`: collector runs at given times, many in one process.

A process for each of hundreds of runs would take longer to start than to run. Each line of
standard input is a request `SOURCE ISO8601`, each line of standard output a response in JSON.
"""

import contextlib
import json
import sys

import click

from breakout.cli.plugins import load_plugin

COMPLETE_OR_PARTIAL = frozenset({0, 3})


@click.command(hidden=True)
def replay() -> None:
    """Run `breakout collect SOURCE --once --observed-at ISO8601` for every line."""
    collect = load_plugin("collect")
    for line in sys.stdin:
        source, _, observed_at = line.strip().partition(" ")
        # Other output of the collector would mix with the responses.
        with contextlib.redirect_stdout(sys.stderr):
            error = _collect(collect, source, observed_at)
        click.echo(json.dumps({"source": source, "observed_at": observed_at, "error": error}))


def _collect(collect: click.Command, source: str, observed_at: str) -> str | None:
    arguments = [source, "--once", "--observed-at", observed_at]
    try:
        code = collect.main(arguments, prog_name="collect", standalone_mode=False)
    except click.ClickException as error:
        return error.format_message()
    return None if (code or 0) in COMPLETE_OR_PARTIAL else f"exit code {code}"
