"""Responses that are files: CSV, Parquet and Arrow, complete or in part, with strong ETags."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api import etags, formats
from api.byte_ranges import is_suffix, parse_range
from api.clients import current_client
from api.database import Database
from api.formats import Format
from api.spool import SpoolFile
from api.stored_files import StoredFile, StoredFiles
from api.table_states import State


class SpooledResponse(StreamingResponse):
    """A streaming response that closes its spool file when it ends, however it ends."""

    def __init__(self, stack: AsyncExitStack, body: AsyncIterator[bytes], **rest: Any) -> None:
        super().__init__(body, **rest)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._stack:
            await super().__call__(scope, receive, send)


class FileRequest:
    """A request for a response as a file."""

    def __init__(self, request: Request, output: Format) -> None:
        scope = request.scope
        self._files: StoredFiles = request.app.state.files
        self._database: Database = request.app.state.database
        self._key = (current_client.get().name, scope["path"], scope["query_string"], str(output))
        self._request, self._output = request.headers, output
        self._state: State = {}

    async def continued(self) -> Response | None:
        """Return the response to a client that goes on reading a file by ranges.

        None if it begins: then it gets the latest data, those from this call on.
        """
        part, tag = self._request.get("range"), self._request.get("if-range")
        if part is not None and not is_suffix(part):
            async with AsyncExitStack() as stack:
                file = await self._files.reading(self._key, stack)
                if file is not None and tag in {None, file.etag}:
                    return self._response(file, stack)
        self._state = await self._database.state()
        return None

    async def respond(
        self, headers: dict[str, str], spool: Callable[[], Coroutine[Any, Any, SpoolFile]]
    ) -> Response:
        """Return the response. Raises what `spool` raises, and 416 without bytes in the range."""

        async def make() -> StoredFile:
            file = await spool()
            return StoredFile(file, {**headers, "ETag": f'"{file.digest[:32]}"'})

        async with AsyncExitStack() as stack:
            file = await self._files.get(self._key, self._state, make, stack)
            return self._response(file, stack)

    def _response(self, file: StoredFile, stack: AsyncExitStack) -> Response:
        if etags.matches(file.etag, self._request.get("if-none-match")):
            return Response(status_code=304, headers=file.headers)
        headers, status = {**file.headers, "Accept-Ranges": "bytes"}, 200
        start, end = 0, file.spooled.size
        # Another ETag, or a date: the client has parts of another file, so it gets this one whole.
        if self._request.get("if-range") in {None, file.etag}:
            found = parse_range(self._request.get("range"), file.spooled.size)
            if found is not None:
                (start, end), status = found, 206
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.spooled.size}"
        headers["Content-Length"] = str(end - start)
        return SpooledResponse(
            stack.pop_all(),
            file.spooled.read(start, end),
            status_code=status,
            headers=headers,
            media_type=formats.MEDIA_TYPES[self._output],
        )
