"""The one way collectors talk HTTP: timeouts, retries with full jitter, a shared budget."""

import asyncio
import json
import re
import sys
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import structlog
from pydantic import SecretStr

from breakout import __version__
from breakout.http.proxies import ByProxy, proxy_for
from breakout.observability import metrics
from breakout.retry import RetryPolicy
from breakout.settings_error import SettingsError
from collectors.http.budget import Budget, BudgetError
from collectors.http.links import LinkError, next_link
from collectors.http.rate_limit import (
    Policy,
    Remaining,
    parse_policies,
    parse_remaining,
    parse_retry_after,
    parse_x_ratelimit,
)
from collectors.http.redirects import Redirects

log = structlog.get_logger(__name__)

ContentT = TypeVar("ContentT")

LARGEST_ANSWER = 16 << 20
"""Bytes of an answer, without its compression, that are read at most."""
MOST_VALUES = 1_000_000
"""Values of a JSON answer that are read at most: in memory each takes up to a hundred times the
three bytes it has on the way. A page of the Hub has some 100,000."""
LARGEST_PART = 64 << 20
"""Bytes of a range of a file that are read at most."""

_LARGEST_REFUSAL = 1 << 20
"""Bytes of an error or a redirect that are read, however few were asked for."""
_MOST_REDIRECTS = 5
_PIECE = 1 << 20
"""Bytes that are decompressed at once."""
_CONTENT_RANGE = re.compile(r"bytes (?P<first>\d+)-(?P<last>\d+)/(?P<total>\d+)")


@dataclass(frozen=True)
class Patience:
    """How long to wait for a source, in seconds, and how often to try again."""

    connect: float = 10.0
    read: float = 30.0
    """Between two pieces of an answer."""
    total: float = 120.0
    """For one request, from its first byte to its answer's last."""
    attempts: int = 5
    backoff: float = 0.5
    """The n-th retry waits a random time of up to this times 2 to the n-1."""
    longest_backoff: float = 30.0
    longest_limit_wait: float = 900.0
    """A rate limit that asks for more is a failure."""
    limited_attempts: int = 20
    concurrency: int = 4


DEFAULT_PATIENCE = Patience()


class SourceError(Exception):
    """A source did not give what was asked.

    The message says what was asked (an address without secrets), how often, and why it failed
    last. `status` is the last HTTP status, null when there was none. `retry_after` is how many
    seconds the source asks to wait, where it asks for more than a request waits.
    """

    def __init__(
        self,
        source: str,
        url: str,
        attempts: int,
        reason: str,
        *,
        status: int | None = None,
        retry_after: float = 0.0,
    ) -> None:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(f"{source}: {url}: {reason} ({times})")
        self.url = url
        self.attempts = attempts
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


class SourceRefusedError(SourceError):
    """The source answered with a 4xx that no retry mends."""


class SourceUnreachableError(SourceError):
    """No connection could be made."""


@dataclass(frozen=True)
class Answer:
    """A source's answer: its JSON, and where the next page is, if any."""

    content: Any
    next_page: str | None
    values: int = 0
    """How many values it has at most."""


@dataclass(frozen=True)
class Part:
    """A range of a file."""

    content: bytes
    total: int
    """Bytes of the whole file."""
    etag: str | None


@dataclass(frozen=True)
class _Most:
    """What an answer may hold; more of it is not read."""

    size: int
    """Bytes, without compression."""
    values: int | None = None
    """Values, where it is JSON."""


