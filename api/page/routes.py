"""Routes of the web page: static files, and the stream of live updates."""

from collections.abc import AsyncIterator
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.page.definitions import definitions_text
from api.page.live_updates import LiveUpdates, Update
from api.page.static_files import static_files
from api.problems import ProblemError
from breakout.clickhouse.errors import ClickHouseError

router = APIRouter(include_in_schema=False)
ASSETS = "/assets"
HEADERS = {
    "Cache-Control": "no-cache",
    # Charts set inline styles. Nothing is loaded from other hosts, and no other page may frame it.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get(ASSETS + "/{path:path}")
async def assets(request: Request, path: str) -> Response:
    """A file of `assets/`."""
    file = static_files().get(path)
    if file is None:
        raise ProblemError(404, f"No such file: {ASSETS}/{path}")
    return await file.response(request)


@router.get("/")
async def overview(request: Request) -> Response:
    """The overview: breakouts, curves, shares and the pipeline."""
    return await _page(request, "overview.html")


@router.get("/models/{org}/{name}")
async def model(request: Request) -> Response:
    """The page of one model: its facts, RAM and downloads."""
    return await _page(request, "model.html")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API's reference."""
    return await _page(request, "docs.html")


@router.get("/docs/definitions.md")
async def definitions() -> Response:
    """The definitions of all numbers, as Markdown."""
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(definitions_text(), headers=headers)


async def _admit(request: Request) -> AsyncIterator[None]:
    with request.app.state.live_updates.admit():
        # Exempt from the deadline of responses, see `api.connections`.
        request.state.event_stream = True
        yield


@router.get("/news", response_class=EventSourceResponse, dependencies=[Depends(_admit)])
async def news(request: Request) -> AsyncIterator[ServerSentEvent]:
    """Live updates, as server-sent events."""
    live_updates: LiveUpdates = request.app.state.live_updates
    async for update in live_updates.subscribe():
        yield ServerSentEvent(data=update, retry=3000)


async def _page(request: Request, name: str) -> Response:
    return HTMLResponse(
        _file(name).replace('data-simulated=""', f'data-simulated="{await _simulated(request)}"'),
        headers=HEADERS,
    )


async def _simulated(request: Request) -> str:
    """Return what the demo wrote: invented, season, no, or unknown without the database."""
    try:
        update: Update = await request.app.state.live_updates.current()
    except (ClickHouseError, ProblemError):
        return "unknown"
    return str(update["simulated"] or "no")


@cache
def _file(name: str) -> str:
    return (files("api.page") / "assets" / name).read_text(encoding="utf-8")
