"""Rate limits per client: requests, and seconds of queries, per minute."""

import math
from time import monotonic

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.clients import Client, current_client, identify_client, parse_networks
from api.keys import Keys
from api.page.routes import ASSETS
from api.problems import ProblemError, parameter_problem, response
from api.token_buckets import TokenBuckets
from breakout.observability.metrics import API_REFUSED
from breakout.settings import Settings


class RateLimitMiddleware:
    """Responds with 429 above a limit, and with 401 to an unknown API key.

    `costs` holds the seconds of queries that clients have used.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys, costs: TokenBuckets) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._trusted = parse_networks(settings.api_trusted_proxies)
        self._requests = TokenBuckets()
        self._costs = costs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._check(scope)
        await (response(problem) if problem else self._app)(scope, receive, send)

    def _check(self, scope: Scope) -> ProblemError | None:
        """Set the current client, and return the problem of a request that is refused."""
        address, rate = (
            identify_client(scope, self._trusted),
            self._settings.api_requests_per_minute,
        )
        query_rate = self._settings.api_query_seconds_per_minute
        current_client.set(Client(address, query_rate))
        if scope["path"].startswith(f"{ASSETS}/"):
            # The page's static files cost no query.
            return None
        api_key = Headers(scope=scope).get("x-api-key")
        if api_key is not None:
            key = self._keys.find(api_key)
            if key is None:
                API_REFUSED.labels("key").inc()
                # Guesses count against the address's limit.
                self._requests.take(address, rate, monotonic())
                return parameter_problem(
                    "X-API-Key",
                    "unknown key; use one that `breakout api key` made, or omit the header",
                    status=401,
                )
            rate = key.rate or self._settings.api_key_requests_per_minute
            # The limit of query time grows with the limit of requests.
            current_client.set(
                Client(
                    f"key {key.name}", query_rate * rate / self._settings.api_requests_per_minute
                )
            )
        client, now = current_client.get(), monotonic()
        over = self._costs.deficit(client.name, now) - 60
        if over > 0:
            limit = f"{client.query_rate:g} s of queries per minute"
            return _too_many("cost", limit, over)
        seconds = self._requests.take(client.name, rate, now)
        return _too_many("rate", f"{rate} requests per minute", seconds) if seconds else None


def _too_many(why: str, limit: str, seconds: float) -> ProblemError:
    API_REFUSED.labels(why).inc()
    wait = math.ceil(seconds)
    return ProblemError(
        429,
        f"Over the limit of {limit}: retry in {wait} s, or use an API key",
        headers={"Retry-After": str(wait)},
    )
