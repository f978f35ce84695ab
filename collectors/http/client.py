"""HTTP client of the collectors: timeouts, retries with full jitter, a shared rate limit."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import structlog
from pydantic import SecretStr

from breakout import __version__
from breakout.http.proxies import ByProxy, proxy_for
from breakout.retry import RetryPolicy
from breakout.settings_error import SettingsError
from collectors.http.attempt import Attempts, RateLimitedError, RetryableError
from collectors.http.body import (
    LARGEST_RANGE,
    MOST_VALUES,
    BodyLimits,
    FileRange,
    Response,
    count_values,
    parse_json,
    parse_range,
)
from collectors.http.budget import Budget, BudgetError
from collectors.http.errors import SourceError, SourceUnreachableError, redacted_url
from collectors.http.links import LinkError, next_page_url
from collectors.http.rate_limit import Policy

log = structlog.get_logger(__name__)

ContentT = TypeVar("ContentT")

DEFAULT_RETRIES = RetryPolicy(0.5, 30.0, jitter=1.0, attempts=5)


@dataclass(frozen=True)
class RequestPolicy:
    """How long to wait for a source, in seconds, how often to retry, and how many at once."""

    connect: float = 10.0
    read: float = 30.0
    """Between two reads of a response."""
    total: float = 120.0
    """For one request, from its first byte to the last of its response."""
    retries: RetryPolicy = DEFAULT_RETRIES
    longest_limit_wait: float = 900.0
    """A rate limit that demands more is an error."""
    limited_attempts: int = 20
    concurrency: int = 4


DEFAULT_REQUEST_POLICY = RequestPolicy()


@dataclass(frozen=True)
class JsonPage:
    """A JSON response, and where the next page is, if any."""

    content: Any
    next_page: str | None
    values: int = 0
    """Upper bound of its number of values."""


class Source:
    """HTTP client of one source, as an async context manager.

        async with Source("huggingface", "https://huggingface.co", "HF_ENDPOINT") as hub:
            page = await hub.json("/api/models", [("author", "acorn")])

    `setting` is the variable with the base URL `address`, for error messages. The token is sent
    to the origin of that URL only: as a bearer token, or as the value of `token_header`.
    """

    def __init__(
        self,
        name: str,
        address: str,
        setting: str,
        *,
        token: SecretStr | None = None,
        token_setting: str | None = None,
        token_header: str = "Authorization",  # noqa: S107
        policy: Policy | None = None,
        request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY,
    ) -> None:
        self.name = name
        self.setting = setting
        self._request_policy = request_policy
        self._budget = Budget(policy, longest_wait=request_policy.longest_limit_wait)
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        self._base = httpx.URL(urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")))
        credentials = _credentials(
            parts.username, parts.password, token, token_setting, token_header
        )
        proxy_for(str(self._base))  # raises for an invalid proxy variable
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(request_policy.read, connect=request_policy.connect),
            transport=ByProxy(httpx.Limits(max_connections=request_policy.concurrency)),
            headers={"User-Agent": f"breakout/{__version__}", "Accept-Encoding": "gzip"},
        )
        self._attempts = Attempts(
            name,
            self._base,
            self._client,
            self._budget,
            setting=setting,
            token_setting=token_setting,
            authorization={token_header: credentials} if credentials else {},
            total_seconds=request_policy.total,
            concurrency=request_policy.concurrency,
        )

    async def __aenter__(self) -> Self:
        """Return the source itself."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def json(self, path: str, params: Iterable[tuple[str, str]] = ()) -> JsonPage:
        """GET a path below the base URL, or a `next_page`, and parse its JSON.

        Raises `SourceError`: `SourceRefusedError` for a 4xx, `SourceUnreachableError`.
        """
        url = self._url(path, params)
        response, content = await self._get(url, parse_json, BodyLimits(values=MOST_VALUES))
        try:
            page = next_page_url(self._base, url, response.head)
        except LinkError as error:
            raise SourceError(self.name, redacted_url(response.head.url), 1, str(error)) from None
        return JsonPage(content, page, count_values(response.body))

    async def content(self, path: str) -> bytes:
        """GET a path below the base URL; raises as `json` does."""
        _, content = await self._get(self._url(path), lambda response: response.body, BodyLimits())
        return content

    async def range(self, path: str, start: int, length: int) -> FileRange:
        """GET a range of a file below the base URL, `start` and `length` in bytes.

        Raises as `json` does; `SourceRefusedError` when the server ignores the Range header.
        """
        url = self._url(path)
        if length > LARGEST_RANGE:
            reason = f"a range of {length:,} bytes, more than {LARGEST_RANGE >> 20} MiB"
            raise SourceError(self.name, redacted_url(url), 0, reason)
        # A range of a compressed representation is another range.
        headers = {
            "Range": f"bytes={start}-{start + length - 1}",
            "Accept-Encoding": "identity",
        }
        _, file_range = await self._get(
            url, lambda response: parse_range(response, start, length), BodyLimits(length), headers
        )
        return file_range

    async def for_each(self, names: Iterable[str], do: Callable[[str], Awaitable[None]]) -> None:
        """Await `do` for each name, as many at once as the source allows requests."""
        queue = iter(names)

        async def work() -> None:
            for name in queue:
                await do(name)

        async with asyncio.TaskGroup() as workers:
            for _ in range(self._request_policy.concurrency):
                workers.create_task(work())

    def _url(self, path: str, params: Iterable[tuple[str, str]] = ()) -> httpx.URL:
        if path.startswith("/"):
            url = self._base.copy_with(raw_path=self._base.raw_path.rstrip(b"/") + path.encode())
        else:
            url = httpx.URL(path)
        return url.copy_merge_params(list(params)) if params else url

    async def _get(
        self,
        url: httpx.URL,
        parse: Callable[[Response], ContentT],
        limits: BodyLimits,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Response, ContentT]:
        retries = self._request_policy.retries
        failures = limited = 0
        while True:
            try:
                return await self._attempts.send(url, parse, limits, headers)
            except RateLimitedError as error:
                limited += 1
                self._budget.block(max(error.seconds, retries.wait_seconds(limited)))
                if limited >= self._request_policy.limited_attempts:
                    raise self._over_limit(url, failures + limited, "rate limited") from None
                wait = self._budget.seconds_to_wait()
                log.info("rate limited", source=self.name, wait_seconds=round(wait, 1))
                continue
            except BudgetError as error:
                raise self._over_limit(
                    url, failures + limited + 1, str(error), error.seconds
                ) from None
            except RetryableError as error:
                failures += 1
                if failures == retries.attempts:
                    raise self._final(url, failures, error) from None
                wait = retries.wait_seconds(failures)
                log.warning(
                    "request failed, retrying",
                    source=self.name,
                    url=redacted_url(url),
                    reason=error.reason,
                    attempt=failures,
                    wait_seconds=round(wait, 2),
                )
            await asyncio.sleep(wait)

    def _final(self, url: httpx.URL, attempts: int, error: RetryableError) -> SourceError:
        address = redacted_url(url)
        if not error.connected:
            reason = f"{error.reason}: check {self.setting}"
            return SourceUnreachableError(self.name, address, attempts, reason)
        return SourceError(self.name, address, attempts, error.reason, status=error.status)

    def _over_limit(
        self, url: httpx.URL, attempts: int, reason: str, seconds: float = 0.0
    ) -> SourceError:
        return SourceError(
            self.name,
            redacted_url(url),
            attempts,
            reason,
            status=httpx.codes.TOO_MANY_REQUESTS,
            retry_after=seconds,
        )


def _credentials(
    user: str | None,
    password: str | None,
    token: SecretStr | None,
    token_setting: str | None,
    header: str,
) -> str | None:
    secret = token.get_secret_value().strip() if token else ""
    if secret:
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            # Never repeat it: it is a secret even when mistyped.
            raise SettingsError(f"{token_setting}: must be one word of ASCII characters")
        return f"Bearer {secret}" if header == "Authorization" else secret
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"
