"""The frame of every page: header, navigation, search and footer around the page's content."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.page.live_updates import Update
from api.problems import ProblemError
from breakout.clickhouse.errors import ClickHouseError

NAVIGATION = {
    "/": "Breakouts",
    "/models": "Models",
    "/leaderboard": "Leaderboard",
    "/compare": "Compare",
    "/docs": "Docs",
}
"""Labels of the header's links by path, in order."""


@dataclass(frozen=True)
class Page:
    """A page of the site."""

    name: str
    """Name of its content, `html/NAME.html`, and of its script, `assets/NAME.js`."""
    title: str
    description: str
    data: str
    """Address of its data, for browsers without JavaScript."""
    head: str = ""
    """Its own lines of the head: styles and scripts, after those of every page."""


async def show(request: Request, page: Page, status: int = 200) -> HTMLResponse:
    """Return a page in the frame. Its script fills it."""
    html = Template(_file("frame.html")).substitute(
        name=page.name,
        title=page.title,
        description=page.description,
        data=page.data,
        head=page.head,
        links=_links(request),
        notes=_file("notes.html"),
        content=_file(f"{page.name}.html"),
        simulated=await _simulated(request),
    )
    return HTMLResponse(html, status, _headers(framed_by="'none'"))


async def show_embedded(request: Request, page: Page) -> HTMLResponse:
    """Return a page without the frame, which any site may show in an iframe."""
    html = Template(_file("embed.html")).substitute(
        name=page.name,
        title=page.title,
        data=page.data,
        notes=_file("notes.html"),
        simulated=await _simulated(request),
    )
    return HTMLResponse(html, headers=_headers(framed_by="*"))


def _headers(framed_by: str) -> dict[str, str]:
    """Return the headers of a page. `framed_by` are the origins that may frame it."""
    return {
        "Cache-Control": "no-cache",
        # Charts set inline styles. Nothing is loaded from other hosts.
        "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        f"frame-ancestors {framed_by}",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _links(request: Request) -> str:
    """Return the links of the navigation, the current page marked."""
    current = {request.scope["path"]: ' aria-current="page"'}
    return " ".join(
        f'<a href="{path}"{current.get(path, "")}>{label}</a>' for path, label in NAVIGATION.items()
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
    return (files("api.page") / "html" / name).read_text(encoding="utf-8")
