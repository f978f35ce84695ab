"""Run a program that must not outlive its parent: ``python -m breakout.local.tether PID CMD``.

On Linux the kernel kills it with the process ``PID``, and this process becomes the program;
with ``--confined PORT`` the kernel leaves it its own binary, and that port to listen on. Elsewhere
this process stays, watches the pipe on its stdin, and kills the program when it closes.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from breakout.local.confinement import confine

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Run the program and end with its exit code."""
    parser = argparse.ArgumentParser(prog="breakout.local.tether")
    parser.add_argument("--confined", type=int, metavar="PORT")
    parser.add_argument("parent", type=int)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    command: list[str] = given.command
    if sys.platform != "linux":
        sys.exit(_watch(command))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != given.parent:
        sys.exit("the parent ended before the kernel knew whom to watch")
    if given.confined is not None:
        confine(port=given.confined, loads=[Path(command[0])])
    os.execv(command[0], command)  # noqa: S606


def _watch(command: list[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())

    def end_with_parent() -> None:
        while os.read(0, 1024):
            pass
        process.kill()

    threading.Thread(target=end_with_parent, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
