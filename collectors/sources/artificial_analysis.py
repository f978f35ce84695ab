"""Artificial Analysis's indices, each with the version of its method."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from breakout.contract.events import LeaderboardSlice
from breakout.contract.names import Name
from breakout.contract.topics import LEADERBOARDS
from breakout.registry.names import load_names
from breakout.settings import Settings, SettingsError
from collectors.http.client import DEFAULT_PATIENCE, Patience, Source
from collectors.http.rate_limit import Policy
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import Streak, Unreadable, check_page
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.job import EmptyAnswerError, Job, Outcome
from collectors.sources.fields import Stated
from collectors.sources.leaderboards import (
    Rated,
    board_key,
    board_slice,
    name_record,
    unlisted_names,
)

log = structlog.get_logger(__name__)

SOURCE = "artificial-analysis"
BOARDS = ("intelligence_index", "coding_index", "agentic_index")

_PATH = "/language/models/free"
_PAGE = 200
_MOST_PAGES = 100
_QUOTA = Policy("key", 100, DAY)
"""Of a free key. What the source says of it in X-RateLimit headers goes before."""
_LIMITED_ATTEMPTS = 3
"""A quota of a day is not refilled by asking again, and each refusal may count."""


def _version(value: Any) -> Any:
    """Read a version that may be a number in JSON."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if known else value


class Pagination(BaseModel):
    """Where in the list a page is."""

    has_more: bool
    total_pages: int


class Page(BaseModel):
    """An answer's envelope."""

    intelligence_index_version: Annotated[Name, BeforeValidator(_version)]
    pagination: Pagination
    data: list[Any]


class Creator(BaseModel):
    """Who makes a model."""

    name: Stated = None


class Evaluations(BaseModel):
    """A model's indices; null where it was not rated."""

    model_config = ConfigDict(allow_inf_nan=False)

    intelligence_index: float | None = Field(None, alias="artificial_analysis_intelligence_index")
    coding_index: float | None = Field(None, alias="artificial_analysis_coding_index")
    agentic_index: float | None = Field(None, alias="artificial_analysis_agentic_index")


class Item(BaseModel):
    """One model."""

    slug: Name
    name: Stated = None
    model_creator: Creator | None = None
    evaluations: Evaluations | None = None


class VersionChangedError(EmptyAnswerError):
    """The index's version changed while its pages were read."""


@dataclass
class Models:
    """What all pages say."""

    version: str
    items: dict[str, Item] = field(default_factory=dict)
    """By slug."""
    missing: dict[str, str] = field(default_factory=dict)
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(SOURCE, SOURCE))
    differing: set[str] = field(default_factory=set)
    """Slugs that are listed more than once with different ratings."""


