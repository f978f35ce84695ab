"""Routes of the web page: its pages, static files, and the stream of live updates."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.as_of import bind
from api.operations.sources import OrganisationsParameters
from api.page import comparisons
from api.page.definitions import definitions_text
from api.page.frame import Page, show
from api.page.live_updates import LiveUpdates
from api.page.static_files import static_files
from api.parameters import PathPart
from api.problems import ProblemError
from api.queries import query
from breakout.clickhouse.errors import ClickHouseError

router = APIRouter(include_in_schema=False)
router.include_router(comparisons.router)
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
LEADERBOARD = Page(
    "leaderboard",
    "Leaderboard: Breakout",
    "Open-weight language models by RAM in each size bin, with changes of rank",
    "/v1/ram?format=csv",
)
ORGANISATION = Page(
    "organisation",
    "Organisation: Breakout",
    "Adoption of one organisation's open-weight language models",
    "/v1/adoption?format=csv",
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


@router.get("/leaderboard")
async def leaderboard(request: Request) -> Response:
    """The leaderboard of RAM by size bin."""
    return await show(request, LEADERBOARD)


@router.get("/organisations/{org}")
async def organisation(request: Request, org: PathPart) -> Response:
    """The page of one organisation; 404 if it is unknown, with the nearest names."""
    return await show(request, ORGANISATION, 200 if await _is_known(request, org) else 404)


async def _is_known(request: Request, org: str) -> bool:
    """Return whether an organisation exists, or the database is unavailable."""
    sql = query("organisations")
    values = bind(sql, OrganisationsParameters(org=[org]).values(), None)
    try:
        return bool(await request.app.state.database.rows(sql, values))
    except (ClickHouseError, ProblemError):
        return True


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
