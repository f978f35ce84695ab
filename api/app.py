"""The application: `create_app(settings)` for a server, a test, or a page built upon it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from api import badges, problems
from api.access_log import Observed
from api.database import Database
from api.head_requests import Heads
from api.keys import Keys
from api.operations import (
    derivatives,
    downloads,
    inference,
    leaderboards,
    models,
    ram,
    scrapes,
    sources,
)
from api.page import routes as page
from api.page.live_updates import News
from api.rate_limits import Limited
from api.token_buckets import Buckets
from breakout.settings import Settings

OPERATIONS = (models, downloads, ram, inference, derivatives, leaderboards, sources, scrapes)
PREFIX = "/v1"
DESCRIPTION = """Adoption of open-weight language models: downloads, the Relative Adoption Metric,
breakouts, inference tokens, derivatives and leaderboards, each figure as of a moment that the
answer names."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application; it connects to ClickHouse when it is first asked something.

    Raises `SettingsError` for a file of keys that cannot be read.
    """

    costs = Buckets()
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
        # They load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # A redirect would lead to wherever the Host header says.
        redirect_slashes=False,
    )
    app.state.settings, app.state.database, app.state.news = settings, database, News(database)
    v1 = APIRouter(prefix=PREFIX)
    for operation in OPERATIONS:
        v1.include_router(operation.router)
    app.include_router(v1)
    app.include_router(badges.router)
    app.include_router(page.router)
    app.mount(page.ASSETS, page.assets())
    describe = app.openapi
    app.openapi = lambda: _with_examples(describe())  # type: ignore[method-assign]
    problems.install(app)
    app.add_middleware(Limited, settings=settings, keys=Keys(settings.api_keys_file), costs=costs)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin.strip() for origin in settings.api_cors_origins.split(",")],
        allow_methods=["GET", "HEAD"],
        allow_headers=["*"],
        expose_headers=["ETag", "Content-Location", "Breakout-As-Of", "Retry-After"],
    )
    app.add_middleware(Heads)
    app.add_middleware(Observed)
    return app


def _with_examples(description: dict[str, Any]) -> dict[str, Any]:
    """Put the examples in again as they are: FastAPI leaves out what is null in them."""
    for operation in OPERATIONS:
        for route in operation.router.routes:
            if isinstance(route, APIRoute):
                answers = description["paths"][PREFIX + route.path]["get"]["responses"]
                example = route.responses[200]["content"]["application/json"]["example"]
                answers["200"]["content"]["application/json"]["example"] = example
    return description
