"""Processes end when their standard input does, whatever program they run."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

SLEEP = "print(os.getpid(), flush=True); time.sleep(600)"
IGNORE = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
IMPORTS = "import os, signal, sys, time; from breakout.processes import parent; "
SHORT_GRACE = "parent.GRACE_SECONDS = 0.2; "
HERE = f"{IMPORTS}{SHORT_GRACE}parent.end_with_parent(); "
AFTER_EXEC = (
    f"{IMPORTS}{SHORT_GRACE}parent.end_with_parent_after_exec(); "
    "os.execv(sys.executable, [sys.executable, '-c', 'import os, signal, time; ' + sys.argv[1]])"
)


@pytest.fixture(params=["thread", "exec"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """Runs the code of its last argument, tied to its parent."""
    if request.param == "thread":
        return [sys.executable, "-c", HERE + "exec(sys.argv[1])"]
    return [sys.executable, "-c", AFTER_EXEC]


@pytest.fixture
def start(command: list[str]) -> Iterator["Start"]:
    started = Start(command)
    yield started
    for process in started.processes:
        process.kill()
        with process:  # closes its pipes
            pass


class Start:
    def __init__(self, command: list[str]) -> None:
        self._command = command
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, code: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [*self._command, code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.processes.append(process)
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        return process


def end_of_input(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdin is not None
    process.stdin.close()
    return process.wait(60)


def test_end_of_input_is_sigterm(start: Start) -> None:
    assert end_of_input(start(SLEEP)) == -signal.SIGTERM


def test_process_that_ignores_sigterm_is_killed(start: Start) -> None:
    assert end_of_input(start(IGNORE + SLEEP)) == -signal.SIGKILL


def test_input_before_the_end_is_ignored(start: Start) -> None:
    process = start(SLEEP)
    assert process.stdin is not None
    process.stdin.write(b"more\n")
    process.stdin.flush()
    assert process.poll() is None
    assert end_of_input(process) == -signal.SIGTERM


def test_nothing_is_left_of_a_killed_process(start: Start) -> None:
    """The process that watches in place of another program ends with it."""
    process = start(SLEEP)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    end_of_input(process)
    wait_until("no process is left", lambda: not any(map(_runs, children)))


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True
