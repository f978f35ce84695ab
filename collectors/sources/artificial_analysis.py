"""Artificial Analysis's indices, each with the version of its method."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from breakout.contract.events import LeaderboardSlice
from breakout.contract.names import Name
from breakout.registry.names import load_names
from breakout.settings import Settings, SettingsError
from collectors.http.client import DEFAULT_REQUEST_POLICY, RequestPolicy, Source
from collectors.http.errors import EmptyResponseError
from collectors.http.rate_limit import Policy
from collectors.publishing.rejected_rows import RejectedRows, RowReader, explain, row_label
from collectors.publishing.rejection_limit import RejectionStreak, check_page_size
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.outcome import Collected
from collectors.sources.fields import OptionalText
from collectors.sources.leaderboards import Rating, leaderboard_slice
from collectors.sources.names import NameFacts, name_records
from collectors.sources.names_job import NamesJob

log = structlog.get_logger(__name__)

SOURCE = "artificial-analysis"
BOARDS = ("intelligence_index", "coding_index", "agentic_index")

_PATH = "/language/models/free"
_PAGE_ROWS = 200
_MOST_PAGES = 100
_QUOTA = Policy("key", 100, DAY)
"""Of a free key. The source's X-RateLimit headers take precedence."""
_LIMITED_ATTEMPTS = 3
"""Retries do not refill a daily quota, and each may count against it."""


def _version(value: Any) -> Any:
    """Accept a version that is a number in JSON."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


class Pagination(BaseModel):
    """A page's place in the list."""

    has_more: bool
    total_pages: int


class Page(BaseModel):
    """A response's envelope."""

    intelligence_index_version: Annotated[Name, BeforeValidator(_version)]
    pagination: Pagination
    data: list[Any]


class Creator(BaseModel):
    """The organisation behind a model."""

    name: OptionalText = None


class Evaluations(BaseModel):
    """A model's indices; null where it is not rated."""

    model_config = ConfigDict(allow_inf_nan=False)

    intelligence_index: float | None = Field(None, alias="artificial_analysis_intelligence_index")
    coding_index: float | None = Field(None, alias="artificial_analysis_coding_index")
    agentic_index: float | None = Field(None, alias="artificial_analysis_agentic_index")


class Item(BaseModel):
    """One model."""

    slug: Name
    name: OptionalText = None
    model_creator: Creator | None = None
    evaluations: Evaluations | None = None

    @property
    def creator(self) -> str | None:
        """The name of its creator."""
        return self.model_creator.name if self.model_creator else None

    @property
    def ratings(self) -> dict[str, float]:
        """Its indices by board, without nulls."""
        indices = self.evaluations.model_dump() if self.evaluations else {}
        return {board: rating for board, rating in indices.items() if rating is not None}


class VersionChangedError(EmptyResponseError):
    """The index's version changed while its pages were read."""


@dataclass
class ModelList:
    """The models of all pages."""

    version: str
    items: dict[str, Item] = field(default_factory=dict)
    """By slug."""
    missing: dict[str, str] = field(default_factory=dict)
    rejected: RejectedRows = field(default_factory=lambda: RejectedRows(SOURCE, SOURCE))
    conflicting: set[str] = field(default_factory=set)
    """Slugs that are listed several times with different ratings."""


class ArtificialAnalysisJob(NamesJob):
    """The intelligence, coding and agentic indices."""

    name = SOURCE
    required_setting = "ARTIFICIAL_ANALYSIS_API_KEY"
    cadence = Cadence(DAY, 5.5 * HOUR)
    """Daily at 05:30 UTC."""

    async def collect(self, observed_at: datetime) -> Collected:
        """Read all models, one slice per index, dated on the day of the observation."""
        names = load_names(self.settings.names_file)
        async with artificial_analysis_source(
            self.settings, request_policy=self.request_policy
        ) as source:
            try:
                models = await read_models(source)
            except VersionChangedError:
                # Pages of two versions must not be mixed.
                models = await read_models(source)
        slices = list(_slices(models, observed_at))
        if not slices:
            reason = next(iter(models.missing.values()), "no model is rated")
            raise EmptyResponseError(f"{SOURCE}: no valid rating: {reason}")
        facts = {
            slug: NameFacts(title=item.name, vendor=item.creator)
            for slug, item in models.items.items()
        }
        records = name_records(
            SOURCE, facts, names, observed_at=observed_at, known=await self.known_names()
        )
        return Collected(
            {"ratings": sum(len(piece.names) for piece in slices), "names": len(records)},
            models.rejected,
            [*records, *slices],
            missing=models.missing,
            notes=_notes(models),
        )


