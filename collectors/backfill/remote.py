"""A file on a web server, read by ranges."""

import asyncio
import io
from typing import Any

from collectors.http.client import Source, SourceError

_FOOTER_BYTES = 256 << 10
"""What is read first, from the end: of most Parquet files it holds the whole footer."""
_MOST_BYTES = 1 << 30
"""What is held at once, at most: one column of many models, or a footer."""
_PIECE_BYTES = 32 << 20
"""What is asked for at once, so that a connection that breaks costs no more, and a slow one does
not take longer than a request may."""


class RemoteFile(io.RawIOBase):
    """A file-like object for threads; each read that is not at hand is one range request.

    Raises `SourceError` when the file changes between two reads.
    """

    def __init__(self, source: Source, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._path = path
        self._loop = loop
        self._at = 0
        self._held: dict[int, bytes] = {}
        self.bytes_read = 0
        """Bytes that came over the network."""
        # Not by a range from the end: there are servers that answer those with the whole file.
        first = self._ask(source.range(path, 0, 1))
        self._etag, self.size = first.etag, first.total
        self._footer_at = max(self.size - _FOOTER_BYTES, 0)
        self._footer = self._range(self._footer_at, self.size - self._footer_at)
        self._held[self._footer_at] = self._footer

    def fetch(self, start: int, end: int) -> None:
        """Get a range ready to be read, in place of the one before."""
        self._held = {self._footer_at: self._footer}
        if not self._at_hand(start, end - start):
            self._held[start] = self._range(start, end - start)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the position on."""
        length = self.size - self._at if size < 0 else min(size, self.size - self._at)
        content = self._at_hand(self._at, length) or self._range(self._at, length)
        self._at += len(content)
        return content

    def _at_hand(self, start: int, length: int) -> bytes | None:
        for at, content in self._held.items():
            if at <= start and start + length <= at + len(content):
                return content[start - at : start - at + length]
        return None

    def _range(self, start: int, length: int) -> bytes:
        if length > _MOST_BYTES:
            why = f"{length:,} bytes of it at once, more than {_MOST_BYTES:,}"
            raise SourceError(self._source.name, self._path, 0, why)
        content = bytearray()
        while len(content) < length:
            size = min(length - len(content), _PIECE_BYTES)
            part = self._ask(self._source.range(self._path, start + len(content), size))
            if (part.etag, part.total) != (self._etag, self.size):
                raise SourceError(
                    self._source.name, self._path, 1, "the file changed while it was being read"
                )
            content += part.content
        return bytes(content)

    def _ask(self, request: Any) -> Any:
        part = asyncio.run_coroutine_threadsafe(request, self._loop).result()
        self.bytes_read += len(part.content)
        return part
