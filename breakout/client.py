"""Client of the HTTP API: every operation is a method that returns an Arrow table.

    from breakout.client import Breakout

    breakout = Breakout("http://127.0.0.1:8000")
    table = breakout.downloads("org/model", since="2026-01-01")
    frame = table.to_pandas()

The table's metadata have `as_of`, the time of the data, and `url`, which returns the same data
again. Parameters are those of the operation, see `docs/api.md`; a list matches any of its items.
It needs httpx, pyarrow and tenacity.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urljoin

import httpx
import pyarrow as pa

from breakout.http.proxies import certificates, proxy_for
from breakout.retry import RetryPolicy
from breakout.settings_error import SettingsError

_ARROW = "application/vnd.apache.arrow.stream"
_KEY = "X-API-Key"
_TRANSIENT_STATUSES = frozenset({429, 503})
_RETRY_POLICY = RetryPolicy(first_wait_seconds=0.5, max_wait_seconds=60.0, jitter=0.0)

Query = list[tuple[str, str | int | float | bool | None]]
Value = str | float | bool | date | datetime | Iterable[str | int] | None


class BreakoutError(RuntimeError):
    """The API rejected a request or did not respond.

    `status` is the HTTP status, None without a response; `errors` maps each invalid parameter to
    what is wrong with it; `retry_after` is how many seconds the API asked to wait, if it did.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        errors: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = dict(errors or {})
        self.retry_after = retry_after


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Breakout:
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

    def models(self, **parameters: Value) -> pa.Table:
        """Return models and their metadata."""
        return self._table("models", parameters)

    def model(self, model_id: str, **parameters: Value) -> pa.Table:
        """Return one model. Raises `BreakoutError` with status 404 for an unknown one."""
        return self._table(f"models/{quote(model_id)}", parameters)

    def downloads(self, *model: str, **parameters: Value) -> pa.Table:
        """Return downloads over time, of these models or grouped by `by`."""
        return self._table("downloads", parameters, model)

    def ram(self, *model: str, **parameters: Value) -> pa.Table:
        """Return the leaderboard of rolling RAM."""
        return self._table("ram", parameters, model)

    def ram_curves(self, *model: str, **parameters: Value) -> pa.Table:
        """Return RAM at whole-day ages."""
        return self._table("ram/curves", parameters, model)

    def ram_milestones(self, *model: str, **parameters: Value) -> pa.Table:
        """Return RAM at the milestones."""
        return self._table("ram/milestones", parameters, model)

    def baselines(self, **parameters: Value) -> pa.Table:
        """Return the downloads at which RAM is 1.0, by size bin and age."""
        return self._table("baselines", parameters)

    def breakouts(self, *model: str, **parameters: Value) -> pa.Table:
        """Return first crossings of 1.0x."""
        return self._table("breakouts", parameters, model)

    def inference_share(self, **parameters: Value) -> pa.Table:
        """Return the share of open models in inference tokens."""
        return self._table("inference/share", parameters)

    def inference_tokens(self, **parameters: Value) -> pa.Table:
        """Return tokens of open models, organisations or regions."""
        return self._table("inference/tokens", parameters)

    def derivatives(self, **parameters: Value) -> pa.Table:
        """Return derivatives by month, organisation and relation."""
        return self._table("derivatives", parameters)

    def families(self, *model: str, **parameters: Value) -> pa.Table:
        """Return the downloads of each tracked model's derivatives."""
        return self._table("families", parameters, model)

    def leaderboards(self, **parameters: Value) -> pa.Table:
        """Return ratings as published."""
        return self._table("leaderboards", parameters)

    def sources(self, **parameters: Value) -> pa.Table:
        """Return every source, its licence and how to cite it."""
        return self._table("sources", parameters)

    def scrapes(self, **parameters: Value) -> pa.Table:
        """Return the scrapes: when counters were read, of how many models."""
        return self._table("scrapes", parameters)

    def organisations(self, **parameters: Value) -> pa.Table:
        """Return organisations and their regions."""
        return self._table("organisations", parameters)

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

    def _table(
        self, path: str, parameters: Mapping[str, Value], models: tuple[str, ...] = ()
    ) -> pa.Table:
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
        url = urljoin(str(response.url), response.headers.get("Content-Location", ""))
        as_of = response.headers.get("Breakout-As-Of", "")
        return table.replace_schema_metadata({"as_of": as_of, "url": url})

    def _get(self, url: str, query: Query) -> httpx.Response:
        def attempt() -> httpx.Response:
            try:
                response = self._http.get(url, params=query)
            except httpx.RequestError as error:
                raise BreakoutError(f"{url} does not respond: {error}") from error
            if response.is_success:
                return response
            raise _error(response)

        return self._retries.call(
            attempt,
            retry_on=_is_transient,
            retry_after=lambda error: getattr(error, "retry_after", None),
        )


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, BreakoutError) and (
        error.status is None or error.status in _TRANSIENT_STATUSES
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


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of the Retry-After header, which is a number or a date."""
    value = response.headers.get("Retry-After", "")
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return None


def _error(response: httpx.Response) -> BreakoutError:
    status, errors, detail = response.status_code, {}, response.reason_phrase
    if response.headers.get("Content-Type", "").startswith("application/problem+json"):
        problem = response.json()
        detail = problem["detail"]
        errors = {error["parameter"]: error["detail"] for error in problem["errors"]}
    return BreakoutError(f"{status}: {detail}", status, errors, _retry_after(response))