def artificial_analysis_source(
    settings: Settings, *, request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY
) -> Source:
    """Return Artificial Analysis as a source. Raises `SettingsError` without a key."""
    if settings.artificial_analysis_api_key is None:
        raise SettingsError("ARTIFICIAL_ANALYSIS_API_KEY: must be set; a free key is enough")
    return Source(
        SOURCE,
        settings.artificial_analysis_base_url,
        "ARTIFICIAL_ANALYSIS_BASE_URL",
        token=settings.artificial_analysis_api_key,
        token_setting="ARTIFICIAL_ANALYSIS_API_KEY",  # noqa: S106
        token_header="x-api-key",  # noqa: S106
        policy=_QUOTA,
        request_policy=replace(
            request_policy, limited_attempts=min(request_policy.limited_attempts, _LIMITED_ATTEMPTS)
        ),
    )


async def read_models(source: Source) -> ModelList:
    """Read all pages.

    Raises `SourceError`; `EmptyResponseError` for a page without a version, which its numbers
    depend on, and for an incomplete list; `VersionChangedError`.
    """
    models: ModelList | None = None
    streak = RejectionStreak(f"{SOURCE}: the list of models", source.setting)
    number = 1
    while True:
        response = await source.json(_PATH, (("page", str(number)), ("page_size", str(_PAGE_ROWS))))
        try:
            page = Page.model_validate(response.content)
        except ValidationError as error:
            raise EmptyResponseError(
                f"{SOURCE}: page {number} is invalid ({explain(error)}): check {source.setting}"
            ) from None
        models = models or ModelList(page.intelligence_index_version)
        if page.intelligence_index_version != models.version:
            raise VersionChangedError(
                f"{SOURCE}: the index's version changed from {models.version} to "
                f"{page.intelligence_index_version} while its pages were read"
            )
        check_page_size(f"{SOURCE}: the list of models", page.data, _PAGE_ROWS, source.setting)
        _add_rows(models, page.data, streak)
        if not page.pagination.has_more:
            return models
        last = page.pagination.total_pages
        if not page.data or number >= last:
            raise EmptyResponseError(
                f"{SOURCE}: page {number} of {last} has {len(page.data)} models and `has_more`"
            )
        if number >= _MOST_PAGES:
            raise EmptyResponseError(f"{SOURCE}: the list does not end after {number} pages")
        number += 1


def _add_rows(models: ModelList, rows: Iterable[Any], streak: RejectionStreak) -> None:
    def note_missing(row: Any, reason: str) -> None:
        models.missing[row_label(row, "slug")] = f"invalid row: {reason}"

    reader = RowReader(Item, streak, models.rejected, on_rejection=note_missing)
    for row in rows:
        item = reader.read(row)
        if item is None:
            continue
        known = models.items.setdefault(item.slug, item)
        if known == item:
            continue
        models.items[item.slug] = _merged(known, item)
        if known.evaluations != item.evaluations:
            models.conflicting.add(item.slug)
            log.warning(
                "model is listed several times, keeping its highest ratings",
                source=SOURCE,
                slug=item.slug,
                ratings=[known.ratings, item.ratings],
            )


def _merged(one: Item, other: Item) -> Item:
    """Merge two rows of one model, in either order: the higher rating counts, as for counters."""
    ratings = one.ratings
    for board, rating in other.ratings.items():
        ratings[board] = max(rating, ratings.get(board, rating))
    return Item(
        slug=one.slug,
        name=_first(one.name, other.name),
        model_creator=Creator(name=_first(one.creator, other.creator)),
        evaluations=Evaluations.model_validate(
            {f"artificial_analysis_{board}": rating for board, rating in ratings.items()}
        ),
    )


def _first(one: str | None, other: str | None) -> str | None:
    return min((text for text in (one, other) if text is not None), default=None)


def _notes(models: ModelList) -> tuple[str, ...]:
    count = len(models.conflicting)
    return (f"models with several rows: {count}, published the highest ratings",) if count else ()


def _slices(models: ModelList, observed_at: datetime) -> Iterable[LeaderboardSlice]:
    day = observed_at.astimezone(UTC).date()
    for board in BOARDS:
        ratings = [
            Rating(slug, item.ratings[board])
            for slug, item in models.items.items()
            if board in item.ratings
        ]
        if ratings:
            yield leaderboard_slice(
                SOURCE, board, models.version, day, ratings, observed_at=observed_at
            )
