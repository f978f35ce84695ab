"""Derivatives of models: a breadth-first crawl of the Hub, from the tracked bases.

The Hub tags a derivative with `base_model:ID`, so one listing per base has its derivatives. Those
that may be bases themselves are listed next, the most downloaded first, within the request budget.
A tag has the base's name of its time, so a base that was renamed is listed under all its names, and
ids are resolved to the one that counts.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from breakout.contract.events import DerivativesSlice, UtcDatetime
from breakout.contract.model_ids import ModelId
from breakout.registry.hub import BaseModels, object_id
from breakout.registry.renames import Renames
from collectors.http.client import Source
from collectors.http.errors import CircuitBreaker, EmptyResponseError, SourceError
from collectors.hub.crawl import MODELS_PATH, PAGE_ROWS, hub_source
from collectors.hub.job import HubJob
from collectors.hub.listing import ListingError, read_listing
from collectors.publishing.rejected_rows import RejectedRows, RowReader
from collectors.publishing.rejection_limit import RejectionLimitError, RejectionStreak
from collectors.publishing.slices import MOST_BYTES, scrape_id
from collectors.scheduling.cadence import DAY, HOUR, MONDAY, WEEK, Cadence
from collectors.scheduling.job import Progress
from collectors.scheduling.outcome import Collected
from collectors.sources.fields import Count

SOURCE = "huggingface"
NAME = "derivatives"

MIN_DOWNLOADS = 5
"""A derivative with more downloads than this is listed as a base itself."""

BUDGET_EXHAUSTED = "not requested: the BREAKOUT_DERIVATIVES_REQUESTS are used up"

_FIELDS = ("baseModels", "createdAt", "downloads", "downloadsAllTime")
_EXPAND = tuple(("expand[]", name) for name in _FIELDS)
_ORDER = (("sort", "downloads"), ("direction", "-1"), ("limit", str(PAGE_ROWS)))
_BYTES_PER_MODEL = 100
"""Of its counters and date."""

ValueT = TypeVar("ValueT", int, str, datetime)


class Row(BaseModel):
    """A row of the Hub's listing."""

    model_config = ConfigDict(extra="ignore")

    id: ModelId
    repository: Annotated[str | None, BeforeValidator(object_id)] = Field(None, alias="_id")
    created_at: UtcDatetime | None = Field(None, alias="createdAt")
    downloads_all_time: Count | None = Field(None, alias="downloadsAllTime")
    downloads_30d: Count | None = Field(None, alias="downloads")
    base_models: BaseModels | None = Field(None, alias="baseModels")


class Derivative(NamedTuple):
    """A derivative, compact: there may be hundreds of thousands."""

    parents: tuple[str, ...]
    relation: str | None
    created_at: datetime | None
    downloads_all_time: int | None
    downloads_30d: int | None


@dataclass
class DerivativesCrawl:
    """The derivatives that the Hub lists."""

    derivatives: dict[str, Derivative] = field(default_factory=dict)
    listed: int = 0
    """Bases whose derivatives were listed."""
    not_listed: int = 0
    """Derivatives that may be bases, beyond the request budget."""
    complete: list[str] = field(default_factory=list)
    """Bases whose derivatives are all here, under every name of the base."""
    missing: dict[str, str] = field(default_factory=dict)
    """Bases whose listing is incomplete, and why."""
    rejected: RejectedRows = field(default_factory=lambda: RejectedRows(SOURCE, NAME))


async def crawl_derivatives(
    hub: Source,
    bases: Iterable[str],
    *,
    requests: int,
    renames: Renames | None = None,
    on_progress: Progress = lambda _done, _total: None,
) -> DerivativesCrawl:
    """List the derivatives of the bases, and theirs, with at most so many requests.

    Retries of a request count once. Raises `EmptyResponseError` without a complete listing.
    """
    bases = set(bases)
    crawler = _Crawler(hub, requests, renames or Renames(bases), on_progress)
    await crawler.run(bases)
    return crawler.found


