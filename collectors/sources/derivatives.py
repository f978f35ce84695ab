"""Models that derive from others: a survey of the Hub, from the tracked bases downwards.

The Hub tags a derivative with `base_model:ID`, so one listing a base has its children. Children
that may be bases themselves are asked for in turn, the most downloaded first, as far as the
budget of requests goes.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from breakout.contract.events import DerivativesSlice, UtcDatetime
from breakout.contract.model_ids import ModelId
from breakout.contract.topics import DERIVATIVES
from breakout.registry.hub import BaseModels
from collectors.http.client import Source, SourceError
from collectors.hub.listing import ListingError, read_listing
from collectors.hub.survey import MODELS_PATH, PAGE, hub_source, is_hopeless
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import GivenUpError, Streak, Unreadable
from collectors.publishing.slices import MOST_BYTES, scrape_id
from collectors.scheduling.cadence import DAY, HOUR, MONDAY, WEEK, Cadence
from collectors.scheduling.job import EmptyAnswerError, Job, Outcome, Progress
from collectors.sources.fields import Count
from collectors.sources.tracked_models import read_list

SOURCE = "huggingface"
NAME = "derivatives"

USED = 5
"""Downloads above which a derivative counts, and is worth asking for its own children."""

SPENT = "not asked for: BREAKOUT_DERIVATIVES_REQUESTS were spent"

_FIELDS = ("baseModels", "createdAt", "downloads", "downloadsAllTime")
_EXPAND = tuple(("expand[]", name) for name in _FIELDS)
_ORDER = (("sort", "downloads"), ("direction", "-1"), ("limit", str(PAGE)))
_BYTES_PER_MODEL = 100
"""Of its counters and its date."""

ValueT = TypeVar("ValueT", int, str, datetime)


class Row(BaseModel):
    """A row of the Hub's listing."""

    model_config = ConfigDict(extra="ignore")

    id: ModelId
    created_at: UtcDatetime | None = Field(None, alias="createdAt")
    downloads_all_time: Count | None = Field(None, alias="downloadsAllTime")
    downloads_30d: Count | None = Field(None, alias="downloads")
    base_models: BaseModels | None = Field(None, alias="baseModels")


class Derivative(NamedTuple):
    """What is kept of a derivative: there may be hundreds of thousands."""

    parents: tuple[str, ...]
    relation: str | None
    created_at: datetime | None
    downloads_all_time: int | None
    downloads_30d: int | None


@dataclass
class Survey:
    """What the Hub lists."""

    derivatives: dict[str, Derivative] = field(default_factory=dict)
    asked: int = 0
    """Bases whose children were listed."""
    not_asked: int = 0
    """Derivatives that may be bases, and were left out for want of requests."""
    missing: dict[str, str] = field(default_factory=dict)
    """Bases whose listing could not be read to its end, and why."""
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(SOURCE, NAME))


async def survey_derivatives(
    hub: Source,
    bases: Iterable[str],
    *,
    requests: int,
    on_progress: Progress = lambda _done, _total: None,
) -> Survey:
    """List the children of the bases, and theirs, with at most so many requests.

    A request that failed and is tried again counts once.
    Raises `EmptyAnswerError` when not one listing could be read.
    """
    surveyor = _Surveyor(hub, requests, on_progress)
    await surveyor.run(sorted(set(bases)))
    return surveyor.survey


