"""Which content encoding a client gets."""

import pytest

from api.encodings import Encoding, compress, negotiate
from api.quality_values import weights
from tests.api.decoding import decoded

ACCEPTED = [
    (None, None),
    ("", None),
    ("identity", None),
    ("gzip", "gzip"),
    ("gzip, deflate", "gzip"),
    ("gzip, deflate, br", "br"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("*", "zstd"),
    ("zstd;q=0, *", "br"),
    ("gzip;q=0", None),
    ("*;q=0", None),
    ("br;q=0.5, gzip;q=0.9", "gzip"),
    ("BR; Q=1.0", "br"),
    ("identity;q=0.5, gzip;q=0.4", None),
    ("identity;q=0.5, gzip;q=0.5", "gzip"),
    ("identity;q=0, gzip;q=0.1", "gzip"),
    ("gzip;q=nan", None),
    ("gzip;q=2", None),
    ("deflate, compress", None),
    (",,;q=1, gzip", "gzip"),
]


@pytest.mark.parametrize(("header", "expected"), ACCEPTED)
def test_encoding_by_weight_then_by_preference(header: str | None, expected: str | None) -> None:
    assert negotiate(header) == expected


def test_invalid_weights_are_zero() -> None:
    assert weights("a;q=x, b;q=-1, c;q=inf, d;level=1;q=0.3") == {
        **dict.fromkeys("abc", 0.0),
        "d": 0.3,
    }


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("once", [False, True])
def test_compressed_body_is_smaller_and_equal(encoding: Encoding, once: bool) -> None:
    body = b"some text, repeated; " * 1000
    compressed = compress(encoding, body, once=once)
    assert len(compressed) < len(body) / 10
    assert compress(encoding, body, once=once) == compressed
    assert decoded(encoding, compressed) == body
    assert decoded(encoding, compress(encoding, b"", once=once)) == b""
