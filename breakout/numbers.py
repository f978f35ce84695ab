"""How every command writes a number: one way for each kind."""

import math

_DIGITS = 4
"""Significant digits of a number that is neither a count, a RAM nor a share."""


def count_text(value: int) -> str:
    """Return an integer with separators of thousands: 1,234,567."""
    return f"{value:,}"


def ram_text(value: float) -> str:
    """Return a RAM: 1.42x."""
    return f"{value:.2f}x"


def share_text(value: float) -> str:
    """Return a share of 1 in percent: 41.7%."""
    return f"{value:.1%}"


def decimal_text(value: float) -> str:
    """Return another number, with four significant digits and no exponent: 1,234,568 or 0.01234."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text
