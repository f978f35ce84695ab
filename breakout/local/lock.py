"""A lock file: one process per directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from breakout.local.errors import EmbeddedError

# A killed process may take a moment to release the lock
_RELEASE_SECONDS = 10.0
_POLL_SECONDS = 0.05


@contextlib.contextmanager
def locked(directory: Path, file_name: str, user: str) -> Iterator[bool]:
    """Hold the lock file of ``directory``; yields whether its last holder released it.

    The kernel releases it when the process ends. Raises EmbeddedError, with ``user`` and the
    process id, while another process holds it.
    """
    descriptor = os.open(directory / file_name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        holder = _acquire(descriptor, directory, user)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield holder is None
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, directory: Path, user: str) -> int | None:
    """Acquire the lock; returns the id of a last holder that did not release it."""
    deadline = time.monotonic() + _RELEASE_SECONDS
    while True:
        holder = _holder(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            alive = holder is None or _alive(holder)
            if alive or time.monotonic() > deadline:
                shown = "another process" if holder is None else f"the process {holder}"
                raise EmbeddedError(
                    f"the data directory {directory} is in use by {shown}: stop that {user}, "
                    "or set BREAKOUT_DATA_DIR to another directory"
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return holder


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
