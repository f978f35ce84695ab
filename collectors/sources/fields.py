"""Types of fields as sources really send them."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from breakout.contract.events import Counter
from breakout.contract.names import Name

EXACT = 2**53
"""Up to here a float holds every integer."""


def whole(count: Any) -> Any:
    """Return a float that is an exact integer as one; anything else as it is."""
    if isinstance(count, float) and count.is_integer() and abs(count) < EXACT:
        return int(count)
    return count


def _stated(text: Any) -> Any:
    return None if isinstance(text, str) and not text.strip() else text


Count = Annotated[Counter, BeforeValidator(whole)]
"""A count: 4932.0 is 4932, since JSON knows one kind of number."""

Stated = Annotated[Name | None, BeforeValidator(_stated)]
"""A text that a source may not know: it sends null, or a blank one, which is null as well."""
