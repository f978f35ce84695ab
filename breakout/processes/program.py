"""What a child process runs, and when it is restarted."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from breakout.retry import RetryPolicy

Probe = Callable[[], Awaitable[bool]]
"""Returns within a few seconds whether the process responds."""

# All that a server needs of our environment, which holds tokens and passwords
_SERVER_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How to restart a process that exited.

    A process that ran for less than ``stable_seconds`` failed early. The pause before a restart
    doubles with each early failure in a row; ``max_early_failures`` of them are an error.
    """

    stable_seconds: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    max_early_failures: int | None = None

    def pause(self, early_failures: int) -> float:
        """Return the seconds to wait after so many early failures in a row."""
        policy = RetryPolicy(self.first_pause, self.longest_pause, jitter=0.0)
        return policy.wait_seconds(early_failures + 1)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Standard error goes to the file ``log``, or to ours; so does standard output, unless
    ``pipe_output`` lets the parent read it. ``first_line`` is written to standard input, where
    neither another user nor a query can read it. The process has started once ``ready`` holds,
    and is killed and restarted when ``alive`` fails three times in a row.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    pipe_output: bool = False
    first_line: str = field(default="", repr=False)
    ready: Probe | None = None
    alive: Probe | None = None
    restarts: RestartPolicy = RestartPolicy()
    lost_on_exit: str | None = None
    """What an exit loses, for the log."""


def python_module(name: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module with this Python."""
    # -P: a folder called breakout in the working directory is not this package
    return [sys.executable, "-P", "-m", name, *arguments]


def breakout_command(*arguments: str) -> list[str]:
    """Return the command line of a `breakout` command that ends with its parent."""
    return python_module("breakout", "--with-parent", *arguments)


def server_environment() -> dict[str, str]:
    """Return the part of our environment that holds no secret."""
    return {name: os.environ[name] for name in _SERVER_VARIABLES if name in os.environ}


def changed_environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return our environment with changes; None removes a variable."""
    environment = {**os.environ, **changes}
    return {name: value for name, value in environment.items() if value is not None}
