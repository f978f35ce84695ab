"""Groups of commands that name the nearest command to one that does not exist."""

import click

from breakout.nearest import did_you_mean, nearest


class NamingGroup(click.Group):
    """A group of commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments begin with. Raises `UsageError` without one."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            meant = did_you_mean(nearest(name, self.list_commands(ctx)))
            ctx.fail(f"No such command {name!r}. {meant}".rstrip())
        return super().resolve_command(ctx, args)
