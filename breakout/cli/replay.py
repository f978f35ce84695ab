"""`breakout replay`: collects again and again in one process, as of the moments it is given.

Starting a process for each of hundreds of runs would take longer than the runs. For programs:
each line of standard input is `SOURCE ISO8601`, each answer one line of JSON.
"""

import contextlib
import json
import sys

import click

from breakout.cli.plugins import load_plugin

COMPLETE_OR_IN_PART = frozenset({0, 3})


@click.command(hidden=True)
def replay() -> None:
    """Run `breakout collect SOURCE --once --observed-at ISO8601` for every line."""
    collect = load_plugin("collect")
    for line in sys.stdin:
        source, _, observed_at = line.strip().partition(" ")
        # What the collector says to a person would come between the answers.
        with contextlib.redirect_stdout(sys.stderr):
            error = _collect(collect, source, observed_at)
        click.echo(json.dumps({"source": source, "observed_at": observed_at, "error": error}))


def _collect(collect: click.Command, source: str, observed_at: str) -> str | None:
    arguments = [source, "--once", "--observed-at", observed_at]
    try:
        code = collect.main(arguments, prog_name="collect", standalone_mode=False)
    except click.ClickException as error:
        return error.format_message()
    return None if (code or 0) in COMPLETE_OR_IN_PART else f"exit code {code}"
