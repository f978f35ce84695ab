"""ClickHouse's own block compression, of answers and of bodies."""

import struct

import httpx
import pytest
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from breakout.local.clickhouse.blocks import BlockDecoder, BlockEncoder, InvalidBlockError

PLAIN = b"SELECT 42 AS answer FORMAT TSV"
# As clickhouse-driver 0.2 writes it.
BLOCK = bytes.fromhex(
    "558e2ab82123deaeba5d4c2a719672ee82290000001e000000"
    "f00f53454c45435420343220415320616e7377657220464f524d415420545356"
)


def blocks(plain: bytes) -> bytes:
    encoder = BlockEncoder()
    return encoder.compress(plain) + encoder.flush()


def plain_of(body: bytes) -> bytes:
    decoder = BlockDecoder()
    plain = decoder.decompress(body)
    assert decoder.eof
    return plain


def test_blocks_are_those_of_other_programs() -> None:
    assert blocks(PLAIN) == BLOCK
    assert plain_of(BLOCK) == PLAIN


def test_blocks_may_be_cut_anywhere() -> None:
    body = blocks(bytes(range(256)) * 10_000)
    decoder = BlockDecoder()
    pieces = [decoder.decompress(body[at : at + 1000]) for at in range(0, len(body), 1000)]
    assert decoder.eof
    assert b"".join(pieces) == bytes(range(256)) * 10_000


@pytest.mark.parametrize(
    "damaged",
    [BLOCK[:-1] + b"W", b"\x00" + BLOCK[1:], BLOCK[:17] + b"\xff" * 8 + BLOCK[25:]],
)
def test_damage_is_noticed(damaged: bytes) -> None:
    with pytest.raises(InvalidBlockError):
        BlockDecoder().decompress(damaged)


def test_an_answer_in_blocks(http: httpx.Client) -> None:
    query = "SELECT number FROM numbers(500000) FORMAT TSV"
    answer = http.get("/", params={"query": query, "compress": "1"})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    expected = b"".join(b"%d\n" % number for number in range(500_000))
    assert plain_of(answer.content) == expected


def test_an_insert_in_blocks(http: httpx.Client, database: str) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    rows = b"".join(b"%d\n" % number for number in range(300_000))
    parameters = {"query": f"INSERT INTO {database}.t FORMAT TSV", "decompress": "1"}
    half = rows.index(b"\n150000\n") + 1
    # One half in blocks, the other in blocks that HTTP compresses besides.
    first = http.post("/", params=parameters, content=blocks(rows[:half]))
    assert first.status_code == 200, first.text
    second = http.post(
        "/",
        params=parameters,
        content=zstandard.compress(blocks(rows[half:])),
        headers={"Content-Encoding": "zstd"},
    )
    assert second.status_code == 200, second.text
    answer = http.post("/", content=f"SELECT count(), uniqExact(a), max(a) FROM {database}.t")
    assert answer.text == "300000\t300000\t299999\n"


def test_a_query_in_blocks(http: httpx.Client) -> None:
    answer = http.post("/", params={"decompress": "1"}, content=BLOCK)
    assert answer.text == "42\n"


@pytest.mark.parametrize("body", [BLOCK[:-1], b"SELECT 42 FORMAT TSV and so on and so on"])
def test_broken_blocks_are_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/", params={"decompress": "1"}, content=body)
    assert answer.status_code >= 400
    assert "Cannot decompress" in answer.text or "ends too early" in answer.text


def test_a_frame_that_lies_about_its_size_is_refused() -> None:
    """Its own header says a terabyte, which would be taken from memory at once."""
    frame = b"\x28\xb5\x2f\xfd\xe0" + (1 << 40).to_bytes(8, "little") + b"\x01\x00\x00"
    body = struct.pack("<BII", 0x90, 9 + len(frame), 8) + frame
    whole = CityHash128(body)
    checksum = struct.pack("<QQ", whole >> 64, whole & (1 << 64) - 1)
    with pytest.raises(InvalidBlockError, match="a frame is larger than the declared 8 bytes"):
        BlockDecoder().decompress(checksum + body)


@pytest.mark.parametrize("sizes", [(1 << 27, 1 << 20), (1 << 20, 1 << 27)])
def test_a_block_too_large_is_refused_by_its_header(sizes: tuple[int, int]) -> None:
    with pytest.raises(InvalidBlockError, match="the limit is"):
        BlockDecoder().decompress(bytes(16) + struct.pack("<BII", 0x82, *sizes))
