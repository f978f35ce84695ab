"""Validates a model's counters in a row of the Hub."""

from pydantic import BaseModel, ConfigDict, Field

from breakout.contract.model_ids import ModelId
from collectors.sources.fields import Count


class Counters(BaseModel):
    """One model's counters; absent fields are null, unknown ones ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    downloads_all_time: Count | None = Field(None, alias="downloadsAllTime")
    downloads_30d: Count | None = Field(None, alias="downloads")
    likes: Count | None = None
