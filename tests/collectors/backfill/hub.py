"""A server with the archives' paths: listings, and Parquet files behind a redirect to a CDN."""

import io
import random
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from aiohttp import web

from tests.breakout.registry.lists import contents
from tests.collectors.scripted import Scripted, scripted

TRACKED = ("acorn/Acorn-7B", "acorn/Acorn-R1", "birch/Birch-2B", "cedar/Cedar-30B-A3B")
FAT = random.Random(1)


def parquet(
    counts: dict[str, tuple[Any, Any, Any]],
    *,
    without: str | None = None,
    created: Callable[[list[str]], pa.Array] | None = None,
) -> bytes:
    """Return a snapshot of the whole Hub: many other models, and a fat column nobody needs.

    `created` returns the column createdAt for ids.
    """
    ids = sorted([*counts, *(f"m{n:04}/other" for n in range(2000))])
    rows = [counts.get(one, (1, 1, 1)) for one in ids]
    columns = {
        "id": pa.array(ids),
        "cardData": pa.array([FAT.randbytes(4000).hex() for _ in ids]),
        "downloads": pa.array([row[0] for row in rows]),
        "downloadsAllTime": pa.array([row[1] for row in rows]),
        "likes": pa.array([row[2] for row in rows]),
    }
    columns.pop(without, None) if without else None
    if created is not None:
        columns["createdAt"] = created(ids)
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=250, use_dictionary=False)
    return sink.getvalue()


@dataclass
class Cdn:
    """Serves ranges of files; `misbehave` may answer in another way."""

    files: dict[str, bytes] = field(default_factory=dict)
    sent: int = 0
    headers: list[Any] = field(default_factory=list)
    misbehave: Any = None

    def answer(self, request: web.Request) -> Any:
        self.headers.append(request.headers)
        body = self.files[request.path]
        if self.misbehave is not None and (other := self.misbehave(request, body)) is not None:
            return other
        wanted = request.http_range
        if wanted.start is not None and wanted.start < 0:
            start, stop = max(len(body) + wanted.start, 0), len(body)
        else:
            start, stop = wanted.start or 0, min(wanted.stop or len(body), len(body))
        part = body[start:stop]
        self.sent += len(part)
        return web.Response(
            status=206,
            body=part,
            headers={
                "Content-Range": f"bytes {start}-{stop - 1}/{len(body)}",
                "ETag": f'"{zlib.crc32(body)}"',
            },
        )


@dataclass
class Archives:
    """Both archives and the tracked-models list."""

    hub: Scripted
    cdn: Cdn

    @property
    def lists(self) -> str:
        return f"{self.hub.url}/list"

    def put(self, path: str, body: bytes, cdn_url: str) -> None:
        """Serve a file at a path of the Hub, which redirects to the CDN."""
        target = f"/cdn{path}"
        self.cdn.files[target] = body
        self.hub.answers[path] = lambda _: web.Response(
            status=302, headers={"Location": f"{cdn_url}{target}?signature=x"}
        )
        self.cdn_server.answers[target] = self.cdn.answer

    cdn_server: Scripted = field(default_factory=Scripted)

    def commits(self, *revisions: tuple[str, str, bytes | None]) -> None:
        """Serve hub-stats with these (revision, moment, file), newest first, two a page.

        A revision that begins with the name of a file has that in its title.
        """
        listed = [
            {"id": one, "title": f"Upload {one}", "date": moment} for one, moment, _ in revisions
        ]
        pages = [listed[at : at + 2] for at in range(0, len(listed), 2)] + [[]]
        self.hub.answers["/api/datasets/cfahlgren1/hub-stats/commits/main"] = lambda request: pages[
            int(request.query["p"])
        ]
        for revision, _, body in revisions:
            if body is not None:
                path = f"/datasets/cfahlgren1/hub-stats/resolve/{revision}/models.parquet"
                self.put(path, body, self.cdn_server.url)


@asynccontextmanager
async def archives() -> AsyncIterator[Archives]:
    lists: dict[str, Any] = {
        f"/list/{path}": (lambda _, text=text: web.Response(body=text))
        for path, text in contents().items()
    }
    async with scripted(lists) as hub, scripted({}) as cdn_server:
        yield Archives(hub, Cdn(), cdn_server)
