"""The connection to an API: requests, retries, and what a response becomes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx
import pyarrow as pa

from breakout.client.errors import BreakoutError, error_of, is_transient
from breakout.client.operations import Operations
from breakout.client.parameters import Value
from breakout.client.result import Result
from breakout.http.proxies import certificates, proxy_for
from breakout.retry import RetryPolicy
from breakout.settings_error import SettingsError

_ARROW = "application/vnd.apache.arrow.stream"
_KEY = "X-API-Key"
_RETRY_POLICY = RetryPolicy(first_wait_seconds=0.5, max_wait_seconds=60.0, jitter=0.0)

Query = list[tuple[str, str | int | float | bool | None]]


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Breakout(Operations):
    """The API at a URL; `key` is an API key, if you have one.

    A request that fails for now (429, 503, no response) is retried after the time the API asks
    for, at most `tries` attempts in total. Then, and for any other failure, `BreakoutError` is
    raised.
    """

    def __init__(
        self, url: str, *, key: str | None = None, tries: int = 5, timeout_seconds: float = 120.0
    ) -> None:
        headers = {"Accept": _ARROW} | ({_KEY: key} if key else {})
        self._base = url.rstrip("/") + "/"
        self._retries = replace(_RETRY_POLICY, attempts=tries)
        origin = _origin(httpx.URL(self._base))

        def keep_key(request: httpx.Request) -> None:
            # httpx sends every header but Authorization to the host of a redirect.
            if _origin(request.url) != origin:
                request.headers.pop(_KEY, None)

        try:
            proxy = proxy_for(self._base)
            transport = httpx.HTTPTransport(
                verify=certificates(), proxy=proxy.url if proxy else None
            )
        except SettingsError as error:
            raise BreakoutError(str(error)) from error
        self._http = httpx.Client(
            transport=transport,
            headers=headers,
            timeout=timeout_seconds,
            follow_redirects=True,
            event_hooks={"request": [keep_key]},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _request(
        self, path: str, parameters: Mapping[str, Value], models: Iterable[str] = ()
    ) -> Result:
        query: Query = [
            (name, text) for name, value in parameters.items() for text in _texts(value)
        ]
        query += [("model", model) for model in models]
        response = self._get(urljoin(self._base, f"v1/{path}"), query)
        try:
            table = pa.ipc.open_stream(response.content).read_all()
        except pa.ArrowInvalid as error:
            raise BreakoutError(
                f"the server at {self._base} is not Breakout's API: {error}", response.status_code
            ) from error
        headers = response.headers
        return Result(
            table,
            as_of=headers.get("Breakout-As-Of", ""),
            url=urljoin(str(response.url), headers.get("Content-Location", "")),
            citation=headers.get("Breakout-Citation", ""),
            bibtex=headers.get("Breakout-BibTeX", ""),
        )

    def _get(self, url: str, query: Query) -> httpx.Response:
        def attempt() -> httpx.Response:
            try:
                response = self._http.get(url, params=query)
            except httpx.RequestError as error:
                raise BreakoutError(f"{url} does not respond: {error}") from error
            if response.is_success:
                return response
            raise error_of(response)

        return self._retries.call(
            attempt,
            retry_on=is_transient,
            retry_after=lambda error: getattr(error, "retry_after", None),
        )


def _texts(value: Value) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, date):
        return [value.isoformat()]
    if isinstance(value, str | int | float):
        return [str(value)]
    return [str(item) for item in value]
