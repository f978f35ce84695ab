"""A child process that ends when its parent does, however the parent ends."""

import os
import signal
import sys
import threading

GRACE_SECONDS = 10.0


def end_with_parent() -> None:
    """Send this process SIGTERM when standard input ends, and end it for good 10 s later.

    The parent holds the other end of a pipe: it is closed even when the parent is killed.
    """
    threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    try:
        while os.read(sys.stdin.fileno(), 1024):
            pass
    except OSError:
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)
