"""Where tables are printed."""

import os
import sys

from rich.console import Console

WIDTH_OF_FILES = 120


def console() -> Console:
    """Return standard output as wide as the terminal, or 120 columns when it is none."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return Console()
    return Console(width=WIDTH_OF_FILES)
