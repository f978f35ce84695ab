"""The ASGI application: `create_app(settings)`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from api import badges, index, problems
from api.access_log import AccessLogMiddleware
from api.cited_sources import CitedSources
from api.compression import CompressionMiddleware
from api.database import Database
from api.description import complete
from api.head_requests import HeadMiddleware
from api.keys import Keys
from api.known_names import KnownNames
from api.operations import (
    adoption,
    derivatives,
    downloads,
    inference,
    leaderboards,
    models,
    peers,
    ram,
    ram_missing,
    scrapes,
    search,
    sources,
)
from api.options_requests import OptionsMiddleware
from api.page import routes as page
from api.page.live_updates import LiveUpdates
from api.rate_limits import RateLimitMiddleware
from api.response_cache import ResponseCacheMiddleware
from api.single_values import reject_repeated
from api.stored_files import StoredFiles
from api.token_buckets import TokenBuckets
from breakout.observability.health import MAX_MISSED_SCRAPES
from breakout.settings import Settings

OPERATIONS = (
    models,
    search,
    adoption,
    downloads,
    ram,
    ram_missing,
    peers,
    inference,
    derivatives,
    leaderboards,
    sources,
    scrapes,
)
EXPOSED_HEADERS = (
    *("Accept-Ranges", "Content-Disposition", "Content-Location", "Content-Range", "ETag"),
    *("Breakout-As-Of", "Breakout-BibTeX", "Breakout-Citation", "Retry-After"),
)
"""That scripts of other origins may read, beside those that CORS always allows."""
DESCRIPTION = """Adoption of open-weight language models: downloads, the Relative Adoption Metric,
breakouts, inference tokens, derivatives and leaderboards. Every response has the timestamp of its
data, `as_of`: a request with it returns the same figures again."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application; it connects to ClickHouse on the first query.

    Raises `SettingsError` if the file of API keys cannot be read.
    """
    costs = TokenBuckets()
    database = Database(settings, costs)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await database.close()

    app = FastAPI(
        generate_unique_id_function=lambda route: route.name,
        title="Breakout",
        version=version("breakout-adoption"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0"},
        lifespan=lifespan,
        # They load scripts from a CDN.
        docs_url=None,
        redoc_url=None,
        # A redirect would go to the host that the client's Host header names.
        redirect_slashes=False,
    )
    app.state.settings, app.state.database = settings, database
    app.state.known_names, app.state.cited_sources = KnownNames(database), CitedSources(database)
    app.state.live_updates = LiveUpdates(database, MAX_MISSED_SCRAPES * settings.scrape_seconds)
    app.state.files = StoredFiles()
    v1 = APIRouter(prefix=index.PATH, dependencies=[Depends(reject_repeated)])
    for operation in OPERATIONS:
        v1.include_router(operation.router)
    app.include_router(v1)
    app.include_router(index.router)
    app.include_router(badges.router, dependencies=[Depends(reject_repeated)])
    app.include_router(page.router)
    generate, routes = app.openapi, [r for o in OPERATIONS for r in o.router.routes]
    app.openapi = cache(  # type: ignore[method-assign]
        lambda: complete(generate(), index.PATH, [r for r in routes if isinstance(r, APIRoute)])
    )
    problems.install(app)
    app.add_middleware(ResponseCacheMiddleware, database=database)
    keys = Keys(settings.api_keys_file)
    # The last one is the first that gets a request.
    app.add_middleware(OptionsMiddleware)
    app.add_middleware(RateLimitMiddleware, settings=settings, keys=keys, costs=costs)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin.strip() for origin in settings.api_cors_origins.split(",")],
        allow_methods=["GET", "HEAD"],
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
    )
    app.add_middleware(CompressionMiddleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(AccessLogMiddleware)
    return app
