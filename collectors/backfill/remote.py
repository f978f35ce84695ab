"""A file on a web server, read by range requests."""

import asyncio
import io
from typing import Any

from collectors.http.client import Source
from collectors.http.errors import SourceError

_FOOTER_BYTES = 256 << 10
"""Read first, from the end: contains the complete footer of most Parquet files."""
_MOST_BYTES = 1 << 30
"""Most bytes of one read: a column of many models, or a footer."""
_REQUEST_BYTES = 32 << 20
"""Most bytes of one request: a broken connection loses no more, and a slow one does not exceed the
timeout of a request."""


class RemoteFile(io.RawIOBase):
    """A file-like object for use in threads; each read that is not buffered is a range request.

    Raises `SourceError` when the file changes between two reads.
    """

    def __init__(self, source: Source, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._path = path
        self._loop = loop
        self._position = 0
        self._buffers: dict[int, bytes] = {}
        self.bytes_read = 0
        """Bytes received."""
        # Not a range from the end: some servers respond to those with the complete file.
        first = self._await(source.range(path, 0, 1))
        self._etag, self.size = first.etag, first.total
        self._footer_at = max(self.size - _FOOTER_BYTES, 0)
        self._footer = self._range(self._footer_at, self.size - self._footer_at)
        self._buffers[self._footer_at] = self._footer

    def fetch(self, start: int, end: int) -> None:
        """Buffer a range, in place of the one before."""
        self._buffers = {self._footer_at: self._footer}
        if not self._buffered(start, end - start):
            self._buffers[start] = self._range(start, end - start)

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the position."""
        length = self.size - self._position if size < 0 else min(size, self.size - self._position)
        content = self._buffered(self._position, length) or self._range(self._position, length)
        self._position += len(content)
        return content

    def _buffered(self, start: int, length: int) -> bytes | None:
        for position, content in self._buffers.items():
            if position <= start and start + length <= position + len(content):
                return content[start - position : start - position + length]
        return None

    def _range(self, start: int, length: int) -> bytes:
        if length > _MOST_BYTES:
            reason = f"a read of {length:,} bytes, more than {_MOST_BYTES:,}"
            raise SourceError(self._source.name, self._path, 0, reason)
        content = bytearray()
        while len(content) < length:
            size = min(length - len(content), _REQUEST_BYTES)
            part = self._await(self._source.range(self._path, start + len(content), size))
            if (part.etag, part.total) != (self._etag, self.size):
                raise SourceError(
                    self._source.name, self._path, 1, "the file changed while it was being read"
                )
            content += part.content
        return bytes(content)

    def _await(self, request: Any) -> Any:
        part = asyncio.run_coroutine_threadsafe(request, self._loop).result()
        self.bytes_read += len(part.content)
        return part
