"""`python -m bench`: everything in one run on this machine, ending with one table.

Ratios first, then what they are made of. Nothing is written but `--json FILE`.
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
from bench.figures import Figure, Ratio, ratios, said
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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    chosen = parser.parse_args()
    if chosen.json and not chosen.json.parent.is_dir():
        parser.error(f"--json: the folder of {chosen.json} does not exist")
    # Told to stop is told to stop, however: the processes under measurement end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What clients log of servers that are still starting is no news here.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    console = PlainConsole(width=None if sys.stdout.isatty() else 160)
    about = machine.described(broker.described())
    found: list[Figure] = []
    code = 0
    try:
        measure(chosen.only or list(SECTIONS), FULL, found, console)
    except KeyboardInterrupt:
        console.print("stopped: the table has what was measured until then")
        code = 130
    found = [*ratios(RATIOS, found), *found]
    console.print(table(found))
    console.print(", ".join(f"{name}: {what}" for name, what in about.items()), style="dim")
    if chosen.json:
        result = {"machine": about, "figures": [one.as_json() for one in found]}
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")
    return code


def measure(names: list[str], sizes: Sizes, found: list[Figure], console: PlainConsole) -> None:
    """Run sections; `found` gets each figure as soon as it is there."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        for name in names:
            task = progress.add_task(name, total=None)

            def say(what: str, name: str = name, task: object = task) -> None:
                progress.update(task, description=f"{name}: {what}")  # type: ignore[arg-type]

            try:
                for figure in SECTIONS[name](sizes, say):
                    found.append(figure)
                    progress.console.print(f"{figure.section}: {figure.name}: {value(figure)}")
            except (AssertionError, OSError, RuntimeError) as error:
                # One section's trouble is a row; the others are measured all the same.
                found.append(Figure(name, "not finished", None, "", str(error)))
                progress.console.print(f"{name}: not finished: {error}")
            progress.remove_task(task)


def table(figures: list[Figure]) -> Table:
    """Return the figures as a table, section by section."""
    shown = Table()
    shown.add_column("")
    shown.add_column("measured", justify="right")
    shown.add_column("aim", justify="right")
    shown.add_column("")
    shown.add_column("how", overflow="fold")
    section = None
    for one in figures:
        if one.section != section:
            shown.add_section()
            shown.add_row(Text(one.section, style="bold"))
            section = one.section
        met = {None: Text(""), True: Text("met", "green"), False: Text("missed", "red")}[one.met]
        aim = "" if one.aim is None else f"{one.aim} {one.unit}"
        shown.add_row(f"  {one.name}", value(one), aim, met, one.note)
    return shown


def value(figure: Figure) -> str:
    """Return a figure's number with its unit."""
    return "-" if figure.value is None else f"{said(figure.value)} {figure.unit}"


if __name__ == "__main__":
    sys.exit(main())
