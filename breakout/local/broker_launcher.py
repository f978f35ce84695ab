"""Becomes the broker: ``python -m breakout.local.broker_launcher PORT COMMAND...``.

The broker ends with its parent, and the kernel leaves it its own binary, and one port to listen
on.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from breakout.local.confinement import confine
from breakout.processes.parent import end_with_parent_after_exec


def main(port: str, *command: str) -> None:
    """Replace this process by the command."""
    # Before it is confined: a confined process cannot signal others
    end_with_parent_after_exec()
    confine(port=int(port), loads=[Path(command[0])])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
