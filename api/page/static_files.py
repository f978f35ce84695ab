"""Static files of the page: read once, and compressed once for each encoding."""

import asyncio
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import Request, Response

from api import etags
from api.compression import MIN_BYTES
from api.encodings import Encoding, compress, negotiate

HEADERS = {
    # Asks with If-None-Match, so that a new release is seen at once.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


@dataclass
class StaticFile:
    """A file in all encodings that were asked for."""

    body: bytes
    media_type: str
    _encoded: dict[Encoding, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._digest = sha256(self.body).hexdigest()[:24]

    async def response(self, request: Request) -> Response:
        """Return the response to a request for the file."""
        encoding = negotiate(request.headers.get("accept-encoding"))
        if len(self.body) < MIN_BYTES or self.media_type.startswith("image/png"):
            encoding = None
        tags = {None: f'"{self._digest}"'} | {e: f'"{self._digest}-{e}"' for e in Encoding}
        headers = {**HEADERS, "ETag": tags[encoding]}
        if any(etags.matches(tag, request.headers.get("if-none-match")) for tag in tags.values()):
            return Response(status_code=304, headers=headers)
        if encoding is None:
            return Response(self.body, headers=headers, media_type=self.media_type)
        if encoding not in self._encoded:
            self._encoded[encoding] = await asyncio.to_thread(
                compress, encoding, self.body, once=True
            )
        headers["Content-Encoding"] = encoding
        return Response(self._encoded[encoding], headers=headers, media_type=self.media_type)


@cache
def static_files() -> dict[str, StaticFile]:
    """Return the files of `assets/` by their path in it."""
    return dict(_walk(files("api.page") / "assets", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, StaticFile]]:
    for entry in folder.iterdir():
        path = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        else:
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            yield path, StaticFile(entry.read_bytes(), kind)
