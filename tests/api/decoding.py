"""Content encodings, decoded strictly: nothing may be missing or left over."""

import gzip
from io import BytesIO

import brotli
import zstandard


def decoded(encoding: str | None, body: bytes) -> bytes:
    match encoding:
        case None:
            return body
        case "gzip":
            return gzip.decompress(body)
        case "br":
            return bytes(brotli.decompress(body))
        case "zstd":
            with zstandard.ZstdDecompressor().stream_reader(BytesIO(body)) as stream:
                return stream.read()
    raise ValueError(f"unknown encoding {encoding}")
