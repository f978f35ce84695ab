"""`python -m bench`: run all benchmarks on this machine, and print one table.

Ratios first, then the figures behind them. Writes no files except with `--json FILE`.
"""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bench import (
    backfill,
    broker,
    dashboards,
    growth,
    latency,
    machine,
    readers,
    recovery,
    restating,
    snapshot,
    throughput,
)
from bench.figures import Figure, Ratio, formatted, ratios
from bench.sizes import FULL, Sizes
from breakout.cli.console import PlainConsole

Section = Callable[[Sizes, Callable[[str], None]], Iterator[Figure]]
SECTIONS: dict[str, Section] = {
    module.NAME: module.figures
    for module in (
        throughput,
        latency,
        growth,
        recovery,
        restating,
        backfill,
        snapshot,
        dashboards,
        readers,
    )
}
RATIOS: tuple[Ratio, ...] = (*throughput.RATIOS, *growth.RATIOS, *readers.RATIOS)


def main() -> int:
    """Run the chosen sections and print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        choices=SECTIONS,
        action="append",
        metavar="NAME",
        help=f"one of: {', '.join(SECTIONS)}; may be given several times",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write figures to FILE")
    chosen = parser.parse_args()
    if chosen.json and not chosen.json.parent.is_dir():
        parser.error(f"--json: the folder of {chosen.json} does not exist")
    # SIGTERM stops the run like Ctrl-C, so that the measured processes end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Clients log errors while servers start.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = PlainConsole(width=None if sys.stdout.isatty() else 160)
    about = machine.description(broker.description())
    found: list[Figure] = []
    code = 0
    try:
        measure(chosen.only or list(SECTIONS), FULL, found, console)
    except KeyboardInterrupt:
        console.print("stopped: the table has the figures measured so far")
        code = 130
    found = [*ratios(RATIOS, found), *found]
    console.print(table(found))
    console.print(", ".join(f"{name}: {value}" for name, value in about.items()), style="dim")
    if chosen.json:
        result = {"machine": about, "figures": [one.as_json() for one in found]}
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")
    return code


def measure(names: list[str], sizes: Sizes, found: list[Figure], console: PlainConsole) -> None:
    """Run sections; adds each figure to `found` as soon as it is measured."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for name in names:
            task = progress.add_task(name, total=None)

            def report(step: str, name: str = name, task: object = task) -> None:
                progress.update(task, description=f"{name}: {step}")  # type: ignore[arg-type]

            try:
                for figure in SECTIONS[name](sizes, report):
                    found.append(figure)
                    progress.console.print(f"{figure.section}: {figure.name}: {value(figure)}")
            except (AssertionError, OSError, RuntimeError) as error:
                # An error is a row of the table; the other sections still run.
                found.append(Figure(name, "not finished", None, "", str(error)))
                progress.console.print(f"{name}: not finished: {error}")
            progress.remove_task(task)


def table(figures: list[Figure]) -> Table:
    """Return the figures as a table, section by section."""
    shown = Table()
    shown.add_column("")
    shown.add_column("measured", justify="right")
    shown.add_column("target", justify="right")
    shown.add_column("")
    shown.add_column("how", overflow="fold")
    section = None
    for one in figures:
        if one.section != section:
            shown.add_section()
            shown.add_row(Text(one.section, style="bold"))
            section = one.section
        met = {None: Text(""), True: Text("met", "green"), False: Text("missed", "red")}[one.met]
        target = "" if one.target is None else f"{one.target} {one.unit}"
        shown.add_row(f"  {one.name}", value(one), target, met, one.note)
    return shown


def value(figure: Figure) -> str:
    """Return a figure's number with its unit."""
    return "-" if figure.value is None else f"{formatted(figure.value)} {figure.unit}"


if __name__ == "__main__":
    sys.exit(main())
