"""A missing package is named with the extra that brings it."""

import subprocess
import sys

import pytest

from breakout.cli.extras import what_to_install
from tests.breakout.cli.forked import REPOSITORY


@pytest.mark.parametrize(
    ("module", "needs", "extra"),
    [
        ("rich.table", "the command line needs the package rich", "server"),
        ("chdb", "the embedded Kafka and ClickHouse need the package chdb", "local"),
    ],
)
def test_package_is_named_with_its_extra(module: str, needs: str, extra: str) -> None:
    assert what_to_install(ModuleNotFoundError(name=module)) == (
        f"{needs}, which is not installed: run `pip install 'breakout-adoption[{extra}]'`"
    )


@pytest.mark.parametrize("module", ["breakout.nowhere", "collectors", ""])
def test_module_of_the_project_is_none_of_it(module: str) -> None:
    assert what_to_install(ModuleNotFoundError(name=module)) is None


def test_another_error_is_none_of_it() -> None:
    assert what_to_install(ValueError("no")) is None


@pytest.mark.parametrize(
    ("missing", "arguments", "code", "said"),
    [
        ("rich", ["top"], 1, "needs the package rich"),
        ("fastapi", ["api"], 1, "needs the package fastapi"),
        ("landlockpy", ["embedded"], 1, "[local]'`"),
        ("landlockpy", ["up", "--help"], 0, "Usage: breakout up"),
        ("landlockpy", ["demo", "--help"], 0, "Usage: breakout demo"),
        ("click", ["--help"], 1, "needs the package click"),
    ],
)
def test_command_without_a_package_says_so_in_one_line(
    missing: str, arguments: list[str], code: int, said: str
) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['breakout', *{arguments!r}]\n"
        "from breakout.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    if code:
        assert len(done.stderr.splitlines()) == 1
