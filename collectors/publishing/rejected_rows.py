"""Rows of a source that fail validation: logged, and kept as dead letters up to a limit."""

import reprlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from breakout.contract.events import DeadLetter
from collectors.publishing.dead_letters import dead_letter
from collectors.publishing.rejection_limit import RejectionStreak

log = structlog.get_logger(__name__)

MOST_LETTERS = 1_000
"""Dead letters of one run."""
MOST_BYTES = 16 << 20
"""Bytes of all dead letters of one run."""

RowT = TypeVar("RowT", bound=BaseModel)

_REPR = reprlib.Repr()
# Looks at no more of a large or deep value than is shown.
_REPR.maxlevel = 4
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = 20
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 100
_LONGEST_VALUE = 80


def explain(error: ValidationError) -> str:
    """Return a row's first error: the field, the reason and the value."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "row"
    value = _REPR.repr(first["input"])
    value = value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 3] + "..."
    return f"{field}: {first['msg']}, got {value}"


def row_label(row: Any, field: str) -> str:
    """Return what to call an invalid row: the text of a field, if it has one."""
    text = row.get(field) if isinstance(row, dict) else None
    return text[:256] if isinstance(text, str) and text else f"a row without {field}"


class RejectedRows:
    """The rejected rows of one run, as dead letters up to a limit."""

    def __init__(self, source: str, collector: str) -> None:
        self._source = source
        self._collector = collector
        self._bytes = 0
        self.letters: list[DeadLetter] = []
        self.dropped = 0
        """Rows beyond the limit."""

    def add(self, row: Any, reason: str) -> None:
        """Log a row and its error, and keep it as a dead letter."""
        if len(self.letters) >= MOST_LETTERS or self._bytes >= MOST_BYTES:
            self.dropped += 1
            return
        letter = dead_letter(self._source, self._collector, row, reason)
        self._bytes += len(letter.value_base64)
        self.letters.append(letter)
        log.warning("invalid row rejected", source=self._source, reason=reason)


class RowReader(Generic[RowT]):
    """Validates the rows of one listing, and rejects invalid ones.

    `label` returns a prefix of a rejected row's reason. `on_rejection` is called with the row and
    the reason.
    """

    def __init__(
        self,
        kind: type[RowT],
        streak: RejectionStreak,
        rejected: RejectedRows,
        *,
        label: Callable[[Any], str] = lambda _row: "",
        on_rejection: Callable[[Any, str], None] = lambda _row, _reason: None,
    ) -> None:
        self._kind = kind
        self._streak = streak
        self._rejected = rejected
        self._label = label
        self._on_rejection = on_rejection

    def read(self, row: Any) -> RowT | None:
        """Return the validated row, None for an invalid one. Raises `RejectionLimitError`."""
        try:
            valid = self._kind.model_validate(row)
        except ValidationError as error:
            reason = explain(error)
            self._rejected.add(row, self._label(row) + reason)
            self._on_rejection(row, reason)
            self._streak.rejected(reason)
            return None
        self._streak.accepted()
        return valid