class ArtificialAnalysisJob(Job):
    """The intelligence, coding and agentic indices."""

    name = SOURCE
    needs = "ARTIFICIAL_ANALYSIS_API_KEY"

    @property
    def cadence(self) -> Cadence:
        """Daily at 05:30 UTC."""
        return Cadence(DAY, 5.5 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read all models and publish one slice an index, of the day of the observation."""
        names = load_names(self.settings.names_file)
        async with artificial_analysis_source(self.settings, patience=self.patience) as source:
            try:
                found = await read_models(source)
            except VersionChangedError:
                # Pages of two versions are never mixed; the second reading is of one again.
                found = await read_models(source)
        slices = list(_slices(found, observed_at))
        if not slices:
            why = next(iter(found.missing.values()), "no model is rated")
            raise EmptyAnswerError(f"{SOURCE}: no rating could be read: {why}")
        records = [
            name_record(
                SOURCE,
                slug,
                names,
                observed_at=observed_at,
                title=item.name,
                vendor=_creator(item),
            )
            for slug, item in sorted(found.items.items())
        ]
        records += unlisted_names(SOURCE, found.items, names, observed_at=observed_at)

        async def write(publisher: Publisher) -> None:
            await publisher.publish_names(records)
            await publisher.publish(LEADERBOARDS, ((board_key(one), one) for one in slices))
            await publisher.publish_dead_letters(found.unreadable.letters)

        await self.publish(write)
        return Outcome(
            SOURCE,
            observed_at,
            {"ratings": sum(len(one.names) for one in slices), "names": len(records)},
            len(slices) + len(records),
            found.missing,
            dead_letters=len(found.unreadable.letters),
            not_kept=found.unreadable.not_kept,
            notes=_notes(found),
        )


def artificial_analysis_source(
    settings: Settings, *, patience: Patience = DEFAULT_PATIENCE
) -> Source:
    """Return Artificial Analysis as a source. Raises `SettingsError` without a key."""
    if settings.artificial_analysis_api_key is None:
        raise SettingsError("ARTIFICIAL_ANALYSIS_API_KEY: must be set, a free key will do")
    return Source(
        SOURCE,
        settings.artificial_analysis_base_url,
        "ARTIFICIAL_ANALYSIS_BASE_URL",
        token=settings.artificial_analysis_api_key,
        token_setting="ARTIFICIAL_ANALYSIS_API_KEY",  # noqa: S106
        token_header="x-api-key",  # noqa: S106
        policy=_QUOTA,
        patience=replace(
            patience, limited_attempts=min(patience.limited_attempts, _LIMITED_ATTEMPTS)
        ),
    )


async def read_models(source: Source) -> Models:
    """Read all pages.

    Raises `SourceError`; `EmptyAnswerError` for an answer that does not say its version, without
    which its numbers mean nothing; `VersionChangedError`.
    """
    found: Models | None = None
    streak = Streak(f"{SOURCE}: the list of models", source.setting)
    number = 1
    while True:
        answer = await source.json(_PATH, (("page", str(number)), ("page_size", str(_PAGE))))
        try:
            page = Page.model_validate(answer.content)
        except ValidationError as error:
            raise EmptyAnswerError(
                f"{SOURCE}: page {number} cannot be read ({explain(error)}): check {source.setting}"
            ) from None
        found = found or Models(page.intelligence_index_version)
        if page.intelligence_index_version != found.version:
            raise VersionChangedError(
                f"{SOURCE}: the version of the index changed from {found.version} to "
                f"{page.intelligence_index_version} while its pages were read"
            )
        check_page(f"{SOURCE}: the list of models", page.data, _PAGE, source.setting)
        for row in page.data:
            _note(found, row, streak)
        if not page.pagination.has_more:
            return found
        last = page.pagination.total_pages
        if not page.data or number >= last:
            raise EmptyAnswerError(
                f"{SOURCE}: page {number} of {last} has {len(page.data)} models and says there "
                "are more"
            )
        if number >= _MOST_PAGES:
            raise EmptyAnswerError(f"{SOURCE}: the list does not end after {number} pages")
        number += 1


def _note(found: Models, row: Any, streak: Streak) -> None:
    try:
        item = Item.model_validate(row)
    except ValidationError as error:
        why = explain(error)
        found.unreadable.add(row, why)
        slug = row.get("slug") if isinstance(row, dict) else None
        shown = slug if isinstance(slug, str) and slug else "a row without a slug"
        found.missing[shown[:256]] = f"unreadable row: {why}"
        streak.bad(why)
        return
    streak.good()
    before = found.items.get(item.slug)
    if before is None:
        found.items[item.slug] = item
    elif before != item:
        found.items[item.slug] = _combined(before, item)
        if before.evaluations != item.evaluations:
            found.differing.add(item.slug)
            log.warning(
                "model is listed more than once: its greatest ratings are kept",
                source=SOURCE,
                slug=item.slug,
                one=_ratings(before),
                other=_ratings(item),
            )


def _combined(one: Item, other: Item) -> Item:
    """Return what two rows of one model say together, in whichever order they come.

    Of two ratings the greater one counts, as of two counters of one moment.
    """
    ratings = _ratings(one)
    for board, rating in _ratings(other).items():
        ratings[board] = max(rating, ratings.get(board, rating))
    return Item(
        slug=one.slug,
        name=_first(one.name, other.name),
        model_creator=Creator(name=_first(_creator(one), _creator(other))),
        evaluations=Evaluations.model_validate(
            {f"artificial_analysis_{board}": rating for board, rating in ratings.items()}
        ),
    )


def _ratings(item: Item) -> dict[str, float]:
    found = item.evaluations.model_dump() if item.evaluations else {}
    return {board: rating for board, rating in found.items() if rating is not None}


def _creator(item: Item) -> str | None:
    return item.model_creator.name if item.model_creator else None


def _first(one: str | None, other: str | None) -> str | None:
    return min((text for text in (one, other) if text is not None), default=None)


def _notes(found: Models) -> tuple[str, ...]:
    count = len(found.differing)
    return (f"{count} listed twice, differently: the greatest ratings kept",) if count else ()


def _slices(found: Models, observed_at: datetime) -> Iterable[LeaderboardSlice]:
    for board in BOARDS:
        rated = [
            Rated(slug, rating)
            for slug, item in found.items.items()
            if (rating := getattr(item.evaluations, board, None)) is not None
        ]
        if rated:
            yield board_slice(
                SOURCE,
                board,
                found.version,
                observed_at.astimezone(UTC).date(),
                rated,
                observed_at=observed_at,
            )
