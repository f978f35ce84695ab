"""Commands that other packages plug in by the entry-point group `breakout.commands`."""

from importlib.metadata import EntryPoint, entry_points

import click

GROUP = "breakout.commands"


def plugins() -> dict[str, EntryPoint]:
    """Return the plugins by the name of their command, without importing them."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_plugin(name: str) -> click.Command:
    """Import a command. Raises `ClickException` if it is missing or not a command."""
    point = plugins().get(name)
    if point is None:
        raise click.ClickException(f"the command {name} is not installed")
    command = point.load()
    if not isinstance(command, click.Command):
        raise click.ClickException(f"{name}: {point.value} is not a click command")
    return command
