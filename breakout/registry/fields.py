"""Parsers of single fields of the registry's files; each raises `FieldError`."""

import math
import re
from datetime import date
from typing import Literal, get_args

from breakout.contract.events import EARLIEST, LATEST_DAY
from breakout.contract.model_ids import is_model_id
from breakout.contract.names import is_name
from breakout.registry.table import FieldError

Region = Literal["us", "china", "eu", "other", "unknown"]

_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def model_id(field: str, value: str) -> str:
    """Read `organisation/name`."""
    if "/" not in value or not is_model_id(value):
        raise FieldError(
            field, f"must be organisation/name, got {value!r}; each is letters, digits, ., _ and -"
        )
    return value


def organisation(field: str, value: str) -> str:
    """Read the namespace of an organisation, which is case-sensitive."""
    if "/" in value or not is_model_id(value):
        raise FieldError(
            field,
            f"must be a namespace without / or spaces, got {value!r}; letters, digits, ., _ and -",
        )
    return value


def region(field: str, value: str) -> Region:
    """Read a region."""
    for known in get_args(Region):
        if value == known:
            return known  # type: ignore[no-any-return]
    raise FieldError(field, f"must be one of {', '.join(get_args(Region))}, got {value!r}")


def positive_decimal(field: str, value: str) -> float:
    """Read a positive decimal such as 0.6 or 671, without sign or exponent."""
    number = float(value) if _DECIMAL.fullmatch(value) else math.nan
    if not 0 < number < math.inf:
        raise FieldError(field, f"must be a positive decimal such as 0.6 or 671, got {value!r}")
    return number


def tri_state(field: str, value: str) -> bool | None:
    """Read true, false, or blank, which means not reviewed."""
    states = {"true": True, "false": False, "": None}
    if value not in states:
        raise FieldError(field, f"must be true, false or blank, got {value!r}")
    return states[value]


def iso_date(field: str, value: str) -> date:
    """Read a date in the form YYYY-MM-DD."""
    try:
        day = date.fromisoformat(value) if _DATE.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST.date() <= day <= LATEST_DAY:
        raise FieldError(
            field, f"must be a date such as 2025-08-05, from 1970 to 2149, got {value!r}"
        )
    return day


def name(field: str, value: str) -> str:
    """Read a name exactly as another source spells it."""
    value = text(field, value)
    if not is_name(value):
        raise FieldError(
            field, f"must have at most 256 characters and no control characters, got {value!r}"
        )
    return value


def text(field: str, value: str) -> str:
    """Read text that is not blank."""
    if not value.strip():
        raise FieldError(field, "must not be blank")
    return value.strip()
