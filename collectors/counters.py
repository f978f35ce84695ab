"""Reads a model's counters from one row of the Hub, strictly."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from breakout.contract.events import Counter
from breakout.contract.model_ids import ModelId

_EXACT = 2**53
"""Up to here a float holds every integer."""


def whole(count: Any) -> Any:
    """Return a float that is an exact integer as one; anything else as it is."""
    if isinstance(count, float) and count.is_integer() and abs(count) < _EXACT:
        return int(count)
    return count


Count = Annotated[Counter, BeforeValidator(whole)]
"""A count as sources send it: 4932.0 is 4932, since JSON knows one kind of number."""


class Counters(BaseModel):
    """One model's counters; a field the Hub did not send is null, one it does not know ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ModelId
    downloads_all_time: Count | None = Field(None, alias="downloadsAllTime")
    downloads_30d: Count | None = Field(None, alias="downloads")
    likes: Count | None = None
