"""What the commands print: nothing from outside is markup or obeyed by a terminal."""

import io
import sys

import pytest
from rich.table import Table
from rich.text import Text

from breakout.cli.console import PlainConsole, echo, echo_data
from breakout.cli.errors import CommandFailedError, one_line
from breakout.observability.printable import printable

HOSTILE = "evil/[/b]x[red]y:smile: \x1b[31m\x9b1m\u202ekcab"
ESCAPED = r"evil/[/b]x[red]y:smile: \x1b[31m\x9b1m\u202ekcab"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_string_of_a_table_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    table = Table(HOSTILE, title=HOSTILE)
    table.add_row(HOSTILE)
    table.add_row(Text(printable(HOSTILE), style="bold red"))
    console = PlainConsole(width=200)
    console.print(table, HOSTILE, Text(HOSTILE))
    assert out.getvalue().count(ESCAPED) == 6
    assert HOSTILE not in out.getvalue()


def test_styles_of_ours_reach_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out := Terminal())
    PlainConsole(width=200).print(Text(HOSTILE, style="bold"))
    assert out.getvalue() == f"\x1b[1m{ESCAPED}\x1b[0m\n"


def test_data_are_left_alone_for_a_program_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    # click itself leaves out colours.
    without = HOSTILE.replace("\x1b[31m", "")
    echo_data(without)
    echo(HOSTILE)
    assert out.getvalue() == f"{without}{ESCAPED}\n"
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    echo_data(HOSTILE)
    assert terminal.getvalue() == ESCAPED


def test_an_error_repeats_no_control_character() -> None:
    assert one_line(CommandFailedError(HOSTILE)) == ESCAPED
    assert one_line(RuntimeError("a\nb\x00")).startswith(r"unexpected RuntimeError: a b\x00 (")
