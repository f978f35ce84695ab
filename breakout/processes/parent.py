"""How a child process ends with its parent: by the pipe on its standard input.

The parent holds the other end, which the kernel closes however the parent ends. SIGTERM follows,
and SIGKILL for a process that does not end by it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time

GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.05


def end_with_parent() -> None:
    """End this process when its standard input does; nothing else may read that any more."""
    threading.Thread(target=_end_self, name="parent", daemon=True).start()


def end_with_parent_after_exec() -> None:
    """End this process when its standard input does, also once it runs another program.

    A forked process watches the pipe in its place, and ends with it.
    """
    watched = os.getpid()
    if os.fork():
        return
    _wait_for_end_of_input()
    _signal_parent(watched, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while os.getppid() == watched and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    _signal_parent(watched, signal.SIGKILL)
    os._exit(0)


def _end_self() -> None:
    _wait_for_end_of_input()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _wait_for_end_of_input() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass


def _signal_parent(watched: int, number: signal.Signals) -> None:
    # Once it has exited, another process may have its id
    if os.getppid() == watched:
        os.kill(watched, number)
