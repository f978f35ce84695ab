"""The command `breakout`: finds the commands and turns errors into one clear line.

Commands are imported when they are run, so that `breakout --help` answers at once. Those that
collect and stream plug in by the entry-point group `breakout.commands`.
"""

import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from breakout.cli.extras import what_to_install
from breakout.cli.groups import NamingGroup
from breakout.cli.plugins import load_plugin, plugins

INTERRUPTED = 130

# By name: where the command is, and its line of help, which spares its import.
OWN = {
    "up": ("breakout.cli.up:up", "Run everything on this machine, on live sources."),
    "demo": ("breakout.cli.demo:demo", "Watch a real season of launches in a minute or two."),
    "top": ("breakout.cli.top:top", "Show the leaderboard of relative adoption."),
    "chart": ("breakout.cli.chart:chart", "Show the numbers behind a chart, or list the charts."),
    "status": ("breakout.cli.status:status", "Check that every part runs and is up to date."),
    "baseline": (
        "breakout.cli.baseline:baseline",
        "Freeze the live baseline, or list all baselines.",
    ),
    "migrate": ("breakout.cli.migrate:migrate", "Bring the database's schema up to date."),
    "embedded": ("breakout.cli.embedded:embedded", "Run only the embedded Kafka and ClickHouse."),
}
HIDDEN = {
    "replay": "breakout.cli.replay:replay",
    "simulation": "breakout.simulation.__main__:main",
}
PLUGIN_HELP = {
    "collect": "Read a source and publish its data to Kafka.",
    "worker": "Compute downloads, RAM and breakouts from the collected data.",
    "backfill": "Publish history from before the first scrape.",
    "api": "Serve the HTTP API for researchers.",
}


@dataclass
class Options:
    """Options of the group, for `main`."""

    debug: bool = False


class Commands(NamingGroup):
    """The commands, each imported when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, plugins last."""
        del ctx
        return [*OWN, *sorted(set(plugins()) - set(OWN))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        where = OWN[cmd_name][0] if cmd_name in OWN else HIDDEN.get(cmd_name)
        if where is None:
            return load_plugin(cmd_name) if cmd_name in plugins() else None
        module, _, attribute = where.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C ends every one alike."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            # click itself would print an empty line.
            raise click.exceptions.Exit(_interrupted()) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        lines = {name: text for name, (_, text) in OWN.items()} | PLUGIN_HELP
        rows = [(name, lines.get(name, "")) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings come from environment variables: KAFKA_BOOTSTRAP_SERVERS, "
    "CLICKHOUSE_URL, HF_TOKEN and others; README.md lists them.",
)
@click.version_option(package_name="breakout-adoption", prog_name="breakout")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--with-parent", is_flag=True, hidden=True, help="Exit when standard input is closed."
)
@click.pass_context
def cli(context: click.Context, *, debug: bool, with_parent: bool) -> None:
    """Measure, live, which open-weight language models people really adopt."""
    context.ensure_object(Options).debug = debug
    if with_parent:
        from breakout.processes.parent import end_with_parent  # noqa: PLC0415

        end_with_parent()


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 invalid usage, 130 interrupted."""
    options = Options()
    try:
        code = cli.main(prog_name="breakout", standalone_mode=False, obj=options)
    except click.ClickException as error:
        from breakout.cli.errors import without_secrets  # noqa: PLC0415

        # It may quote a source, and a source may echo a secret that it was sent.
        error.message = without_secrets(error.message)
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_interrupted())
    except BrokenPipeError:
        # The process that reads our output (`| head`) has exited: not an error.
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the last handler
        _explain(error, debug=options.debug)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted() -> int:
    """Print that Ctrl-C ended the command, in one line; returns the exit code."""
    # A terminal shows ^C where the cursor is.
    start = "\n" if sys.stderr.isatty() else ""
    click.echo(f"{start}breakout: interrupted", err=True)
    return INTERRUPTED


def _explain(error: Exception, *, debug: bool) -> None:
    if missing := what_to_install(error):
        click.echo(f"breakout: {missing}", err=True)
        return
    from breakout.cli.errors import one_line, without_secrets  # noqa: PLC0415

    if debug:
        click.echo(without_secrets("".join(traceback.format_exception(error))), err=True)
    click.echo(f"breakout: {one_line(error)}", err=True)
