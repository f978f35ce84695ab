"""ClickHouse's own block compression, of ``compress=1`` answers and ``decompress=1`` bodies.

A block is a checksum (CityHash128 1.0.2 of the rest), one byte for the method, the length of the
compressed data with this header and the length of the plain data (both uint32, little-endian), and
the compressed data.
"""

from __future__ import annotations

import struct

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

_CHECKSUM = struct.Struct("<QQ")
_HEADER = struct.Struct("<BII")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_BLOCK_BYTES = 1 << 20
# Clients write blocks of 1 MiB or so; a block is decompressed at once
_LONGEST_BLOCK = 64 << 20


class BrokenBlockError(RuntimeError):
    """A block that is not one, or that does not match its checksum."""


class BlockEncoder:
    """Turns a stream into blocks of LZ4."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def compress(self, data: bytes, /) -> bytes:
        """Return the blocks that ``data`` completes."""
        self._waiting += data
        blocks = []
        while len(self._waiting) >= _BLOCK_BYTES:
            blocks.append(_block(bytes(self._waiting[:_BLOCK_BYTES])))
            del self._waiting[:_BLOCK_BYTES]
        return b"".join(blocks)

    def flush(self) -> bytes:
        """Return the last block, if anything is left."""
        plain, self._waiting = bytes(self._waiting), bytearray()
        return _block(plain) if plain else b""


class BlockDecoder:
    """Turns blocks, cut anywhere, back into bytes."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    @property
    def eof(self) -> bool:
        """Whether the last block is whole."""
        return not self._waiting

    def decompress(self, data: bytes, /) -> bytes:
        """Return the plain data of the blocks that ``data`` completes."""
        self._waiting += data
        plain = []
        start = _CHECKSUM.size
        while len(self._waiting) >= start + _HEADER.size:
            method, size, plain_size = _HEADER.unpack_from(self._waiting, start)
            if not _HEADER.size <= size <= _LONGEST_BLOCK or plain_size > _LONGEST_BLOCK:
                raise BrokenBlockError(
                    f"a block of {size} bytes for {plain_size} plain ones: "
                    f"blocks of up to {_LONGEST_BLOCK} bytes are read"
                )
            if len(self._waiting) < start + size:
                break
            body = bytes(self._waiting[start : start + size])
            if _CHECKSUM.pack(*_checksum(body)) != self._waiting[:start]:
                raise BrokenBlockError("the checksum does not match: the block was damaged")
            plain.append(_plain(method, body[_HEADER.size :], plain_size))
            del self._waiting[: start + size]
        return b"".join(plain)


def _block(plain: bytes) -> bytes:
    data: bytes = lz4.block.compress(plain, store_size=False)
    body = _HEADER.pack(_LZ4, _HEADER.size + len(data), len(plain)) + data
    return _CHECKSUM.pack(*_checksum(body)) + body


def _checksum(body: bytes) -> tuple[int, int]:
    whole = CityHash128(body)
    return whole >> 64, whole & (1 << 64) - 1


def _plain(method: int, data: bytes, size: int) -> bytes:
    plain: bytes
    if method == _LZ4:
        plain = lz4.block.decompress(data, uncompressed_size=size)
    elif method == _ZSTD:
        if zstandard.frame_content_size(data) > size:
            # What the frame says would be taken from memory before it is seen to be a lie
            raise BrokenBlockError(f"a frame larger than the {size} bytes the block says")
        plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    elif method == _NONE:
        plain = data
    else:
        raise BrokenBlockError(f"unknown method 0x{method:02x}: LZ4, ZSTD and NONE are read")
    if len(plain) != size:
        raise BrokenBlockError(f"{len(plain)} bytes where the block says {size}")
    return plain
