"""One attempt at a request: within the rate limit, following redirects."""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import httpx

from breakout.http.proxies import proxy_for
from breakout.observability import metrics
from breakout.settings_error import SettingsError
from collectors.http.body import LARGEST_ERROR_BODY, BodyError, BodyLimits, Response, read_body
from collectors.http.budget import Budget
from collectors.http.errors import SourceRefusedError, redacted_url
from collectors.http.rate_limit import (
    Policy,
    Remaining,
    parse_policies,
    parse_remaining,
    parse_retry_after,
    parse_x_ratelimit,
)
from collectors.http.redirects import Redirects

ContentT = TypeVar("ContentT")

_MOST_REDIRECTS = 5


class RetryableError(Exception):
    """This attempt failed; another may succeed."""

    def __init__(self, reason: str, *, status: int | None = None, connected: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.connected = connected


class RateLimitedError(Exception):
    """The source responded 429; `seconds` is the wait it demands."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Attempts:
    """Sends single requests to a source at `base`.

    `setting` and `token_setting` are the variables that errors name; `authorization` is a header
    that is sent to the origin of `base` only.
    """

    def __init__(
        self,
        name: str,
        base: httpx.URL,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        setting: str,
        token_setting: str | None,
        authorization: Mapping[str, str],
        total_seconds: float,
        concurrency: int,
    ) -> None:
        self._name = name
        self._base = base
        self._client = client
        self._budget = budget
        self._setting = setting
        self._token_setting = token_setting
        self._authorization = authorization
        self._total_seconds = total_seconds
        self._slots = asyncio.Semaphore(concurrency)
        self._redirects = Redirects(base.host)

    async def send(
        self,
        url: httpx.URL,
        parse: Callable[[Response], ContentT],
        limits: BodyLimits,
        headers: Mapping[str, str],
    ) -> tuple[Response, ContentT]:
        """GET a URL and parse the response; each redirect counts as a request.

        Raises `RetryableError`, `RateLimitedError`, `SourceRefusedError`, `BudgetError`.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._send(url, limits, headers)
            head = response.head
            location = head.headers.get("Location")
            if not head.is_redirect or not location:
                self._check_status(url, head)
                try:
                    content = parse(response)
                except ValueError as error:
                    raise self._broken(str(error)) from None
                self._count("ok")
                return response, content
            self._count("ok")
            try:
                url = _with_query(head.url.join(location), head.url)
                host = url.host  # raises for a name that IDNA cannot encode
            except (httpx.InvalidURL, ValueError):
                raise self._refused(url, head, "a redirect to an invalid URL") from None
            if url.scheme not in {"http", "https"}:
                raise self._refused(url, head, f"a redirect to {url.scheme}:")
            reason = await self._redirects.refusal(host)
            if reason is not None:
                raise self._refused(head.url, head, f"{reason}: check {self._setting}")
        raise self._refused(url, head, f"more than {_MOST_REDIRECTS} redirects")

    async def _send(
        self, url: httpx.URL, limits: BodyLimits, headers: Mapping[str, str]
    ) -> Response:
        async with self._slots:
            waited = await self._budget.acquire()
            metrics.SOURCE_WAIT_SECONDS.labels(self._name).inc(waited)
            remaining, policy = None, None
            try:
                async with asyncio.timeout(self._total_seconds):
                    response = await self._receive(url, limits, headers)
                remaining = _remaining(response.head.headers)
                policy = _strictest(response.head.headers.get("RateLimit-Policy", ""))
            except TimeoutError:
                reason = f"no complete response within {self._total_seconds:g} s"
                raise self._broken(reason) from None
            except httpx.TransportError as error:
                raise self._broken(*self._explain(error)) from None
            except (httpx.InvalidURL, UnicodeError):
                # httpx parses a redirect's Location even when it does not follow it.
                raise self._broken("a redirect to an invalid URL") from None
            except zlib.error:
                raise self._broken("the response's compression is corrupt") from None
            except SettingsError as error:
                # A proxy variable that applies to the redirect's target only.
                raise SourceRefusedError(self._name, redacted_url(url), 1, str(error)) from None
            finally:
                self._budget.returned(remaining, policy)
        self._apply_rate_limit(response.head)
        return response

    async def _receive(
        self, url: httpx.URL, limits: BodyLimits, headers: Mapping[str, str]
    ) -> Response:
        request = self._client.build_request(
            "GET", url, headers={**headers, **self._authorization_for(url)}
        )
        head = await self._client.send(request, stream=True)
        try:
            self._check_peer(url, head)
            if "Range" in headers and head.status_code == httpx.codes.OK:
                # Not read: it may be gigabytes.
                raise self._refused(url, head, "the server does not support range requests")
            if not head.is_success and limits.size < LARGEST_ERROR_BODY:
                limits = BodyLimits(LARGEST_ERROR_BODY)
            return Response(head, await read_body(head, limits))
        except BodyError as error:
            raise self._refused(url, head, str(error)) from None
        finally:
            await head.aclose()

    def _check_peer(self, url: httpx.URL, head: httpx.Response) -> None:
        """Check the address that was connected to: a name may resolve differently by then."""
        stream = head.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream else None
        if peer is None or proxy_for(str(url)) is not None:
            return
        reason = self._redirects.refusal_of_peer(url.host, peer[0])
        if reason is not None:
            raise self._refused(url, head, f"{reason}: check {self._setting}")

    def _apply_rate_limit(self, head: httpx.Response) -> None:
        """Block all requests when the response demands a wait. Raises `RateLimitedError`."""
        status = head.status_code
        if status not in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
            return
        now = datetime.now(UTC)
        seconds = parse_retry_after(head.headers.get("Retry-After", ""), now) or 0.0
        if status == httpx.codes.TOO_MANY_REQUESTS:
            # Often only X-RateLimit-Reset has the time at which a quota resets.
            quota = parse_x_ratelimit(head.headers, now)
            if quota is not None and not quota.remaining:
                seconds = max(seconds, quota.reset_seconds)
            self._count("rate_limited")
            raise RateLimitedError(seconds)
        if seconds:
            self._budget.block(seconds)

    def _check_status(self, url: httpx.URL, head: httpx.Response) -> None:
        status = head.status_code
        reason = f"HTTP {status} {head.reason_phrase}".rstrip()
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            self._count("server_error")
            raise RetryableError(reason, status=status)
        if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
            self._count("client_error")
            raise self._refused(url, head, reason)

    def _refused(self, url: httpx.URL, head: httpx.Response, reason: str) -> SourceRefusedError:
        status = head.status_code
        if status == httpx.codes.UNAUTHORIZED and self._token_setting:
            reason += f": check {self._token_setting}"
        if status == httpx.codes.GONE:
            reason += f": check {self._setting}"
        return SourceRefusedError(self._name, redacted_url(url), 1, reason, status=status)

    def _broken(self, reason: str, connected: bool = True) -> RetryableError:
        self._count("broken")
        return RetryableError(reason, connected=connected)

    def _explain(self, error: httpx.TransportError) -> tuple[str, bool]:
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {self._client.timeout.connect:g} s", False
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            return f"no connection ({error})", False
        if isinstance(error, httpx.ReadTimeout):
            return f"no data received for {self._client.timeout.read:g} s", True
        return f"the connection broke ({str(error) or type(error).__name__})", True

    def _authorization_for(self, url: httpx.URL) -> Mapping[str, str]:
        base = self._base
        same_origin = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
        return self._authorization if same_origin else {}

    def _count(self, outcome: str) -> None:
        metrics.SOURCE_REQUESTS.labels(self._name, outcome).inc()


def _with_query(target: httpx.URL, requested: httpx.URL) -> httpx.URL:
    """Return a redirect's target with the parameters of the request that it lacks.

    The Hub redirects a renamed model to its bare URL: without `expand[]` it returns other fields.
    Signed URLs of storage are the targets of requests without parameters.
    """
    lost = {
        name: requested.params.get_list(name)
        for name in requested.params
        if name not in target.params
    }
    return target.copy_merge_params(lost) if lost else target


def _remaining(headers: httpx.Headers) -> Remaining | None:
    limits = parse_remaining(headers.get("RateLimit", ""))
    least = min(limits, key=lambda limit: limit.remaining, default=None)
    return least or parse_x_ratelimit(headers, datetime.now(UTC))


def _strictest(header: str) -> Policy | None:
    policies = parse_policies(header)
    return min(policies, key=lambda policy: policy.limit / policy.window_seconds, default=None)