class _Surveyor:
    def __init__(self, hub: Source, requests: int, on_progress: Progress) -> None:
        self._hub = hub
        self._left = requests
        self._on_progress = on_progress
        self._asked: set[str] = set()
        self._hopeless: SourceError | None = None
        self.survey = Survey()

    async def run(self, bases: list[str]) -> None:
        survey = self.survey
        wave = bases
        while wave and self._left > 0 and self._hopeless is None:
            await self._hub.each(wave, self._list)
            wave = self._next_wave()
        survey.missing |= dict.fromkeys(set(bases) - self._asked, SPENT)
        survey.not_asked = len(self._next_wave())
        if not survey.asked:
            why = next(iter(survey.missing.values()), "no base is tracked")
            raise EmptyAnswerError(f"{NAME}: no base's derivatives could be listed: {why}")

    def _next_wave(self) -> list[str]:
        """Return derivatives that may be bases, the most downloaded first."""
        found = self.survey.derivatives
        worth_it = [
            (-(one.downloads_all_time or 0), model_id)
            for model_id, one in found.items()
            if model_id not in self._asked
            and one.relation != "quantized"
            and (one.downloads_all_time or 0) > USED
        ]
        return [model_id for _, model_id in sorted(worth_it)]

    async def _list(self, base: str) -> None:
        survey = self.survey
        if self._left <= 0:
            return
        self._asked.add(base)
        params = (("filter", f"base_model:{base}"), *_ORDER, *_EXPAND)
        what = f"the listing of derivatives of {base}"
        streak = Streak(f"{self._hub.name}: {what}", self._hub.setting)
        try:
            if self._hopeless is not None:
                raise self._hopeless
            self._left -= 1
            async for page in read_listing(self._hub, what, MODELS_PATH, params, wanted=PAGE):
                for row in page.rows:
                    self._note(base, row, streak)
                if not page.is_last:
                    if self._left <= 0:
                        raise ListingError(f"the rest was {SPENT}")
                    self._left -= 1
            survey.asked += 1
        except (ListingError, GivenUpError, SourceError) as error:
            if isinstance(error, SourceError) and is_hopeless(error):
                self._hopeless = error
            survey.missing[base] = str(error)
        self._on_progress(survey.asked + len(survey.missing), len(self._asked))

    def _note(self, base: str, row: Any, streak: Streak) -> None:
        try:
            read = Row.model_validate(row)
        except ValidationError as error:
            why = explain(error)
            self._refuse(base, row, why)
            streak.bad(why)
            return
        streak.good()
        told = read.base_models or BaseModels()
        found = Derivative(
            # It was listed under this base, whatever else it says.
            tuple(dict.fromkeys(told.models)) or (base,),
            told.relation,
            read.created_at,
            read.downloads_all_time,
            read.downloads_30d,
        )
        before = self.survey.derivatives.get(read.id)
        found = found if before is None else _merged(before, found)
        if _bytes_of(read.id, found) > MOST_BYTES:
            # Kafka would refuse the record, and with it the whole survey.
            self._refuse(base, row, f"baseModels: {len(found.parents)} are too many for a record")
            return
        self.survey.derivatives[read.id] = found

    def _refuse(self, base: str, row: Any, why: str) -> None:
        why = f"in the listing of derivatives of {base}: {why}"
        self.survey.unreadable.add(row, why)


def _merged(one: Derivative, other: Derivative) -> Derivative:
    """Return what two listings say together, in either order: a counter may have moved."""
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


def _bytes_of(model_id: str, one: Derivative) -> int:
    """Return how many bytes a derivative takes in a record at most."""
    # ASCII JSON escapes whatever the record's UTF-8 does, and more.
    return _BYTES_PER_MODEL + len(json.dumps((model_id, one.parents, one.relation)))


def cut(survey: Survey, observed_at: datetime) -> Iterator[DerivativesSlice]:
    """Yield slices small enough for a record, in the order of model ids."""
    portion: list[str] = []
    size = number = 0
    for model_id in sorted(survey.derivatives):
        more = _bytes_of(model_id, survey.derivatives[model_id])
        if portion and size + more > MOST_BYTES:
            yield _slice(survey, observed_at, number, portion)
            portion, size, number = [], 0, number + 1
        portion.append(model_id)
        size += more
    if portion:
        yield _slice(survey, observed_at, number, portion)


def _slice(
    survey: Survey, observed_at: datetime, number: int, models: list[str]
) -> DerivativesSlice:
    rows = [survey.derivatives[model_id] for model_id in models]
    return DerivativesSlice(
        source=SOURCE,
        scrape_id=scrape_id(NAME, observed_at),
        slice=number,
        observed_at=observed_at,
        complete=not survey.missing,
        models=models,
        parents=[list(row.parents) for row in rows],
        relation=[row.relation for row in rows],
        created_at=[row.created_at for row in rows],
        downloads_all_time=[row.downloads_all_time for row in rows],
        downloads_30d=[row.downloads_30d for row in rows],
    )


class DerivativesJob(Job):
    """Who derives from the tracked models."""

    name = NAME

    @property
    def cadence(self) -> Cadence:
        """Saturdays at 03:00 UTC: a survey takes thousands of requests."""
        return Cadence(WEEK, MONDAY + 5 * DAY + 3 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Survey the Hub and publish what it lists."""
        tracked_list = await read_list(self.settings, self.patience)
        async with hub_source(self.settings, patience=self.patience) as hub:
            found = await survey_derivatives(
                hub,
                tracked_list.models,
                requests=self.settings.derivatives_requests,
                on_progress=self.on_progress,
            )
        slices = list(cut(found, observed_at))

        async def write(publisher: Publisher) -> None:
            # One key, so one partition: lineage needs the whole graph.
            await publisher.publish(DERIVATIVES, ((SOURCE, one) for one in slices))
            await publisher.publish_dead_letters(found.unreadable.letters)

        await self.publish(write)
        published = {
            "derivatives": len(found.derivatives),
            "bases asked": found.asked,
            "bases not asked": found.not_asked,
        }
        return Outcome(
            NAME,
            observed_at,
            published,
            len(slices),
            found.missing,
            dead_letters=len(found.unreadable.letters),
            not_kept=found.unreadable.not_kept,
        )
