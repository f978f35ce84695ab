"""Validates a model's counters in a row of the Hub."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from breakout.contract.model_ids import ModelId
from collectors.hub.young import is_young
from collectors.sources.fields import Count


def _time_or_none(value: Any) -> datetime | None:
    """Return a time, UTC unless it has a zone; None for an invalid one: the counters are valid."""
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


class Counters(BaseModel):
    """One model's counters; absent fields are null, unknown ones ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    downloads_all_time: Count | None = Field(None, alias="downloadsAllTime")
    downloads_30d: Count | None = Field(None, alias="downloads")
    likes: Count | None = None
    created_at: Annotated[datetime | None, BeforeValidator(_time_or_none)] = Field(
        None, alias="createdAt"
    )

    def is_young(self, observed_at: datetime) -> bool:
        """Return whether the 30-day counter is the all-time counter, which is null."""
        return (
            self.downloads_all_time is None
            and self.downloads_30d is not None
            and is_young(self.created_at, observed_at)
        )

    def total(self, observed_at: datetime) -> int | None:
        """Return the downloads since creation; null if neither counter has them."""
        return self.downloads_30d if self.is_young(observed_at) else self.downloads_all_time
