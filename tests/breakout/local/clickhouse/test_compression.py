"""Compressed requests and answers."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import lz4.frame
import pytest
import zstandard

from breakout.local.clickhouse.compression import decoded, request_decoder

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
}
DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_insert(http: httpx.Client, database: str, encoding: str) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    rows = b"".join(b"%d\n" % number for number in range(200_000))
    # Two compressed streams in a row are one body
    body = COMPRESS[encoding](rows[:500_000]) + COMPRESS[encoding](rows[500_000:])
    answer = http.post(
        "/",
        params={"query": f"INSERT INTO {database}.t FORMAT TSV"},
        content=body,
        headers={"Content-Encoding": encoding},
    )
    assert answer.status_code == 200, answer.text
    answer = http.post("/", content=f"SELECT count(), uniqExact(a), max(a) FROM {database}.t")
    assert answer.text == "200000\t200000\t199999\n"


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_query(http: httpx.Client, encoding: str) -> None:
    answer = http.post(
        "/", content=COMPRESS[encoding](b"SELECT 42"), headers={"Content-Encoding": encoding}
    )
    assert answer.text == "42\n"


@pytest.mark.parametrize("rows", [10, 2_000_000])
@pytest.mark.parametrize("encoding", DECOMPRESS)
def test_compressed_answer(http: httpx.Client, encoding: str, rows: int) -> None:
    with http.stream(
        "POST",
        "/",
        content=f"SELECT number FROM numbers({rows})",
        params={"enable_http_compression": "1"},
        headers={"Accept-Encoding": encoding},
    ) as answer:
        assert answer.headers["Content-Encoding"] == encoding
        body = b"".join(answer.iter_raw())
    assert DECOMPRESS[encoding](body) == b"".join(b"%d\n" % number for number in range(rows))


@pytest.mark.parametrize(
    ("accepted", "arguments"), [("gzip", {}), ("identity", {"enable_http_compression": "1"})]
)
def test_uncompressed_unless_both_sides_want_it(
    http: httpx.Client, accepted: str, arguments: dict[str, str]
) -> None:
    answer = http.post(
        "/", content="SELECT 1", params=arguments, headers={"Accept-Encoding": accepted}
    )
    assert "Content-Encoding" not in answer.headers
    assert answer.text == "1\n"


def test_unknown_encoding(http: httpx.Client) -> None:
    answer = http.post("/", content=b"SELECT 1", headers={"Content-Encoding": "snappy"})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "89"
    assert "gzip" in answer.text


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("damage", ["not compressed", "cut off"])
def test_damaged_insert_writes_nothing(
    http: httpx.Client, database: str, encoding: str, damage: str
) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    rows = b"".join(b"%d\n" % number for number in range(20_000))
    body = rows if damage == "not compressed" else COMPRESS[encoding](rows)[:-20]
    answer = http.post(
        "/",
        params={"query": f"INSERT INTO {database}.t FORMAT TSV"},
        content=body,
        headers={"Content-Encoding": encoding},
    )
    assert answer.headers["X-ClickHouse-Exception-Code"] == "271", answer.text
    assert http.post("/", content=f"SELECT count() FROM {database}.t").text == "0\n"


async def test_a_small_body_that_grows_large_comes_in_small_pieces() -> None:
    body = zstandard.compress(b" " * (256 << 20))
    assert len(body) < 20_000

    async def chunks() -> AsyncIterator[bytes]:
        yield body

    new_decoder = request_decoder("zstd")
    assert new_decoder is not None
    sizes = [len(piece) async for piece in decoded(chunks(), new_decoder)]
    assert sum(sizes) == 256 << 20
    assert max(sizes) <= 33 << 20
