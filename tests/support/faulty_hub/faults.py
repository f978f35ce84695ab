"""Faults to inject into the responses of a simulated Hub.

Each fault has `match`, a regular expression searched in the request's path and query
(`/api/models?author=acorn`); `after`, how many matching requests succeed first; and `times`, how
many it then affects (None = all). Of the faults that replace a response (an error status, a reset,
HTML) at most one affects a request, in the order they were added; all others combine.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class _Fault:
    match: str = "^/api/"
    after: int = 0
    times: int | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorStatus(_Fault):
    """An error status with the Hub's error body."""

    status: int = 503
    message: str = "Internal Error - We're working hard to fix this as soon as possible!"


@dataclass(frozen=True, kw_only=True)
class TooManyRequests(_Fault):
    """429, with the wait in one of the headers a client must understand."""

    wait: Literal["ratelimit", "seconds", "date", "none"] = "ratelimit"
    """`RateLimit` header; `Retry-After` in seconds or as an HTTP date; nothing."""
    seconds: int = 1


@dataclass(frozen=True, kw_only=True)
class Html(_Fault):
    """Status 200 with a page of HTML, as from a proxy or a login wall."""


@dataclass(frozen=True, kw_only=True)
class Reset(_Fault):
    """The connection is reset (TCP RST)."""

    when: Literal["before_headers", "after_headers"] = "before_headers"


@dataclass(frozen=True, kw_only=True)
class Truncated(_Fault):
    """The body stops in the middle of its JSON."""

    framing: Literal["complete", "content_length", "chunked"] = "content_length"
    """`complete`: the Content-Length is that of the cut body; `content_length`: it is that of the
    complete body, then the connection closes; `chunked`: the connection closes before the last
    chunk.
    """


@dataclass(frozen=True, kw_only=True)
class Stalled(_Fault):
    """Headers, then nothing until the client disconnects."""


@dataclass(frozen=True, kw_only=True)
class Drip(_Fault):
    """The complete body, a few bytes at a time."""

    bytes_each: int = 64
    seconds_between: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Gzip(_Fault):
    """The body compressed, if the client accepts gzip; `corrupt` damages it."""

    corrupt: bool = False


@dataclass(frozen=True, kw_only=True)
class RepeatedCursor(_Fault):
    """Each page of a list names itself as the next."""


@dataclass(frozen=True, kw_only=True)
class CursorLoop(_Fault):
    """Two pages of a list that name each other as the next."""


@dataclass(frozen=True, kw_only=True)
class EmptyList(_Fault):
    """A list without models."""


@dataclass(frozen=True, kw_only=True)
class Duplicates(_Fault):
    """Pages after the first begin with the last models of the page before."""

    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Vanished(_Fault):
    """Models that affected requests do not return; with `after`, from a later page on."""

    models: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class ExtraFields(_Fault):
    """Unknown fields, in every model."""

    fields: Mapping[str, Any] = field(
        default_factory=lambda: {"adoptionForecast": {"p50": 1.5, "notes": ["new"]}}
    )


@dataclass(frozen=True, kw_only=True)
class MissingFields(_Fault):
    """Fields left out, of all models or of those named."""

    fields: Sequence[str]
    models: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class WrongValues(_Fault):
    """Fields with a value of any JSON type, of all models or of those named."""

    values: Mapping[str, Any]
    models: Sequence[str] | None = None


Replacing = ErrorStatus | TooManyRequests | Html | Reset
Changing = (
    RepeatedCursor | CursorLoop | EmptyList | Duplicates | Vanished
    | ExtraFields | MissingFields | WrongValues
)  # fmt: skip
Fault = Replacing | Truncated | Stalled | Drip | Gzip | Changing


class Faults:
    """The injected faults, and how many requests each has matched."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._matched: list[int] = []

    def add(self, *faults: Fault) -> None:
        """Inject faults."""
        self._active.extend(faults)
        self._matched.extend(0 for _ in faults)

    def clear(self) -> None:
        """Remove all faults."""
        self._active.clear()
        self._matched.clear()

    def active(self) -> list[Fault]:
        """Return the faults that may still affect a request."""
        return [f for i, f in enumerate(self._active) if not self._is_spent(i)]

    def affecting(self, target: str) -> list[Fault]:
        """Return the faults of a request for `target` (path and query), and count it."""
        affecting: list[Fault] = []
        for i, fault in enumerate(self._active):
            if self._is_spent(i) or not re.search(fault.match, target):
                continue
            if isinstance(fault, Replacing) and any(
                isinstance(one, Replacing) for one in affecting
            ):
                continue
            self._matched[i] += 1
            if self._matched[i] > fault.after:
                affecting.append(fault)
        return affecting

    def _is_spent(self, i: int) -> bool:
        times = self._active[i].times
        return times is not None and self._matched[i] >= self._active[i].after + times


def change_rows(rows: list[dict[str, Any]], faults: list[Fault]) -> list[dict[str, Any]]:
    """Return models' rows as the faults change them."""
    for fault in faults:
        match fault:
            case EmptyList():
                rows = []
            case Vanished():
                rows = [row for row in rows if row["id"] not in fault.models]
            case ExtraFields():
                rows = [{**row, **fault.fields} for row in rows]
            case MissingFields():
                rows = [
                    {name: value for name, value in row.items() if name not in fault.fields}
                    if fault.models is None or row["id"] in fault.models
                    else row
                    for row in rows
                ]
            case WrongValues():
                rows = [
                    {**row, **fault.values}
                    if fault.models is None or row["id"] in fault.models
                    else row
                    for row in rows
                ]
    return rows
