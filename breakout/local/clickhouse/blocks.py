"""ClickHouse's own block compression: ``compress=1`` for responses, ``decompress=1`` for bodies.

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
# Clients write blocks of about 1 MiB
_MAX_BLOCK_BYTES = 64 << 20


class InvalidBlockError(RuntimeError):
    """A malformed block, or one that does not match its checksum."""


class BlockEncoder:
    """Compresses a stream to LZ4 blocks."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def compress(self, data: bytes, /) -> bytes:
        """Return the blocks that ``data`` completes."""
        self._buffer += data
        blocks = []
        while len(self._buffer) >= _BLOCK_BYTES:
            blocks.append(_block(bytes(self._buffer[:_BLOCK_BYTES])))
            del self._buffer[:_BLOCK_BYTES]
        return b"".join(blocks)

    def flush(self) -> bytes:
        """Return the last block, if anything is left."""
        plain, self._buffer = bytes(self._buffer), bytearray()
        return _block(plain) if plain else b""


class BlockDecoder:
    """Decompresses blocks, split anywhere."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def eof(self) -> bool:
        """Whether the last block is complete."""
        return not self._buffer

    def decompress(self, data: bytes, /) -> bytes:
        """Return the plain data of the blocks that ``data`` completes."""
        self._buffer += data
        plain = []
        start = _CHECKSUM.size
        while len(self._buffer) >= start + _HEADER.size:
            method, size, plain_size = _HEADER.unpack_from(self._buffer, start)
            if not _HEADER.size <= size <= _MAX_BLOCK_BYTES or plain_size > _MAX_BLOCK_BYTES:
                raise InvalidBlockError(
                    f"invalid block of {size} bytes, decompressed {plain_size}: "
                    f"the limit is {_MAX_BLOCK_BYTES} bytes"
                )
            if len(self._buffer) < start + size:
                break
            body = bytes(self._buffer[start : start + size])
            if _CHECKSUM.pack(*_checksum(body)) != self._buffer[:start]:
                raise InvalidBlockError("a block is damaged: its checksum does not match")
            plain.append(_plain(method, body[_HEADER.size :], plain_size))
            del self._buffer[: start + size]
        return b"".join(plain)


def _block(plain: bytes) -> bytes:
    data: bytes = lz4.block.compress(plain, store_size=False)
    body = _HEADER.pack(_LZ4, _HEADER.size + len(data), len(plain)) + data
    return _CHECKSUM.pack(*_checksum(body)) + body


def _checksum(body: bytes) -> tuple[int, int]:
    value = CityHash128(body)
    return value >> 64, value & (1 << 64) - 1


def _plain(method: int, data: bytes, size: int) -> bytes:
    plain: bytes
    if method == _LZ4:
        plain = lz4.block.decompress(data, uncompressed_size=size)
    elif method == _ZSTD:
        if zstandard.frame_content_size(data) > size:
            # zstd would allocate what the frame declares
            raise InvalidBlockError(f"a frame is larger than the declared {size} bytes")
        plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    elif method == _NONE:
        plain = data
    else:
        raise InvalidBlockError(f"unknown compression method 0x{method:02x}: use LZ4, ZSTD or NONE")
    if len(plain) != size:
        raise InvalidBlockError(f"a block has {len(plain)} bytes, not the declared {size}")
    return plain
