"""Rows of a source's answer that nobody could read: why, and the record that keeps them."""

import base64
import json
import reprlib
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from breakout.contract.events import DeadLetter

_LONGEST_ROW = 600_000
"""So that the dead letter stays below Kafka's limit of 1 MB a record."""


_REPR = reprlib.Repr()
# Of a value that is large or deep only as much is looked at as can be shown.
_REPR.maxlevel = 4
_REPR.maxdict = _REPR.maxlist = _REPR.maxtuple = 20
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 100


def explain(error: ValidationError) -> str:
    """Return the first thing that is wrong with a row: the field, why, and what came."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "row"
    came = _REPR.repr(first["input"])
    came = came if len(came) <= 80 else came[:77] + "..."  # noqa: PLR2004
    return f"{field}: {first['msg']}, got {came}"


def dead_letter(source: str, collector: str, row: Any, error: str) -> DeadLetter:
    """Return the record that keeps a row of a source nobody could read, with its JSON."""
    try:
        value = json.dumps(row).encode()
    except RecursionError:
        value = b""
        error = f"{error} (it is nested too deeply to be kept)"
    return kept(source, collector, value, error)


def kept(topic: str, collector: str, value: bytes, error: str) -> DeadLetter:
    """Return the record that keeps some bytes, as far as they fit."""
    if len(value) > _LONGEST_ROW:
        error = f"{error} (it has {len(value)} bytes, of which the first are kept)"
    return DeadLetter(
        topic=topic,
        component=f"collector:{collector}",
        # A field's name may be any text of the source, half a character too.
        error=error.encode(errors="replace").decode(),
        failed_at=datetime.now(UTC),
        value_base64=base64.b64encode(value[:_LONGEST_ROW]).decode(),
    )
