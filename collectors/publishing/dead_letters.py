"""Builds dead letters from rows and records that cannot be processed."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from breakout.contract.events import DeadLetter

_MOST_BYTES = 600_000
"""Bytes kept of a row, so that the dead letter stays below Kafka's limit of 1 MB a record."""


def dead_letter(source: str, collector: str, row: Any, error: str) -> DeadLetter:
    """Return the dead letter of a source's row, with its JSON."""
    try:
        value = json.dumps(row).encode()
    except RecursionError:
        value = b""
        error = f"{error} (nested too deeply to be stored)"
    return dead_letter_of_bytes(source, collector, value, error)


def dead_letter_of_bytes(topic: str, collector: str, value: bytes, error: str) -> DeadLetter:
    """Return the dead letter of some bytes, truncated to what fits a record."""
    if len(value) > _MOST_BYTES:
        error = f"{error} (truncated: it has {len(value)} bytes)"
    return DeadLetter(
        topic=topic,
        component=f"collector:{collector}",
        # A field's name may be any text of the source, including lone surrogates.
        error=error.encode(errors="replace").decode(),
        failed_at=datetime.now(UTC),
        value_base64=base64.b64encode(value[:_MOST_BYTES]).decode(),
    )
