"""The simulated Hub: an HTTP server on 127.0.0.1 with the Hub's paths, shapes and errors."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from breakout.simulation import (
    control,
    leaderboards,
    lists,
    modelscope,
    openrouter,
    responses,
)
from breakout.simulation.budget import GENEROUS, Budget, Limits
from breakout.simulation.catalog import Catalog
from breakout.simulation.clock import SimulatedClock, milliseconds
from breakout.simulation.counters import Counters, Series
from breakout.simulation.incidents import TruncatedListing
from breakout.simulation.listing import PageSpan, Place, page_span, sorted_places
from breakout.simulation.query import (
    MODEL_FIELDS,
    ListQuery,
    QueryError,
    read_fields,
    read_list_query,
)
from breakout.simulation.rows import DEFAULT_FIELDS, FULL_FIELDS, INFO_FIELDS, Row, Rows
from breakout.simulation.serving import Serving

KEPT_REQUESTS = 50_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ReceivedRequest:
    """One request the simulated Hub received."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    status: int | None = None
    """Status of the response; None before it, and when the connection was reset."""


class SimulatedHub:
    """A running simulated Hub; use it with `async with`.

    `url` is for HF_ENDPOINT, `tracked_models_url` for TRACKED_MODELS_URL. What it serves is as of
    `clock`. `requests` are the last it received, except those to `/simulation`.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        clock: SimulatedClock | None = None,
        limits: Limits = GENEROUS,
        tokens: Mapping[str, Limits] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        hub_only: bool = False,
    ) -> None:
        """Create a Hub; `limits` are those of clients without a token.

        `tokens` are the accepted tokens with their limits; the response to any other is 401.
        Port 0 is any free port. `hub_only` leaves out the other sources: all they say is invented.
        """
        self.catalog = catalog
        self.clock = clock if clock is not None else SimulatedClock()
        self.requests: list[ReceivedRequest] = []
        self.counters = Counters(catalog)
        self._rows = Rows(catalog)
        self._limits = limits
        self._tokens = dict(tokens or {})
        self._budget = Budget()
        self._address = (host, port)
        self._hub_only = hub_only
        self._serving: Serving | None = None
        self._by_id = {model.id: i for i, model in enumerate(catalog.models)}
        self._by_new_id = {
            model.renamed_to: i for i, model in enumerate(catalog.models) if model.renamed_to
        }

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=self._middlewares())
        app.router.add_get("/api/models", self._list)
        app.router.add_get("/api/models/{namespace}/{repo}", self._info)
        app.router.add_get("/lists/{file:.+}", self._tracked_models)
        if not self._hub_only:
            openrouter.add_routes(app, self.catalog, self.clock)
            leaderboards.add_routes(app, self.catalog, self.clock)
            modelscope.add_routes(app, self.catalog, self.clock, self.counters)
        control.add_routes(app, self.clock, self.set_counters)
        self._serving = Serving(app, *self._address)
        await self._serving.__aenter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._serving is not None:
            await self._serving.__aexit__(None, None, None)

    @property
    def url(self) -> str:
        """The Hub's address."""
        if self._serving is None:
            raise RuntimeError("the simulated Hub is not running; use it with `async with`")
        return self._serving.url

    @property
    def tracked_models_url(self) -> str:
        """The base address of the tracked-models list."""
        return f"{self.url}/lists"

    @property
    def openrouter_url(self) -> str:
        """The address of the simulated OpenRouter."""
        return f"{self.url}{openrouter.PREFIX}"

    @property
    def arena_url(self) -> str:
        """The address of the simulated dataset viewer."""
        return f"{self.url}{leaderboards.ARENA_PREFIX}"

    @property
    def artificial_analysis_url(self) -> str:
        """The address of the simulated Artificial Analysis."""
        return f"{self.url}{leaderboards.ARTIFICIAL_ANALYSIS_PREFIX}"

    @property
    def modelscope_url(self) -> str:
        """The address of the simulated ModelScope."""
        return f"{self.url}{modelscope.PREFIX}"

    @property
    def addresses(self) -> dict[str, str]:
        """Every source's address, by the name of its setting."""
        hub = {"HF_ENDPOINT": self.url, "TRACKED_MODELS_URL": self.tracked_models_url}
        if self._hub_only:
            return hub
        return hub | {
            "OPENROUTER_BASE_URL": self.openrouter_url,
            "ARENA_BASE_URL": self.arena_url,
            "ARTIFICIAL_ANALYSIS_BASE_URL": self.artificial_analysis_url,
            "MODELSCOPE_ENDPOINT": self.modelscope_url,
        }

    def set_counters(self, series: Mapping[str, Series]) -> None:
        """Serve given counters for some models: {id: [(time, all_time, 30d), …]}.

        The latest entry not after the simulated time is served; None omits the counter, as does a
        time before the first entry. Raises `ValueError` for an unknown model.
        """
        self.counters.set(series)

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/simulation/"):
            return await handler(request)
        received = ReceivedRequest(
            request.method,
            request.path,
            list(request.query.items()),
            {name.lower(): value for name, value in request.headers.items()},
        )
        self.requests.append(received)
        del self.requests[:-KEPT_REQUESTS]
        response: web.StreamResponse = await handler(request)
        reset = request.transport is None or request.transport.is_closing()
        received.status = response.status if response.prepared or not reset else None
        return response

    @web.middleware
    async def _check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check token and rate limit."""
        if request.path.startswith("/simulation/"):
            return await handler(request)
        budget: dict[str, str] = {}
        if request.path.startswith("/api/"):
            client, limits = self._client(request)
            if limits is None:
                return responses.error(401, "Invalid credentials in Authorization header")
            granted, budget = self._budget.spend(client, limits, time.monotonic())
            if not granted:
                return responses.too_many_requests(request.remote, budget)
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = responses.error(404, "Sorry, we can't find the page you are looking for.")
        for name, value in budget.items():
            response.headers.setdefault(name, value)
        return response

    def _middlewares(self) -> list[Middleware]:
        """Return the middlewares, outermost first."""
        return [self._record, self._check]

    def _client(self, request: web.Request) -> tuple[str, Limits | None]:
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        if authorization is None:
            return f"ip {request.remote}", self._limits
        scheme, _, token = authorization.partition(" ")
        return f"token {token}", self._tokens.get(token) if scheme == "Bearer" else None

    async def _list(self, request: web.Request) -> web.Response:
        try:
            query = read_list_query(request.query)
        except QueryError as error:
            return responses.error(400, str(error))
        now = self.clock.now()
        snapshot = self.counters.at(milliseconds(now))
        places = self._listed(sorted_places(self._rows, query, snapshot, now))
        start, end, cursor = self._page(request, places, query)
        fields = query.fields or (FULL_FIELDS if query.full else DEFAULT_FIELDS)
        rows = [self._rows.row(i, fields, snapshot, now) for _, _, i in places[start:end]]
        response = responses.ok(self._served(request, rows))
        if cursor is not None:
            next_page = request.url.update_query(cursor=str(cursor))
            response.headers[hdrs.LINK] = f'<{next_page}>; rel="next"'
        return response

    def _listed(self, places: Sequence[Place]) -> Sequence[Place]:
        """Return the places that no incident leaves out of listings."""
        for incident in self.catalog.incidents:
            if isinstance(incident, TruncatedListing):
                missing = incident.missing(self.counters.population, self.clock.now_ms())
                places = [place for place in places if not missing[place[2]]]
        return places

    def _page(self, _request: web.Request, places: Sequence[Place], query: ListQuery) -> PageSpan:
        """Return the page of the sorted places that a request gets."""
        return page_span(places, query)

    def _served(self, _request: web.Request, rows: list[Row]) -> list[Row]:
        """Return models' rows as a request gets them."""
        return rows

    async def _info(self, request: web.Request) -> web.Response:
        model_id = "{namespace}/{repo}".format_map(request.match_info)
        now = self.clock.now()
        i = self._by_id.get(model_id, self._by_new_id.get(model_id))
        if i is None or not self._rows.exists(i, now):
            return responses.repository_not_found()
        current = self._rows.id_at(i, now)
        if current != model_id:
            if model_id != self.catalog.models[i].id:  # a new name before the renaming
                return responses.repository_not_found()
            return responses.moved(str(request.rel_url).replace(model_id, current, 1))
        if self._rows.is_private(i, now):
            return responses.private_repository()
        try:
            fields = read_fields(request.query, MODEL_FIELDS) or INFO_FIELDS
        except QueryError as error:
            return responses.error(400, str(error))
        row = self._rows.row(i, fields, self.counters.at(milliseconds(now)), now)
        served = self._served(request, [row])
        return responses.ok(served[0]) if served else responses.repository_not_found()

    async def _tracked_models(self, request: web.Request) -> web.Response:
        build = lists.FILES.get(request.match_info["file"])
        if build is None:
            return web.Response(status=404, text="404: Not Found")
        return web.Response(text=build(self.catalog, self.clock.now()))
