"""Tests wait for what they need, and never for a time."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(what: str, check: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Return the first true answer of `check`; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)
