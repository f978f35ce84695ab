"""One way to write each kind of number."""

import math

import pytest

from breakout.numbers import count_text, decimal_text, ram_text, share_text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (count_text(2**60), "1,152,921,504,606,846,976"),
        (count_text(0), "0"),
        (ram_text(1.005), "1.00x"),
        (ram_text(8.914), "8.91x"),
        (share_text(0.2474), "24.7%"),
        (share_text(0.5), "50.0%"),
        (share_text(1), "100.0%"),
        (share_text(0.0004), "0.0%"),
        (decimal_text(1234567.8), "1,234,568"),
        (decimal_text(1499.3), "1,499"),
        (decimal_text(0.012345), "0.01235"),
        (decimal_text(1e-9), "0.000000001"),
        (decimal_text(100.0), "100"),
        (decimal_text(-0.5), "-0.5"),
        (decimal_text(0.0), "0"),
        (decimal_text(math.nan), "nan"),
        (decimal_text(math.inf), "inf"),
    ],
)
def test_number_is_written_without_exponent(written: str, text: str) -> None:
    assert written == text
