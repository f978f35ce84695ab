"""Splits a scrape into records: a slice per Kafka partition and origin, several where too large."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from breakout.contract.events import DownloadsSlice, MissingModel
from breakout.contract.topics import partition_of
from collectors.hub.counters import Counters
from collectors.hub.young import ORIGIN_SUFFIX

LIVE = "live"
MOST_MODELS = 20_000
MOST_BYTES = 900_000
"""Below Kafka's usual limit of 1 MB a record."""

_LONGEST_REASON = 1000
_BYTES_AROUND = 1_000
_BYTES_PER_MODEL = 80
_BYTES_PER_MISSING = 40


@dataclass(frozen=True)
class Scrape:
    """What one scrape observed, and what is missing."""

    source: str
    observed_at: datetime
    counters: Mapping[str, Counters]
    """By the model id they are published under."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Models that were wanted but not observed, and why."""
    failures: tuple[str, ...] = ()
    """Listings that are incomplete, so that unknown models may be missing."""
    origin: str = LIVE
    """`live`, or the archive's name; of young models the slices' ends in `-30d`."""

    @property
    def scrape_id(self) -> str:
        """Id of the scrape: the same for the same source, origin and time."""
        name = self.source if self.origin == LIVE else f"{self.source}-{self.origin}"
        return scrape_id(name, self.observed_at)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing and not self.failures

    @cached_property
    def young(self) -> frozenset[str]:
        """Models whose 30-day counter is their all-time counter."""
        return frozenset(
            model_id
            for model_id, counters in self.counters.items()
            if counters.is_young(self.observed_at)
        )


def scrape_id(name: str, observed_at: datetime) -> str:
    """Return the id of a scrape: the same on a rerun."""
    at = observed_at.astimezone(UTC)
    return f"{name}-{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z"


def split_scrape(
    scrape: Scrape,
    partitions: int,
    *,
    most_models: int = MOST_MODELS,
    most_bytes: int = MOST_BYTES,
) -> Iterator[tuple[int, DownloadsSlice]]:
    """Yield (partition, slice) in the order of partitions, then model ids; young models last.

    Each model, observed or missing, is in exactly one slice, in the partition of its id. Young
    models have slices of their own, since an origin is that of a slice. The same scrape is always
    split the same way. A partition without models has no slice.
    """
    spread: list[list[str]] = [[] for _ in range(2 * partitions)]
    for model_id in sorted({*scrape.counters, *scrape.missing}):
        first = partitions if model_id in scrape.young else 0
        spread[first + partition_of(model_id, partitions)].append(model_id)
    number = 0
    for place, model_ids in enumerate(spread):
        for portion in _portions(scrape, model_ids, most_models, most_bytes):
            yield place % partitions, _slice(scrape, number, portion)
            number += 1


def _portions(
    scrape: Scrape, model_ids: list[str], most_models: int, most_bytes: int
) -> Iterator[list[str]]:
    portion: list[str] = []
    size = _BYTES_AROUND
    for model_id in model_ids:
        more = len(model_id.encode()) + _BYTES_PER_MODEL
        if model_id in scrape.missing:
            # Escaping may double a reason's bytes.
            more += 2 * len(_reason(scrape, model_id).encode()) + _BYTES_PER_MISSING
        if portion and (len(portion) >= most_models or size + more > most_bytes):
            yield portion
            portion, size = [], _BYTES_AROUND
        portion.append(model_id)
        size += more
    if portion:
        yield portion


def _slice(scrape: Scrape, number: int, model_ids: list[str]) -> DownloadsSlice:
    models = [model_id for model_id in model_ids if model_id in scrape.counters]
    counters = [scrape.counters[model_id] for model_id in models]
    young = not scrape.young.isdisjoint(models)
    return DownloadsSlice(
        source=scrape.source,
        origin=scrape.origin + ORIGIN_SUFFIX if young else scrape.origin,
        scrape_id=scrape.scrape_id,
        slice=number,
        observed_at=scrape.observed_at,
        complete=scrape.complete,
        models=models,
        downloads_all_time=[one.total(scrape.observed_at) for one in counters],
        downloads_30d=[one.downloads_30d for one in counters],
        likes=[one.likes for one in counters],
        missing=[
            MissingModel(model_id=model_id, reason=_reason(scrape, model_id))
            for model_id in model_ids
            if model_id in scrape.missing
        ],
    )


def _reason(scrape: Scrape, model_id: str) -> str:
    return scrape.missing[model_id][:_LONGEST_REASON]
