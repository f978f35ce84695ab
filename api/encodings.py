"""Content encodings: which one a client accepts, and how bodies are compressed."""

import zlib
from enum import StrEnum
from typing import Protocol

import brotli
import zstandard

from api.quality_values import weights


class Encoding(StrEnum):
    """Values of Content-Encoding, the preferred first."""

    ZSTD = "zstd"
    BROTLI = "br"
    GZIP = "gzip"


class Compressor(Protocol):
    """Compresses a stream."""

    def compress(self, data: bytes, /) -> bytes:
        """Return what is ready after these bytes."""

    def flush(self) -> bytes:
        """Return the rest of the stream."""


class _BrotliCompressor:
    def __init__(self, quality: int) -> None:
        self._compressor = brotli.Compressor(quality=quality)

    def compress(self, data: bytes, /) -> bytes:
        return bytes(self._compressor.process(data))

    def flush(self) -> bytes:
        return bytes(self._compressor.finish())


def negotiate(accept_encoding: str | None) -> Encoding | None:
    """Return the encoding of a response by Accept-Encoding, None for no encoding."""
    if not accept_encoding:
        return None
    accepted = weights(accept_encoding)
    others = accepted.get("*", 0.0)
    best, best_weight = None, accepted.get("identity", 0.0)
    for encoding in reversed(Encoding):
        weight = accepted.get(encoding, others)
        if weight and weight >= best_weight:
            best, best_weight = encoding, weight
    return best


def compressor(encoding: Encoding, *, once: bool = False) -> Compressor:
    """Return a compressor of one stream; better and slower with `once`, for files that are kept."""
    match encoding:
        case Encoding.ZSTD:
            return zstandard.ZstdCompressor(level=11 if once else 3).compressobj()
        case Encoding.BROTLI:
            return _BrotliCompressor(9 if once else 4)
        case Encoding.GZIP:
            # 31: with gzip's header and checksum.
            return zlib.compressobj(9 if once else 5, zlib.DEFLATED, 31)


def compress(encoding: Encoding, body: bytes, *, once: bool = False) -> bytes:
    """Return a complete body, compressed."""
    stream = compressor(encoding, once=once)
    return stream.compress(body) + stream.flush()
