"""HTTP compression of request and response bodies."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import lz4.frame
import zstandard

from breakout.local.clickhouse.errors import (
    CANNOT_DECOMPRESS,
    UNKNOWN_COMPRESSION_METHOD,
    clickhouse_error,
)


class Decoder(Protocol):
    """Decompresses a stream, split anywhere."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return the bytes that ``data`` completes."""

    @property
    def eof(self) -> bool:
        """Whether the compressed stream has ended."""


class Encoder(Protocol):
    """Compresses a stream chunk by chunk."""

    def compress(self, data: bytes, /) -> bytes:
        """Return the compressed bytes that are ready."""

    def flush(self) -> bytes:
        """Return the rest of the compressed stream."""


class _Lz4Encoder:
    def __init__(self) -> None:
        self._compressor = lz4.frame.LZ4FrameCompressor()
        self._header = bytes(self._compressor.begin())

    def compress(self, data: bytes, /) -> bytes:
        header, self._header = self._header, b""
        return header + bytes(self._compressor.compress(data))

    def flush(self) -> bytes:
        header, self._header = self._header, b""
        return header + bytes(self._compressor.flush())


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "x-gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
}
_ENCODERS: dict[str, Callable[[], Encoder]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "lz4": _Lz4Encoder,
    "gzip": lambda: zlib.compressobj(3, zlib.DEFLATED, 31),
    "deflate": lambda: zlib.compressobj(3, zlib.DEFLATED, 15),
}
_CHUNK_BYTES = 1 << 10
"""Decompressed per call: a kilobyte of zstd may become 32 MiB."""
_BROKEN = (zlib.error, zstandard.ZstdError, RuntimeError, EOFError)


def request_decoder(encoding: str) -> Callable[[], Decoder] | None:
    """Return the factory of decoders for a ``Content-Encoding``; None for an uncompressed body."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in _DECODERS:
        known = ", ".join(sorted(_DECODERS))
        raise clickhouse_error(
            UNKNOWN_COMPRESSION_METHOD,
            f"Unknown compression method '{encoding}' in the header Content-Encoding: "
            f"use one of {known}",
        )
    return _DECODERS[name]


async def decoded(
    chunks: AsyncIterator[bytes], new_decoder: Callable[[], Decoder]
) -> AsyncIterator[bytes]:
    """Yield the decompressed stream; concatenated compressed streams count as one."""
    decoder = new_decoder()
    empty = True
    async for chunk in chunks:
        at = 0
        while at < len(chunk):
            if decoder.eof:
                decoder = new_decoder()
            empty = False
            data = chunk[at : at + _CHUNK_BYTES]
            at += len(data)
            try:
                plain = decoder.decompress(data)
            except _BROKEN as error:
                raise clickhouse_error(
                    CANNOT_DECOMPRESS, f"Cannot decompress the request body: {error}"
                ) from None
            if decoder.eof:
                at -= len(getattr(decoder, "unused_data", b"") or b"")
            if plain:
                yield plain
    if not empty and not decoder.eof:
        raise clickhouse_error(CANNOT_DECOMPRESS, "The compressed request body ends too early")


def response_encoding(accepted: str) -> str | None:
    """Return the content encoding of the response to an ``Accept-Encoding``."""
    refused = {
        part.split(";")[0].strip()
        for part in accepted.lower().split(",")
        if part.replace(" ", "").endswith((";q=0", ";q=0.0"))
    }
    accepted_names = {part.split(";")[0].strip() for part in accepted.lower().split(",")} - refused
    return next((name for name in _ENCODERS if name in accepted_names), None)


def response_encoder(encoding: str) -> Encoder:
    """Return a new encoder for a result of `response_encoding`."""
    return _ENCODERS[encoding]()
