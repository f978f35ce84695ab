"""Parses rate-limit headers: RateLimit, X-RateLimit and Retry-After.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-09 as the Hugging Face Hub
writes them: `RateLimit: "api";r=0;t=55` and `RateLimit-Policy: "fixed window";"api";q=500;w=300`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_ITEM = re.compile(r'(?:"[^"]*"|[^",])+')
_PART = re.compile(r'(?:"[^"]*"|[^";])+')
_NUMBER = re.compile(r"([a-z])\s*=\s*([0-9]{1,15})")
_SECONDS = re.compile(r"[0-9]{1,15}")
_INTEGER = re.compile(r"\s*([0-9]{1,15})\b")
_UNIX_SECONDS = 10**9
"""A number from here on is a Unix time, not a wait; from 100 times that on, in milliseconds."""


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
    """Parse a `RateLimit` header; invalid items are left out."""
    return [
        Remaining(resource, numbers["r"], numbers["t"])
        for resource, numbers in _items(header)
        if "r" in numbers and "t" in numbers
    ]


def parse_policies(header: str) -> list[Policy]:
    """Parse a `RateLimit-Policy` header; invalid items are left out."""
    return [
        Policy(resource, numbers["q"], numbers["w"])
        for resource, numbers in _items(header)
        if numbers.get("w") and numbers.get("q")
    ]


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Parse a `Retry-After` header, seconds or an HTTP date, as seconds from `now` (UTC)."""
    header = header.strip()
    if _SECONDS.fullmatch(header):
        return float(header)
    try:
        time = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return max((time - now).total_seconds(), 0.0)


def parse_x_ratelimit(headers: Mapping[str, str], now: datetime) -> Remaining | None:
    """Parse `X-RateLimit-Remaining` and `X-RateLimit-Reset`; None where one is missing or invalid.

    No standard defines the reset: it is taken as seconds to wait, a Unix time in seconds or
    milliseconds, or a date of HTTP or ISO 8601. `now` is UTC.
    """
    left = _INTEGER.match(headers.get("X-RateLimit-Remaining", ""))
    wait = _until(headers.get("X-RateLimit-Reset", "").strip(), now)
    return Remaining("", int(left[1]), math.ceil(wait)) if left and wait is not None else None


def _until(reset: str, now: datetime) -> float | None:
    try:
        number = float(reset)
    except ValueError:
        return _until_date(reset, now)
    if not 0 <= number < 10**15:
        return None
    if number >= _UNIX_SECONDS:
        number = number / 1000 if number >= 100 * _UNIX_SECONDS else number
        return max(number - now.timestamp(), 0.0)
    return number


def _until_date(reset: str, now: datetime) -> float | None:
    try:
        time = datetime.fromisoformat(reset)
    except ValueError:
        return parse_retry_after(reset, now)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return max((time - now).total_seconds(), 0.0)


def _items(header: str) -> list[tuple[str, dict[str, int]]]:
    """Return each item's resource (the last of its strings) and its numbers."""
    items = []
    for item in _ITEM.findall(header):
        parts = [part.strip() for part in _PART.findall(item)]
        names = [part[1:-1] for part in parts if len(part) > 1 and part[0] == part[-1] == '"']
        numbers = {m[1]: int(m[2]) for part in parts if (m := _NUMBER.fullmatch(part))}
        if names:
            items.append((names[-1], numbers))
    return items
