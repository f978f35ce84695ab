"""Routes of the web page: its pages, static files, and the stream of live updates."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.page.definitions import definitions_text
from api.page.frame import Page, show
from api.page.live_updates import LiveUpdates
from api.page.static_files import static_files
from api.problems import ProblemError

router = APIRouter(include_in_schema=False)
ASSETS = "/assets"
OVERVIEW = Page(
    "overview",
    "Breakout",
    "Which open-weight language models people really adopt: breakouts and RAM, live",
    "/v1/breakouts?format=csv",
)
MODEL = Page(
    "model",
    "Model: Breakout",
    "Adoption of one open-weight language model: RAM and downloads",
    "/v1/ram?format=csv",
)
MODELS = Page(
    "models",
    "Models: Breakout",
    "Every open-weight language model known here, with its downloads and RAM",
    "/v1/adoption?format=csv",
)
DOCS = Page(
    "docs",
    "API reference: Breakout",
    "Reference of Breakout's HTTP API",
    "/openapi.json",
    head='<link rel="stylesheet" href="/assets/vendor/swagger-ui.css">\n'
    '<link rel="stylesheet" href="/assets/docs.css">\n'
    '<script defer src="/assets/vendor/swagger-ui.js"></script>\n',
)


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
    return await show(request, OVERVIEW)


@router.get("/models/{org}/{name}")
async def model(request: Request) -> Response:
    """The page of one model: its facts, RAM and downloads."""
    return await show(request, MODEL)


@router.get("/models")
async def models(request: Request) -> Response:
    """The list of models."""
    return await show(request, MODELS)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API's reference."""
    return await show(request, DOCS)


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
