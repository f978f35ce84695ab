"""docs/commands.md."""

import inspect
from collections.abc import Iterator

import click

from breakout.cli.main import cli
from tools.reference.markdown import code, page, table


def commands_page() -> str:
    """Return the page: every command that `breakout --help` lists, with its options."""
    context = click.Context(cli, info_name="breakout")
    return page(
        "Commands",
        "Settings come from the environment, see [settings.md](settings.md). `breakout` ends "
        "with 0 = done, 1 = failed, 2 = wrong usage, 130 = interrupted, unless a command says "
        "otherwise.",
        *_blocks(cli, context),
    )


def _blocks(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}"
    yield f"```\n{_usage(command, context)}\n```"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    options = [
        (", ".join(code(name) for name in (*option.opts, *option.secondary_opts)), _help(option))
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    if options:
        yield table(("Option", "Meaning"), options)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _blocks(inner, click.Context(inner, parent=context, info_name=name))


def _usage(command: click.Command, context: click.Context) -> str:
    return " ".join([context.command_path, *command.collect_usage_pieces(context)])


def _help(option: click.Option) -> str:
    text = option.help or ""
    if isinstance(option.type, click.Choice):
        text += f" One of {', '.join(code(str(choice)) for choice in option.type.choices)}."
    if isinstance(option.default, (str, int, float)) and not isinstance(option.default, bool):
        text += f" Default: {code(str(option.default))}."
    return text.strip()
