"""The Hub's rate limit: a fixed window per client, sent in IETF RateLimit headers."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Requests a client may make in one window of the API bucket."""

    requests: int = 500
    window_seconds: float = 300

    def __post_init__(self) -> None:
        if self.requests < 0 or self.window_seconds <= 0:
            raise ValueError(f"a budget needs requests >= 0 and window_seconds > 0, got {self}")


GENEROUS = Limits(requests=1_000_000_000)
"""For the demo, which scrapes years within minutes."""


@dataclass
class _Window:
    ends: float
    left: int


class Budget:
    """Counts the requests of each client; a window starts with its first request."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def spend(self, client: str, limits: Limits, now: float) -> tuple[bool, dict[str, str]]:
        """Count one request in the client's window; `now` in seconds.

        Returns whether it is within the limit, and the headers with what remains.
        """
        window = self._windows.get(client)
        if window is None or now >= window.ends:
            window = self._windows[client] = _Window(now + limits.window_seconds, limits.requests)
        granted = window.left > 0
        window.left -= granted
        return granted, headers(window.left, window.ends - now, limits)


def headers(left: int, seconds: float, limits: Limits) -> dict[str, str]:
    """Return the two headers (IETF draft-ietf-httpapi-ratelimit-headers-09, bucket `api`)."""
    window = math.ceil(limits.window_seconds)
    return {
        "RateLimit": f'"api";r={left};t={max(math.ceil(seconds), 0)}',
        "RateLimit-Policy": f'"fixed window";"api";q={limits.requests};w={window}',
    }
