"""Waits for conditions: tests never wait for a fixed time."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(
    condition: str, check: Callable[[], Any], *, seconds: float = 60.0, pause: float = 0.05
) -> Any:
    """Return the first true result of `check`, called every `pause` s; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if result := check():
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition}: not within {seconds:.0f} s")
        time.sleep(pause)
