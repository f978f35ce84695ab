"""Faults that can be switched on for requests the simulated Hub receives.

Each fault has `match`, a regular expression searched in the request's path and query
(`/api/models?author=acorn`); `after`, how many matching requests go well first; and `times`, how
many it then hits (None = all). Faults that end a request (an error status, a reset, HTML) hit one
request one at a time, in the order they were added; all others add up.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    match: str = "^/api/"
    after: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)

    @field_validator("match")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"must be a regular expression: {error}") from None
        return pattern


class ErrorStatus(_Fault):
    """An error status with the Hub's error body."""

    kind: Literal["status"] = "status"
    status: int = Field(503, ge=400, le=599)
    message: str = "Internal Error - We're working hard to fix this as soon as possible!"


class TooManyRequests(_Fault):
    """429, with the wait told in one of the ways a client has to understand."""

    kind: Literal["rate_limited"] = "rate_limited"
    wait: Literal["ratelimit", "seconds", "date", "none"] = "ratelimit"
    """`RateLimit` header; `Retry-After` in seconds or as an HTTP date; nothing."""
    seconds: int = Field(1, ge=0)


class Html(_Fault):
    """Status 200 with a page of HTML, as from a proxy or a login wall."""

    kind: Literal["html"] = "html"


class Reset(_Fault):
    """The connection is reset (TCP RST)."""

    kind: Literal["reset"] = "reset"
    when: Literal["before_headers", "after_headers"] = "before_headers"


class Truncated(_Fault):
    """The body stops in the middle of its JSON."""

    kind: Literal["truncated"] = "truncated"
    framing: Literal["complete", "content_length", "chunked"] = "content_length"
    """`complete`: the Content-Length fits the cut body; `content_length`: it promises the whole
    body, then the connection closes; `chunked`: the last chunk never comes, the connection closes.
    """


class Stalled(_Fault):
    """Headers, then nothing until the client gives up."""

    kind: Literal["stalled"] = "stalled"


class Drip(_Fault):
    """The whole body, a few bytes at a time."""

    kind: Literal["drip"] = "drip"
    bytes_each: int = Field(64, ge=1)
    seconds_between: float = Field(0.05, ge=0)


class Gzip(_Fault):
    """The body compressed, if the client accepts gzip; `corrupt` damages it."""

    kind: Literal["gzip"] = "gzip"
    corrupt: bool = False


class RepeatedCursor(_Fault):
    """Each page of a list names itself as the next."""

    kind: Literal["repeated_cursor"] = "repeated_cursor"


class CursorLoop(_Fault):
    """Two pages of a list that name each other as the next."""

    kind: Literal["cursor_loop"] = "cursor_loop"


class EmptyList(_Fault):
    """A list without models."""

    kind: Literal["empty_list"] = "empty_list"


class Duplicates(_Fault):
    """Pages after the first begin with the last models of the page before."""

    kind: Literal["duplicates"] = "duplicates"
    count: int = Field(1, ge=1)


class Vanished(_Fault):
    """Models that the requests hit no longer see; with `after`, from a later page on."""

    kind: Literal["vanished"] = "vanished"
    models: list[str]


class ExtraFields(_Fault):
    """Fields nobody knows, in every model."""

    kind: Literal["extra_fields"] = "extra_fields"
    fields: dict[str, Any] = {"adoptionForecast": {"p50": 1.5, "notes": ["new"]}}


class MissingFields(_Fault):
    """Fields left out, of all models or of those named."""

    kind: Literal["missing_fields"] = "missing_fields"
    fields: list[str]
    models: list[str] | None = None


class WrongValues(_Fault):
    """Fields with a value of any JSON type, of all models or of those named."""

    kind: Literal["wrong_values"] = "wrong_values"
    values: dict[str, Any]
    models: list[str] | None = None


Ending = ErrorStatus | TooManyRequests | Html | Reset
Sending = Truncated | Stalled | Drip | Gzip | Reset
Changing = (
    RepeatedCursor | CursorLoop | EmptyList | Duplicates | Vanished
    | ExtraFields | MissingFields | WrongValues
)  # fmt: skip
Fault = Ending | Truncated | Stalled | Drip | Gzip | Changing

_Given = Annotated[Fault, Field(discriminator="kind")]
_ONE_OR_MORE: TypeAdapter[list[Fault]] = TypeAdapter(list[_Given])


class Faults:
    """The faults switched on, and how often each has been asked for."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._matched: list[int] = []

    def add(self, *faults: Fault) -> None:
        """Switch faults on."""
        self._active.extend(faults)
        self._matched.extend(0 for _ in faults)

    def add_json(self, given: object) -> None:
        """Switch on faults given as JSON: one object or a list, `kind` saying which.

        Raises pydantic's `ValidationError` that names what is wrong.
        """
        listed = given if isinstance(given, list) else [given]
        self.add(*_ONE_OR_MORE.validate_python(listed))

    def clear(self) -> None:
        """Switch all faults off."""
        self._active.clear()
        self._matched.clear()

    def active(self) -> list[Fault]:
        """Return the faults switched on that may still hit a request."""
        return [f for i, f in enumerate(self._active) if not self._is_spent(i)]

    def hitting(self, target: str) -> list[Fault]:
        """Return the faults that hit a request for `target` (path and query), and count it."""
        hit: list[Fault] = []
        for i, fault in enumerate(self._active):
            if self._is_spent(i) or not re.search(fault.match, target):
                continue
            ends = isinstance(fault, Ending)
            if ends and any(isinstance(other, Ending) for other in hit):
                continue
            self._matched[i] += 1
            if self._matched[i] > fault.after:
                hit.append(fault)
        return hit

    def _is_spent(self, i: int) -> bool:
        times = self._active[i].times
        return times is not None and self._matched[i] >= self._active[i].after + times


def change_rows(rows: list[dict[str, Any]], faults: list[Fault]) -> list[dict[str, Any]]:
    """Return rows of models as the faults distort them."""
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
