"""Commands that other packages plug in by the entry-point group `breakout.commands`."""

from importlib.metadata import EntryPoint, entry_points

import click

GROUP = "breakout.commands"


def plugins() -> dict[str, EntryPoint]:
    """Return what is plugged in by the name of its command, not yet imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_plugin(name: str) -> click.Command:
    """Import a command. Raises `ClickException` for one that is missing or none."""
    point = plugins().get(name)
    if point is None:
        raise click.ClickException(f"{name}: no such command is installed")
    command = point.load()
    if not isinstance(command, click.Command):
        raise click.ClickException(f"{name}: {point.value} is not a click command")
    return command
