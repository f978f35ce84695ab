"""Rate limits: requests and seconds of queries a minute, by key, else by address."""

import math
from time import monotonic

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.clients import Client, asking, current, networks
from api.keys import Keys
from api.page.routes import ASSETS
from api.problems import ProblemError, response
from api.token_buckets import Buckets
from breakout.observability.metrics import API_REFUSED
from breakout.settings import Settings


class Limited:
    """Sends away with 429 who asks too often or for too much, and with 401 who has a wrong key.

    `costs` are the seconds of queries that clients have used.
    """

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys, costs: Buckets) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._trusted = networks(settings.api_trusted_proxies)
        self._requests = Buckets()
        self._costs = costs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        await (response(refused) if refused else self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> ProblemError | None:
        """Return why a request is refused; of one that is not, remember who asks."""
        address, rate = asking(scope, self._trusted), self._settings.api_requests_per_minute
        query_rate = self._settings.api_query_seconds_per_minute
        current.set(Client(address, query_rate))
        if scope["path"].startswith(f"{ASSETS}/"):
            # Files of the page: they ask the database nothing.
            return None
        given = Headers(scope=scope).get("x-api-key")
        if given is not None:
            key = self._keys.find(given)
            if key is None:
                API_REFUSED.labels("key").inc()
                # Guesses count as well.
                self._requests.take(address, rate, monotonic())
                wrong = "is unknown: leave it out, or use one of `breakout api key`"
                return ProblemError(401, f"X-API-Key: {wrong}", errors={"X-API-Key": wrong})
            rate = key.rate or self._settings.api_key_requests_per_minute
            # Who may ask more often may use as much more.
            current.set(
                Client(
                    f"key {key.name}", query_rate * rate / self._settings.api_requests_per_minute
                )
            )
        client, now = current.get(), monotonic()
        over = self._costs.ahead(client.name, now) - 60
        if over > 0:
            return _later("cost", f"More than {client.query_rate:g} s of queries a minute", over)
        seconds = self._requests.take(client.name, rate, now)
        return _later("rate", f"More than {rate} requests a minute", seconds) if seconds else None


def _later(why: str, detail: str, seconds: float) -> ProblemError:
    API_REFUSED.labels(why).inc()
    wait = math.ceil(seconds)
    return ProblemError(
        429,
        f"{detail}: come again in {wait} s, or use a key",
        headers={"Retry-After": str(wait)},
    )
