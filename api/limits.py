"""Rate limits: requests a minute, by key, else by address."""

import math
from ipaddress import IPv6Address, ip_address
from time import monotonic

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.keys import Keys
from api.page.routes import ASSETS
from api.problems import ProblemError, response
from breakout.metrics import API_REFUSED
from breakout.settings import Settings

MOST_CLIENTS = 100_000


class Buckets:
    """How far each client is ahead of its rate; a whole minute's requests may come at once."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

    def take(self, client: str, rate: int, now: float) -> float:
        """Count a request; returns 0, or the seconds until there is room, when there is none."""
        step = 60 / rate
        free_at = max(self._free_at.get(client, now), now) + step
        over = free_at - now - 60
        # Sums of steps miss a minute by a rounding error.
        if over > step / 1000:
            return over
        if len(self._free_at) >= MOST_CLIENTS:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[client] = free_at
        return 0.0


class Limited:
    """Sends away with 429 who asks too often, and with 401 who has a wrong key."""

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        await (response(refused) if refused else self._app)(scope, receive, send)

    def _refused(self, scope: Scope) -> ProblemError | None:
        if scope["path"].startswith(f"{ASSETS}/"):
            # Files of the page: they ask the database nothing.
            return None
        client, rate = _network(scope), self._settings.api_rate
        given = Headers(scope=scope).get("x-api-key")
        if given is not None:
            key = self._keys.find(given)
            if key is None:
                API_REFUSED.labels("key").inc()
                # Guesses count as well.
                self._buckets.take(client, rate, monotonic())
                wrong = "is unknown: leave it out, or use one of `breakout api key`"
                return ProblemError(401, f"X-API-Key: {wrong}", errors={"X-API-Key": wrong})
            client, rate = f"key {key.name}", key.rate or self._settings.api_key_rate
        seconds = self._buckets.take(client, rate, monotonic())
        if not seconds:
            return None
        API_REFUSED.labels("rate").inc()
        wait = math.ceil(seconds)
        return ProblemError(
            429,
            f"More than {rate} requests a minute: come again in {wait} s, or use a key",
            headers={"Retry-After": str(wait)},
        )


def _network(scope: Scope) -> str:
    """Return who asks: an IPv4 address, or the 64 bits of an IPv6 one that a site has."""
    host = (scope.get("client") or ("unknown",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(int(address) >> 64)
    return str(address)
