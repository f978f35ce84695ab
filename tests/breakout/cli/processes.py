"""Long-running commands of `breakout` as real processes."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

from tests.breakout.cli.forked import REPOSITORY

Answer = TypeVar("Answer")


def eventually(what: str, check: Callable[[], Answer], seconds: float = 90) -> Answer:
    """Return the first true answer of `check`."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.1)
    return answer


class Running:
    """A running command and what it has written so far, both outputs together."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, text: str, seconds: float = 90) -> None:
        """Wait until it has said this."""

        def check() -> bool:
            assert self.process.poll() is None or text in self.said, self.said
            return text in self.said

        eventually(text, check, seconds)

    def children(self) -> dict[int, str]:
        """Return the living processes below this one: command lines by process id."""
        return descendants(self.process.pid)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running(
    *arguments: str, environment: Mapping[str, str], log: Path, terminal: bool = False
) -> Iterator[Running]:
    """Run `breakout` until the end of the block, and nothing of it after that.

    With `terminal`, its inputs and outputs are a terminal that somebody sits at.
    """
    with ExitStack() as stack:
        inner: int = subprocess.DEVNULL
        output = outer = stack.enter_context(log.open("wb")).fileno()
        if terminal:
            outer, inner = pty.openpty()
            stack.callback(os.close, inner)
            output = inner
        process = subprocess.Popen(
            [sys.executable, "-m", "breakout", *arguments],
            cwd=REPOSITORY,
            env=dict(environment),
            stdin=inner,
            stdout=output,
            stderr=output,
        )
    if terminal:
        Thread(target=_copy, args=(outer, log), daemon=True).start()
    command = Running(process, log)
    below: dict[int, str] = {}
    try:
        yield command
    finally:
        below = command.children()
        process.kill()
        process.wait()
        for pid in below:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def _copy(terminal: int, log: Path) -> None:
    """Copy what is written to a terminal, until nobody has it any more."""
    with log.open("ab", buffering=0) as output, suppress(OSError):
        while written := os.read(terminal, 65536):
            output.write(written)
    os.close(terminal)


def descendants(pid: int) -> dict[int, str]:
    """Return the living processes below one, from /proc: command lines by process id."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and alive(int(entry.name)):
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found: dict[int, str] = {}
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level}
        found.update({child: command_line(child) for child in level})
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether a process runs: a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}
