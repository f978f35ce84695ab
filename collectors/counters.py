"""Reads a model's counters from one row of the Hub, strictly; what is unreadable is kept."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from breakout.contract.events import Counter, DeadLetter, ModelId

_LONGEST_ROW = 600_000
"""So that the dead letter stays below Kafka's limit of 1 MB a record."""


class Counters(BaseModel):
    """One model's counters; a field the Hub did not send is null, one it does not know ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    downloads_all_time: Counter | None = Field(None, alias="downloadsAllTime")
    downloads_30d: Counter | None = Field(None, alias="downloads")
    likes: Counter | None = None


def explain(error: ValidationError) -> str:
    """Return the first thing that is wrong with a row: the field, why, and what came."""
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "row"
    came = repr(first["input"])
    came = came if len(came) <= 80 else came[:77] + "..."  # noqa: PLR2004
    return f"{field}: {first['msg']}, got {came}"


def dead_letter(collector: str, row: Any, error: str) -> DeadLetter:
    """Return the record that keeps a row of the Hub nobody could read, with its JSON."""
    value = json.dumps(row).encode()
    if len(value) > _LONGEST_ROW:
        error = f"{error} (the row has {len(value)} bytes, of which the first are kept)"
    return DeadLetter(
        topic="huggingface",
        component=f"collector:{collector}",
        error=error,
        failed_at=datetime.now(UTC),
        value_base64=base64.b64encode(value[:_LONGEST_ROW]).decode(),
    )
