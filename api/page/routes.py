"""Addresses of the web page, which is static files, and of the news it follows."""

from collections.abc import AsyncIterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles

from api.page.live_updates import News
from api.problems import ProblemError
from breakout.clickhouse.errors import ClickHouseError

router = APIRouter(include_in_schema=False)
ASSETS = "/assets"
HEADERS = {
    "Cache-Control": "no-cache",
    # Charts style themselves; nothing is loaded from elsewhere, and nobody else's page frames it.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def assets() -> StaticFiles:
    """Return the application that serves the files of `assets/`."""
    return StaticFiles(directory=Path(str(files("api.page"))) / "assets")


@router.get("/")
async def overview(request: Request) -> Response:
    """Breakouts, curves, shares and the pipeline."""
    return await _page(request, "overview.html")


@router.get("/models/{org}/{name}")
async def model(request: Request) -> Response:
    """One model: its facts, its curve, its downloads."""
    return await _page(request, "model.html")


async def _place(request: Request) -> AsyncIterator[None]:
    with request.app.state.news.place():
        # It may last longer than any other answer, see `api.connections`.
        request.state.endless = True
        yield


@router.get("/news", response_class=EventSourceResponse, dependencies=[Depends(_place)])
async def news(request: Request) -> AsyncIterator[ServerSentEvent]:
    """What has changed, as server-sent events."""
    follow: News = request.app.state.news
    async for row in follow.follow():
        yield ServerSentEvent(data=row, retry=3000)


async def _page(request: Request, name: str) -> Response:
    return HTMLResponse(
        _file(name).replace('data-simulated=""', f'data-simulated="{await _simulated(request)}"'),
        headers=HEADERS,
    )


async def _simulated(request: Request) -> str:
    """Return whether all data are invented; a page without its database is only empty."""
    try:
        now: dict[str, Any] = await request.app.state.news.now()
    except (ClickHouseError, ProblemError):
        return "unknown"
    return "yes" if now["simulated"] else "no"


@cache
def _file(name: str) -> str:
    return (files("api.page") / "assets" / name).read_text(encoding="utf-8")