class _Crawler:
    def __init__(self, hub: Source, requests: int, renames: Renames, on_progress: Progress) -> None:
        self._hub = hub
        self._left = requests
        self._renames = renames
        self._on_progress = on_progress
        self._requested: set[str] = set()
        self._listed: set[str] = set()
        """Names of bases whose listing is complete and has no invalid row."""
        self._breaker = CircuitBreaker()
        self.found = DerivativesCrawl()

    async def run(self, bases: set[str]) -> None:
        found, counted = self.found, {self._renames.counted(base) for base in bases}
        bases = {name for base in bases for name in self._renames.names(base)}
        level = sorted(bases)
        while level and self._left > 0 and not self._breaker.is_open:
            await self._hub.for_each(level, self._list)
            level = self._next_level()
        found.missing |= dict.fromkeys(bases - self._requested, BUDGET_EXHAUSTED)
        found.not_listed = len(self._next_level())
        found.complete = [
            base for base in sorted(counted) if self._renames.names(base) & bases <= self._listed
        ]
        if not found.listed:
            reason = next(iter(found.missing.values()), "no base is tracked")
            raise EmptyResponseError(f"{NAME}: no listing of derivatives is complete: {reason}")

    def _next_level(self) -> list[str]:
        """Return derivatives that may be bases, the most downloaded first."""
        bases = [
            (-(derivative.downloads_all_time or 0), model_id)
            for model_id, derivative in self.found.derivatives.items()
            if model_id not in self._requested
            and derivative.relation != "quantized"
            and (derivative.downloads_all_time or 0) > MIN_DOWNLOADS
        ]
        return [model_id for _, model_id in sorted(bases)]

    async def _list(self, base: str) -> None:
        found = self.found
        if self._left <= 0:
            return
        self._requested.add(base)
        try:
            with self._breaker.guard():
                valid, invalid = await self._read_pages(base)
            found.listed += 1
            # An empty listing may be a fault of the Hub's: it withdraws nothing.
            if valid and not invalid:
                self._listed.add(base)
        except (ListingError, RejectionLimitError, SourceError) as error:
            found.missing[base] = str(error)
        self._on_progress(found.listed + len(found.missing), len(self._requested))

    async def _read_pages(self, base: str) -> tuple[int, int]:
        """Read a listing; returns how many rows are valid, and how many are not."""
        valid = invalid = 0
        params = (("filter", f"base_model:{base}"), *_ORDER, *_EXPAND)
        listing = f"the listing of derivatives of {base}"
        rows = RowReader(
            Row,
            RejectionStreak(f"{self._hub.name}: {listing}", self._hub.setting),
            self.found.rejected,
            label=lambda _row: f"in {listing}: ",
        )
        self._left -= 1
        pages = read_listing(self._hub, listing, MODELS_PATH, params, requested=PAGE_ROWS)
        async for page in pages:
            for raw in page.rows:
                row = rows.read(raw)
                reason = self._add(base, row) if row is not None else None
                if reason is not None:
                    self.found.rejected.add(raw, f"in {listing}: {reason}")
                if row is None or reason is not None:
                    invalid += 1
                else:
                    valid += 1
            if not page.is_last:
                if self._left <= 0:
                    raise ListingError(f"the other pages were {BUDGET_EXHAUSTED}")
                self._left -= 1
        return valid, invalid

    def _add(self, base: str, row: Row) -> str | None:
        """Add a derivative; returns why not, if Kafka would reject its record for its size."""
        base_models = row.base_models or BaseModels()
        model_id = self._renames.counted(row.id, row.repository)
        parents = base_models.counted(self._renames) or [self._renames.counted(base)]
        derivative = Derivative(
            # It was listed under this base, even if the row does not name it.
            tuple(one for one in parents if one != model_id or one in base_models.models),
            base_models.relation,
            row.created_at,
            row.downloads_all_time,
            row.downloads_30d,
        )
        known = self.found.derivatives.get(model_id)
        derivative = derivative if known is None else _merged(known, derivative)
        if _bytes_of(model_id, derivative) > MOST_BYTES:
            return f"baseModels: {len(derivative.parents)} are too many for a record"
        self.found.derivatives[model_id] = derivative
        return None


def _merged(one: Derivative, other: Derivative) -> Derivative:
    """Merge two listings of a derivative, in either order: a counter may have changed between."""
    same = one.parents == other.parents
    return Derivative(
        one.parents if same else tuple(sorted({*one.parents, *other.parents})),
        _greater(one.relation, other.relation),
        _greater(one.created_at, other.created_at),
        _greater(one.downloads_all_time, other.downloads_all_time),
        _greater(one.downloads_30d, other.downloads_30d),
    )


def _greater(one: ValueT | None, other: ValueT | None) -> ValueT | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _bytes_of(model_id: str, derivative: Derivative) -> int:
    """Return the most bytes a derivative takes in a record."""
    # ASCII JSON escapes everything that the record's UTF-8 does, and more.
    return _BYTES_PER_MODEL + len(json.dumps((model_id, derivative.parents, derivative.relation)))


def slices(found: DerivativesCrawl, observed_at: datetime) -> Iterator[DerivativesSlice]:
    """Yield slices small enough for a record, in the order of model ids."""
    portion: list[str] = []
    number = 0
    # The first slice has the bases.
    size = len(json.dumps(found.complete))
    for model_id in sorted(found.derivatives):
        more = _bytes_of(model_id, found.derivatives[model_id])
        if portion and size + more > MOST_BYTES:
            yield _slice(found, observed_at, number, portion)
            portion, size, number = [], 0, number + 1
        portion.append(model_id)
        size += more
    if portion:
        yield _slice(found, observed_at, number, portion)


def _slice(
    found: DerivativesCrawl, observed_at: datetime, number: int, models: list[str]
) -> DerivativesSlice:
    rows = [found.derivatives[model_id] for model_id in models]
    return DerivativesSlice(
        source=SOURCE,
        scrape_id=scrape_id(NAME, observed_at),
        slice=number,
        observed_at=observed_at,
        complete=not found.missing,
        models=models,
        parents=[list(row.parents) for row in rows],
        relation=[row.relation for row in rows],
        created_at=[row.created_at for row in rows],
        downloads_all_time=[row.downloads_all_time for row in rows],
        downloads_30d=[row.downloads_30d for row in rows],
        bases=[] if number else found.complete,
    )


class DerivativesJob(HubJob):
    """Derivatives of the tracked models."""

    name = NAME
    cadence = Cadence(WEEK, MONDAY + 5 * DAY + 3 * HOUR)
    """Saturdays at 03:00 UTC: a crawl takes thousands of requests."""

    async def collect(self, observed_at: datetime) -> Collected:
        """Crawl the derivatives of the tracked models, under all names of each."""
        await self.read_known()
        tracked_list = await self.read_list()
        listed = await self.crawl(tracked_list, observed_at, collector=self.name)
        renames = listed.renames(tracked_list.models, self.known)
        async with hub_source(self.settings, request_policy=self.request_policy) as hub:
            found = await crawl_derivatives(
                hub,
                tracked_list.models,
                requests=self.settings.derivatives_requests,
                renames=renames,
                on_progress=self.on_progress,
            )
        return Collected(
            {
                "derivatives": len(found.derivatives),
                "bases listed": found.listed,
                "bases not listed": found.not_listed,
            },
            found.rejected,
            list(slices(found, observed_at)),
            missing=found.missing,
        )
