"""What a server says of its rate limit: IETF RateLimit headers and Retry-After.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-09 as the Hugging Face Hub
writes them: `RateLimit: "api";r=0;t=55` and `RateLimit-Policy: "fixed window";"api";q=500;w=300`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_ITEM = re.compile(r'(?:"[^"]*"|[^",])+')
_PART = re.compile(r'(?:"[^"]*"|[^";])+')
_NUMBER = re.compile(r"([a-z])\s*=\s*([0-9]{1,15})")
_SECONDS = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class Remaining:
    """Requests left in a resource's window, and seconds until the next begins."""

    resource: str
    remaining: int
    reset_seconds: int


@dataclass(frozen=True)
class Policy:
    """Requests a resource allows in a window of so many seconds."""

    resource: str
    limit: int
    window_seconds: int


def parse_remaining(header: str) -> list[Remaining]:
    """Read a `RateLimit` header; what cannot be read is left out."""
    return [
        Remaining(resource, numbers["r"], numbers["t"])
        for resource, numbers in _items(header)
        if "r" in numbers and "t" in numbers
    ]


def parse_policies(header: str) -> list[Policy]:
    """Read a `RateLimit-Policy` header; what cannot be read is left out."""
    return [
        Policy(resource, numbers["q"], numbers["w"])
        for resource, numbers in _items(header)
        if numbers.get("w") and numbers.get("q")
    ]


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Read a `Retry-After` header, seconds or an HTTP date, as seconds from `now` (UTC)."""
    header = header.strip()
    if _SECONDS.fullmatch(header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)


def _items(header: str) -> list[tuple[str, dict[str, int]]]:
    """Return each list member's resource, the last of its strings, and its numbers."""
    items = []
    for item in _ITEM.findall(header):
        parts = [part.strip() for part in _PART.findall(item)]
        names = [part[1:-1] for part in parts if len(part) > 1 and part[0] == part[-1] == '"']
        numbers = {m[1]: int(m[2]) for part in parts if (m := _NUMBER.fullmatch(part))}
        if names:
            items.append((names[-1], numbers))
    return items
