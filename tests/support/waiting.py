"""Tests wait for what they need, and never for a time."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(
    what: str, check: Callable[[], Any], *, seconds: float = 60.0, pause: float = 0.05
) -> Any:
    """Return the first true answer of `check`, asked every `pause` s; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
