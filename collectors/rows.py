"""Rows of a source's answer that nobody could read: why, and the record that keeps them."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from breakout.contract.events import DeadLetter

_LONGEST_ROW = 600_000
"""So that the dead letter stays below Kafka's limit of 1 MB a record."""


def explain(error: ValidationError) -> str:
    """Return the first thing that is wrong with a row: the field, why, and what came."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "row"
    came = repr(first["input"])
    came = came if len(came) <= 80 else came[:77] + "..."  # noqa: PLR2004
    return f"{field}: {first['msg']}, got {came}"


def dead_letter(source: str, collector: str, row: Any, error: str) -> DeadLetter:
    """Return the record that keeps a row of a source nobody could read, with its JSON."""
    return kept(source, collector, json.dumps(row).encode(), error)


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
