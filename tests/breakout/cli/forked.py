"""Runs the command line in processes that are forked from one with everything imported.

A process of its own for every run, as for a person, without paying for the imports each time.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.breakout.cli.preloaded"])


def run_breakout(
    arguments: list[str], environment: Mapping[str, str], timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Run `breakout` with these arguments and this environment."""
    with tempfile.TemporaryDirectory() as directory:
        out, err = Path(directory, "out"), Path(directory, "err")
        process = _CONTEXT.Process(
            target=_main, args=(arguments, dict(environment), str(out), str(err))
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["breakout", *arguments], timeout)
        code = process.exitcode if process.exitcode is not None else -1
        return subprocess.CompletedProcess(
            ["breakout", *arguments], code, out.read_text(), err.read_text()
        )


def _main(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(REPOSITORY)
    for number, name in ((1, out), (2, err)):
        file = os.open(name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = open(1, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, encoding="utf-8")  # noqa: SIM115
    sys.argv = ["breakout", *arguments]
    from breakout.cli.main import main

    main()
