"""Client of the HTTP API: every operation is a method that returns an Arrow table.

    from breakout.client import Breakout

    breakout = Breakout("http://127.0.0.1:8000")
    table = breakout.downloads("org/model", since="2026-01-01")
    frame = table.to_pandas()

The table's metadata have `as_of`, the moment of its numbers, and `url`, the address that gives
the same again. Parameters are those of the operation, see `docs/api.md`; of a list any matches.
Nothing more than httpx and pyarrow is needed.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from time import sleep
from types import TracebackType
from typing import Self
from urllib.parse import quote, urljoin

import httpx
import pyarrow as pa

from breakout.http.proxies import certificates, proxy_for
from breakout.settings_error import SettingsError

_ARROW = "application/vnd.apache.arrow.stream"
_KEY = "X-API-Key"
_PASSING = frozenset({429, 503})
_LONGEST_PAUSE_SECONDS = 60.0

Parameters = list[tuple[str, str | int | float | bool | None]]
Value = str | float | bool | date | datetime | Iterable[str | int] | None


class BreakoutError(RuntimeError):
    """The API refused, or did not answer. `status` is HTTP's, None without an answer.

    `errors` are the wrong parameters and what is wrong with each.
    """

    def __init__(
        self, message: str, status: int | None = None, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = dict(errors or {})


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Breakout:
    """The API at an address; `key` where it wants one.

    A request that the API cannot serve now (429, 503, no answer) is tried again, `tries` times
    in all, after as long as it says; then `BreakoutError` is raised, as for any other refusal.
    """

    def __init__(
        self, url: str, *, key: str | None = None, tries: int = 5, timeout_seconds: float = 120.0
    ) -> None:
        headers = {"Accept": _ARROW} | ({_KEY: key} if key else {})
        self._base = url.rstrip("/") + "/"
        self._tries = tries
        origin = _origin(httpx.URL(self._base))

        def keep_key(request: httpx.Request) -> None:
            # A redirect to elsewhere takes along every header but Authorization.
            if _origin(request.url) != origin:
                request.headers.pop(_KEY, None)

        try:
            proxy = proxy_for(self._base)
            way = httpx.HTTPTransport(verify=certificates(), proxy=proxy.url if proxy else None)
        except SettingsError as error:
            raise BreakoutError(str(error)) from error
        self._http = httpx.Client(
            transport=way,
            headers=headers,
            timeout=timeout_seconds,
            follow_redirects=True,
            event_hooks={"request": [keep_key]},
        )

    def models(self, **asked: Value) -> pa.Table:
        """Return models and what is known of them."""
        return self._table("models", asked)

    def model(self, model_id: str, **asked: Value) -> pa.Table:
        """Return one model. Raises `BreakoutError` with status 404 for one that there is not."""
        return self._table(f"models/{quote(model_id)}", asked)

    def downloads(self, *model: str, **asked: Value) -> pa.Table:
        """Return downloads over time, of these models or as `by` says."""
        return self._table("downloads", asked, model)

    def ram(self, *model: str, **asked: Value) -> pa.Table:
        """Return the leaderboard of rolling RAM."""
        return self._table("ram", asked, model)

    def ram_curves(self, *model: str, **asked: Value) -> pa.Table:
        """Return RAM at whole-day ages."""
        return self._table("ram/curves", asked, model)

    def ram_milestones(self, *model: str, **asked: Value) -> pa.Table:
        """Return RAM at the milestones."""
        return self._table("ram/milestones", asked, model)

    def baselines(self, **asked: Value) -> pa.Table:
        """Return the downloads at which RAM is 1.0, by size bin and age."""
        return self._table("baselines", asked)

    def breakouts(self, *model: str, **asked: Value) -> pa.Table:
        """Return first crossings of 1.0x."""
        return self._table("breakouts", asked, model)

    def inference_share(self, **asked: Value) -> pa.Table:
        """Return the share of open models in inference tokens."""
        return self._table("inference/share", asked)

    def inference_tokens(self, **asked: Value) -> pa.Table:
        """Return tokens of open models, organisations or regions."""
        return self._table("inference/tokens", asked)

    def derivatives(self, **asked: Value) -> pa.Table:
        """Return derivatives by month, organisation and relation."""
        return self._table("derivatives", asked)

    def families(self, *model: str, **asked: Value) -> pa.Table:
        """Return what the derivatives of each tracked model add to its downloads."""
        return self._table("families", asked, model)

    def leaderboards(self, **asked: Value) -> pa.Table:
        """Return ratings as published."""
        return self._table("leaderboards", asked)

    def sources(self, **asked: Value) -> pa.Table:
        """Return every source with its licence and how to cite it."""
        return self._table("sources", asked)

    def scrapes(self, **asked: Value) -> pa.Table:
        """Return when counters were read, and whether they moved."""
        return self._table("scrapes", asked)

    def organisations(self, **asked: Value) -> pa.Table:
        """Return organisations and their regions."""
        return self._table("organisations", asked)

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
        self, path: str, asked: Mapping[str, Value], models: tuple[str, ...] = ()
    ) -> pa.Table:
        parameters: Parameters = [
            (name, text) for name, value in asked.items() for text in _texts(value)
        ]
        parameters += [("model", model) for model in models]
        answer = self._answer(urljoin(self._base, f"v1/{path}"), parameters)
        try:
            table = pa.ipc.open_stream(answer.content).read_all()
        except pa.ArrowInvalid as error:
            raise BreakoutError(
                f"what answers at {self._base} is not Breakout's API: {error}", answer.status_code
            ) from error
        cited = urljoin(str(answer.url), answer.headers.get("Content-Location", ""))
        as_of = answer.headers.get("Breakout-As-Of", "")
        return table.replace_schema_metadata({"as_of": as_of, "url": cited})

    def _answer(self, url: str, parameters: Parameters) -> httpx.Response:
        for tried in range(1, self._tries + 1):
            last = tried == self._tries
            try:
                answer = self._http.get(url, params=parameters)
            except httpx.RequestError as error:
                if last:
                    raise BreakoutError(f"{url} does not answer: {error}") from error
                sleep(_backoff(tried))
                continue
            if answer.is_success:
                return answer
            if answer.status_code not in _PASSING or last:
                raise _refusal(answer)
            sleep(_pause(answer, tried))
        raise ValueError("tries must be at least 1")


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


def _pause(answer: httpx.Response, tried: int) -> float:
    """Return how many seconds to wait: what Retry-After says, as a number or a moment."""
    said = answer.headers.get("Retry-After", "")
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except ValueError:
            seconds = _backoff(tried)
    return min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)


def _backoff(tried: int) -> float:
    return min(0.25 * float(2**tried), _LONGEST_PAUSE_SECONDS)


def _refusal(answer: httpx.Response) -> BreakoutError:
    status, errors, detail = answer.status_code, {}, answer.reason_phrase
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        problem = answer.json()
        detail = problem["detail"]
        errors = {one["parameter"]: one["detail"] for one in problem["errors"]}
    return BreakoutError(f"{status}: {detail}", status, errors)
