"""Types of parameters. None leaves a parameter out, so that the API's default applies."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeAlias

Day: TypeAlias = date | str
"""A UTC day: `date(2026, 6, 30)` or "2026-06-30"."""

Timestamp: TypeAlias = datetime | date | str
"""A moment (UTC without a time zone), or the end of a UTC day."""

Texts: TypeAlias = str | Iterable[str]
"""One text, or several: any of them matches."""

Integers: TypeAlias = int | Iterable[int]
"""One integer, or several: any of them matches."""

Value: TypeAlias = str | float | bool | date | Iterable[str | int] | None
"""What a parameter may be."""