class _RetryError(Exception):
    """This attempt failed; another may not."""

    def __init__(self, reason: str, *, status: int | None = None, connected: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.connected = connected


class _LimitedError(Exception):
    """The source wants fewer requests, and none for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Source:
    """One source of the collectors, as an async context manager.

        async with Source("huggingface", "https://huggingface.co", "HF_ENDPOINT") as hub:
            answer = await hub.json("/api/models", {"author": "acorn"})

    `setting` is the variable that holds the address, named when the address is at fault. The
    token goes to that address's origin only: as a bearer token, or bare in a header of its own.
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
        patience: Patience = DEFAULT_PATIENCE,
    ) -> None:
        self.name = name
        self.setting = setting
        self._token_setting = token_setting
        self.concurrency = patience.concurrency
        self._patience = patience
        self._retries = RetryPolicy(
            first_wait_seconds=patience.backoff,
            max_wait_seconds=patience.longest_backoff,
            jitter=1.0,
            attempts=patience.attempts,
        )
        self._budget = Budget(policy, longest_wait=patience.longest_limit_wait)
        self._slots = asyncio.Semaphore(patience.concurrency)
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        self._base = httpx.URL(urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", "")))
        self._redirects = Redirects(self._base.host)
        self._auth_header = token_header
        self._auth = _authorization(
            parts.username, parts.password, token, token_setting, token_header
        )
        proxy_for(str(self._base))  # so that a wrong variable is told of before anything is asked
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            transport=ByProxy(httpx.Limits(max_connections=patience.concurrency)),
            headers={"User-Agent": f"breakout/{__version__}", "Accept-Encoding": "gzip"},
        )

    async def __aenter__(self) -> Self:
        """Return the source itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def json(self, path: str, params: Iterable[tuple[str, str]] = ()) -> Answer:
        """GET a path below the source's address, or a `next_page`, and read its JSON.

        Raises `SourceError`, `SourceRefusedError` for a 4xx, `SourceUnreachableError`.
        """
        url = self._url(path, params)
        most = _Most(LARGEST_ANSWER, MOST_VALUES)
        response, content = await self._get(url, _read_json, most)
        return Answer(content, self._next_page(url, response), _values(response.content))

    async def content(self, path: str) -> bytes:
        """GET a path below the source's address; raises as `json` does."""
        _, content = await self._get(self._url(path), _read_bytes, _Most(LARGEST_ANSWER))
        return content

    async def range(self, path: str, start: int, length: int) -> Part:
        """GET a range of a file below the source's address, `start` and `length` in bytes.

        Raises as `json` does; `SourceRefusedError` when the server would send the whole file.
        """
        if length > LARGEST_PART:
            why = f"{length:,} bytes of it at once, more than {LARGEST_PART >> 20} MiB"
            raise SourceError(self.name, public(self._url(path)), 0, why)

        def read(response: httpx.Response) -> Part:
            return _read_part(response, start, length)

        # Compressed on the way, the bytes would not be those of the range.
        headers = {
            "Range": f"bytes={start}-{start + length - 1}",
            "Accept-Encoding": "identity",
        }
        _, part = await self._get(self._url(path), read, _Most(length), headers)
        return part

    async def each(self, names: Iterable[str], do: Callable[[str], Awaitable[None]]) -> None:
        """Do something for each name, as many at once as the source takes requests."""
        queue = iter(names)

        async def work() -> None:
            for name in queue:
                await do(name)

        async with asyncio.TaskGroup() as workers:
            for _ in range(self.concurrency):
                workers.create_task(work())

    def _url(self, path: str, params: Iterable[tuple[str, str]] = ()) -> httpx.URL:
        if path.startswith("/"):
            url = self._base.copy_with(raw_path=self._base.raw_path.rstrip(b"/") + path.encode())
        else:
            url = httpx.URL(path)
        return url.copy_merge_params(list(params)) if params else url

    def _next_page(self, asked: httpx.URL, response: httpx.Response) -> str | None:
        """Return where the next page is at the configured address.

        A mirror may well link to what it mirrors, without the path that leads to the mirror.
        """
        try:
            link = next_link(response.headers.get("Link", ""))
            if link is None:
                return None
            page = response.url.join(link)
            path, _, query = page.raw_path.partition(b"?")
            base = self._base.raw_path.rstrip(b"/")
            own = asked.raw_path.partition(b"?")[0]
            if path.endswith(own.removeprefix(base)):
                path = own
            elif not path.startswith(base + b"/"):
                path = base + path
            return str(self._base.copy_with(raw_path=path + b"?" + query if query else path))
        except LinkError as error:
            why = str(error)
        except (httpx.InvalidURL, ValueError):
            why = "its link to the next page is no address"
        raise SourceError(self.name, public(response.url), 1, why)

    async def _get(
        self,
        url: httpx.URL,
        read: Callable[[httpx.Response], ContentT],
        most: _Most,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[httpx.Response, ContentT]:
        failures = limited = 0
        while True:
            try:
                return await self._attempt(url, read, most, headers)
            except _LimitedError as error:
                limited += 1
                self._budget.block(max(error.seconds, self._retries.wait_seconds(limited)))
                if limited >= self._patience.limited_attempts:
                    raise self._over_limit(url, failures + limited, "rate limited") from None
                wait = self._budget.seconds_to_wait()
                log.info("rate limited", source=self.name, wait_seconds=round(wait, 1))
                continue
            except BudgetError as error:
                raise self._over_limit(
                    url, failures + limited + 1, str(error), error.seconds
                ) from None
            except _RetryError as error:
                failures += 1
                if failures >= self._patience.attempts:
                    raise self._final(url, failures, error) from None
                wait = self._retries.wait_seconds(failures)
                log.warning(
                    "request failed, trying again",
                    source=self.name,
                    url=public(url),
                    reason=error.reason,
                    attempt=failures,
                    wait_seconds=round(wait, 2),
                )
            await asyncio.sleep(wait)

    async def _attempt(
        self,
        url: httpx.URL,
        read: Callable[[httpx.Response], ContentT],
        most: _Most,
        headers: Mapping[str, str],
    ) -> tuple[httpx.Response, ContentT]:
        """Send once, following redirects, each of which counts as a request."""
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._send(url, most, headers)
            location = response.headers.get("Location")
            if not response.is_redirect or not location:
                self._check(url, response)
                try:
                    content = read(response)
                except ValueError as error:
                    raise self._broken(str(error)) from None
                self._count("ok")
                return response, content
            self._count("ok")
            try:
                url = _with_query(response.url.join(location), response.url)
                host = url.host  # which a name may not be able to become
            except (httpx.InvalidURL, ValueError):
                raise self._refused(url, response, "a redirect to no valid address") from None
            if url.scheme not in {"http", "https"}:
                raise self._refused(url, response, f"a redirect to {url.scheme}:")
            why = await self._redirects.refusal(host)
            if why is not None:
                raise self._refused(response.url, response, f"{why}: check {self.setting}")
        raise self._refused(url, response, f"more than {_MOST_REDIRECTS} redirects")

    async def _send(
        self, url: httpx.URL, most: _Most, headers: Mapping[str, str]
    ) -> httpx.Response:
        async with self._slots:
            waited = await self._budget.acquire()
            metrics.SOURCE_WAIT_SECONDS.labels(self.name).inc(waited)
            remaining, policy = None, None
            try:
                async with asyncio.timeout(self._patience.total):
                    response = await self._answer(url, most, headers)
                remaining = _least(response.headers.get("RateLimit", "")) or parse_x_ratelimit(
                    response.headers, datetime.now(UTC)
                )
                policy = _strictest(response.headers.get("RateLimit-Policy", ""))
            except TimeoutError:
                raise self._broken(f"no whole answer within {self._patience.total:g} s") from None
            except httpx.TransportError as error:
                raise self._broken(*self._explain(error)) from None
            except (httpx.InvalidURL, UnicodeError):
                # The client looks at where a redirect leads even when it does not follow.
                raise self._broken("a redirect to no valid address") from None
            except zlib.error:
                raise self._broken("the answer's compression is broken") from None
            except SettingsError as error:
                # Of a proxy on the way to where a redirect leads.
                raise SourceRefusedError(self.name, public(url), 1, str(error)) from None
            finally:
                self._budget.returned(remaining, policy)
        self._heed(response)
        return response

    async def _answer(
        self, url: httpx.URL, most: _Most, headers: Mapping[str, str]
    ) -> httpx.Response:
        request = self._client.build_request(
            "GET", url, headers={**headers, **self._headers_for(url)}
        )
        response = await self._client.send(request, stream=True)
        try:
            self._check_peer(url, response)
            if "Range" in headers and response.status_code == httpx.codes.OK:
                # Not read: it may be gigabytes.
                raise self._refused(url, response, "the server sends whole files only, no ranges")
            whole = response.is_success or most.size >= _LARGEST_REFUSAL
            await self._read_body(url, response, most if whole else _Most(_LARGEST_REFUSAL))
        finally:
            await response.aclose()
        return response

    def _check_peer(self, url: httpx.URL, response: httpx.Response) -> None:
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream else None
        if peer is None or proxy_for(str(url)) is not None:
            return
        why = self._redirects.refusal_of_peer(url.host, peer[0])
        if why is not None:
            raise self._refused(url, response, f"{why}: check {self.setting}")

    async def _read_body(self, url: httpx.URL, response: httpx.Response, most: _Most) -> None:
        """Read the body piece by piece, no further than it may go."""
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in {"", "identity", "gzip"}:
            # What a few bytes of another, or of one in another, grow to has no bound.
            raise self._refused(url, response, f"it is compressed as {coding[:80]!r}, unasked")
        pieces, size, values = [], 0, 0
        async for piece in _plain(response, compressed=coding == "gzip"):
            size += len(piece)
            if size > most.size:
                shown = f"{most.size >> 20} MiB" if most.size >> 20 else f"{most.size:,} bytes"
                raise self._refused(url, response, f"the answer is larger than {shown}")
            if most.values is not None:
                # Before it is parsed: `{},` is three bytes here, and 72 as an object.
                values += _values(piece)
                if values > most.values:
                    why = f"the answer has more than {most.values:,} values"
                    raise self._refused(url, response, why)
            pieces.append(piece)
        response._content = b"".join(pieces)  # noqa: SLF001

    def _heed(self, response: httpx.Response) -> None:
        """Hold everybody back when the response says so."""
        status = response.status_code
        if status not in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
            return
        header = response.headers.get("Retry-After", "")
        seconds = parse_retry_after(header, datetime.now(UTC)) or 0.0
        if status == httpx.codes.TOO_MANY_REQUESTS:
            # A quota says when it is refilled, and often nothing else.
            told = parse_x_ratelimit(response.headers, datetime.now(UTC))
            if told is not None and not told.remaining:
                seconds = max(seconds, told.reset_seconds)
            self._count("rate_limited")
            raise _LimitedError(seconds)
        if seconds:
            self._budget.block(seconds)

    def _check(self, url: httpx.URL, response: httpx.Response) -> None:
        status = response.status_code
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            self._count("server_error")
            raise _RetryError(f"HTTP {status} {response.reason_phrase}".rstrip(), status=status)
        if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
            self._count("client_error")
            raise self._refused(url, response, f"HTTP {status} {response.reason_phrase}".rstrip())

    def _refused(self, url: httpx.URL, response: httpx.Response, reason: str) -> SourceRefusedError:
        if response.status_code == httpx.codes.UNAUTHORIZED and self._token_setting:
            reason += f": check {self._token_setting}"
        if response.status_code == httpx.codes.GONE:
            reason += f": check {self.setting}"
        return SourceRefusedError(self.name, public(url), 1, reason, status=response.status_code)

    def _final(self, url: httpx.URL, attempts: int, error: _RetryError) -> SourceError:
        if not error.connected:
            return SourceUnreachableError(
                self.name, public(url), attempts, f"{error.reason}: check {self.setting}"
            )
        return SourceError(self.name, public(url), attempts, error.reason, status=error.status)

    def _over_limit(
        self, url: httpx.URL, attempts: int, reason: str, seconds: float = 0.0
    ) -> SourceError:
        return SourceError(
            self.name,
            public(url),
            attempts,
            reason,
            status=httpx.codes.TOO_MANY_REQUESTS,
            retry_after=seconds,
        )

    def _broken(self, reason: str, connected: bool = True) -> _RetryError:
        self._count("broken")
        return _RetryError(reason, connected=connected)

    def _explain(self, error: httpx.TransportError) -> tuple[str, bool]:
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {self._patience.connect:g} s", False
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            return f"no connection ({error})", False
        if isinstance(error, httpx.ReadTimeout):
            return f"the answer stood still for {self._patience.read:g} s", True
        return f"the connection broke ({str(error) or type(error).__name__})", True

    def _headers_for(self, url: httpx.URL) -> dict[str, str]:
        own = (url.scheme, url.host, url.port) == (
            self._base.scheme,
            self._base.host,
            self._base.port,
        )
        return {self._auth_header: self._auth} if self._auth and own else {}

    def _count(self, outcome: str) -> None:
        metrics.SOURCE_REQUESTS.labels(self.name, outcome).inc()


def public(url: httpx.URL) -> str:
    """Return an address fit for a log: no user, password or query."""
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{url.host}{port}{url.path}"


def _with_query(target: httpx.URL, asked: httpx.URL) -> httpx.URL:
    """Return where a redirect leads, with what was asked for and the redirect says nothing of.

    The Hub redirects a renamed model to its bare address: without `expand[]` it answers other
    fields. Addresses that storage signs come for what is asked without parameters.
    """
    lost = {name: asked.params.get_list(name) for name in asked.params if name not in target.params}
    return target.copy_merge_params(lost) if lost else target


async def _plain(response: httpx.Response, *, compressed: bool) -> AsyncIterator[bytes]:
    """Yield the body without its compression, in pieces of a bounded size.

    Raises `zlib.error`, also for what ends before its compression does.
    """
    if not compressed:
        async for piece in response.aiter_raw():
            yield piece
        return
    gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    empty = True
    async for piece in response.aiter_raw():
        left, empty = piece, False
        while left:
            if gzip.eof:
                gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            yield gzip.decompress(left, _PIECE)
            left = gzip.unused_data if gzip.eof else gzip.unconsumed_tail
    if not (empty or gzip.eof):
        raise zlib.error("the end is missing")


def _values(piece: bytes) -> int:
    """Return how many values begin in a piece of JSON at most.

    Every value but the first comes after one of these signs, which texts may have as well.
    """
    return piece.count(b",") + piece.count(b"[") + piece.count(b"{")


def _read_json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content, parse_int=_integer)
    except RecursionError:
        raise ValueError("the answer is not JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the answer is not JSON: {error}") from None


def _read_part(response: httpx.Response, start: int, length: int) -> Part:
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if told is None:
        raise ValueError("the answer does not say which range it is")
    first, last, total = int(told["first"]), int(told["last"]), int(told["total"])
    if last - first + 1 != len(response.content):
        raise ValueError("the answer is not the range it says it is")
    if (first, last) != (start, min(start + length, total) - 1):
        raise ValueError("the answer is another range than was asked for")
    return Part(response.content, total, response.headers.get("ETag"))


def _integer(digits: str) -> int | str:
    """Keep a number too long to convert as text: it is one row's fault, not the whole page's."""
    return int(digits) if len(digits) <= sys.int_info.default_max_str_digits else digits


def _read_bytes(response: httpx.Response) -> bytes:
    return response.content


def _least(header: str) -> Remaining | None:
    return min(parse_remaining(header), key=lambda told: told.remaining, default=None)


def _strictest(header: str) -> Policy | None:
    policies = parse_policies(header)
    return min(policies, key=lambda told: told.limit / told.window_seconds, default=None)


def _authorization(
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
