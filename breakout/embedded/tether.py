"""Run a program that must not outlive its parent: ``python -m breakout.embedded.tether CMD``.

On Linux the kernel kills it with the parent, and this process becomes the program. Elsewhere
this process stays, watches the pipe on its stdin, and kills the program when it closes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1
PARENT_VARIABLE = "BREAKOUT_TETHER_PARENT"


def main(command: list[str]) -> None:
    """Run ``command`` and end with its exit code."""
    parent = int(os.environ.pop(PARENT_VARIABLE))
    if sys.platform != "linux":
        sys.exit(_watch(command))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent ended before the kernel knew whom to watch")
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
