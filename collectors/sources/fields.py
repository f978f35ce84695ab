"""Types of fields as sources send them."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from breakout.contract.events import Counter
from breakout.contract.names import Name

MOST_EXACT = 2**53
"""Up to here a float represents every integer."""


def to_integer(count: Any) -> Any:
    """Convert a float that is exactly an integer; return anything else unchanged."""
    if isinstance(count, float) and count.is_integer() and abs(count) < MOST_EXACT:
        return int(count)
    return count


def _blank_to_none(text: Any) -> Any:
    return None if isinstance(text, str) and not text.strip() else text


Count = Annotated[Counter, BeforeValidator(to_integer)]
"""A count: 4932.0 is 4932, since JSON has a single number type."""

OptionalText = Annotated[Name | None, BeforeValidator(_blank_to_none)]
"""A text that may be unknown: null, or blank, which becomes null."""
