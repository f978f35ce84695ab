"""Crawls the Hugging Face Hub: all models of given organisations, in few requests."""

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from pydantic import TypeAdapter, ValidationError

from breakout.contract.model_ids import ModelId
from breakout.registry.hub import object_id
from breakout.registry.known import Known
from breakout.registry.policy import rejection
from breakout.registry.renames import Renames, primary
from breakout.settings import Settings
from collectors.http.client import DEFAULT_REQUEST_POLICY, RequestPolicy, Source
from collectors.http.errors import (
    CircuitBreaker,
    EmptyResponseError,
    SourceError,
    SourceRefusedError,
)
from collectors.hub.listing import ListingError, read_listing
from collectors.publishing.rejected_rows import RejectedRows
from collectors.publishing.rejection_limit import RejectionLimitError, RejectionStreak
from collectors.scheduling.job import Progress

log = structlog.get_logger(__name__)

SOURCE = "huggingface"

Row = dict[str, Any]
"""One model in the Hub's JSON."""

SINGLE_REQUESTS = 60
"""Most models that one crawl requests individually; a renamed one takes two requests."""

MOST_VALUES = 10_000_000
"""Most values of all rows of one crawl: a hundred thousand models have fewer."""

_MODEL_ID: TypeAdapter[str] = TypeAdapter(ModelId)
PAGE_ROWS = 1000
MODELS_PATH = "/api/models"
_FIELDS = (
    "downloads",
    "downloadsAllTime",
    "likes",
    "createdAt",
    "safetensors",
    "baseModels",
    "gated",
    "pipeline_tag",
    "tags",
)
_ORDER = (("sort", "createdAt"), ("direction", "-1"))
"""A stable order: by default a list is sorted by trend, and a row that moves while the pages are
read is on two pages, or on none."""
_EXPAND = tuple(("expand[]", name) for name in _FIELDS)


@dataclass
class Crawl:
    """What the Hub returned, and what is missing."""

    rows: dict[str, Row] = field(default_factory=dict)
    """By model id; a renamed model's row is under the wanted id."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Current names of renamed models, by wanted id."""
    repositories: dict[str, str] = field(default_factory=dict)
    """The Hub's `_id` of each repository, by wanted id."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Wanted ids of repositories that count under another wanted id, with that id."""
    missing: dict[str, str] = field(default_factory=dict)
    """Wanted models without a row, and why."""
    rejected: RejectedRows = field(default_factory=lambda: RejectedRows(SOURCE, SOURCE))
    """Rows without a valid id, or with invalid counters or facts."""
    failures: dict[str, str] = field(default_factory=dict)
    """Organisations whose listing is incomplete, and why."""

    def renames(self, tracked: Collection[str], known: Known) -> Renames:
        """Return the names of repositories, as the registry's records and this crawl have them."""
        renames = Renames(tracked, known)
        for model_id, name in self.renamed.items():
            renames.add(model_id, name, object_id(self.repositories.get(model_id)))
        return renames


def passes_policy(model_id: str, row: Row) -> bool:
    """Whether an untracked model meets the policy for being observed."""
    tag = row.get("pipeline_tag")
    return rejection(model_id, tag if isinstance(tag, str) else None) is None


def hub_source(
    settings: Settings, *, request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY
) -> Source:
    """Return the Hub as a source."""
    return Source(
        SOURCE,
        settings.hf_endpoint,
        "HF_ENDPOINT",
        token=settings.hf_token,
        token_setting="HF_TOKEN",  # noqa: S106
        request_policy=request_policy,
    )


async def crawl(
    hub: Source,
    organisations: Iterable[str],
    wanted: Collection[str],
    *,
    collector: str = SOURCE,
    seed: str = "",
    single_requests: int = SINGLE_REQUESTS,
    repositories: Mapping[str, str] = MappingProxyType({}),
    known: Known = MappingProxyType({}),
    on_progress: Progress = lambda _done, _total: None,
) -> Crawl:
    """List the organisations' models, then request the wanted ones that no listing has.

    The row of a renamed model is stored under its wanted id. If the current name is wanted too,
    the former one is an alias without a row: one counter must not count twice. Of two former names
    one counts, see `renames.primary`.
    `repositories` are the `_id`s of an earlier crawl: a listed repository with the `_id` of a
    wanted model is that model renamed, and a former name that now redirects to another repository
    is missing, since that repository's counters are not the model's. `known` are the registry's
    records.
    `collector` is the component in dead letters. `seed` selects the models to request when there
    are more than `single_requests`.
    Raises `EmptyResponseError` when there is no row at all.
    """
    crawler = _Crawler(
        hub, frozenset(wanted), seed, single_requests, repositories, known, on_progress
    )
    crawler.found.rejected = RejectedRows(SOURCE, collector)
    return await crawler.run(sorted(set(organisations)))


class _Crawler:
    def __init__(
        self,
        hub: Source,
        wanted: frozenset[str],
        seed: str,
        single_requests: int,
        repositories: Mapping[str, str],
        known: Known,
        on_progress: Progress,
    ) -> None:
        self._hub = hub
        self._wanted = wanted
        self._seed = seed
        self._single_requests = single_requests
        self._repositories = repositories
        self._known = known
        self._on_progress = on_progress
        self._done = self._total = 0
        self._breaker = CircuitBreaker()
        self._values = 0
        self.found = Crawl()

    async def run(self, organisations: list[str]) -> Crawl:
        found = self.found
        self._total = len(organisations)
        await self._hub.for_each(organisations, self._list)
        listed = len(organisations) > len(found.failures) or bool(found.rows)
        self._find_renamed()
        if listed:
            await self._hub.for_each(self._moved_namespaces(), self._follow_namespace)
        requested = self._choose(self._absent()) if listed else []
        for model_id in self._absent() - set(requested):
            found.missing[model_id] = self._why_not_requested(model_id, listed=listed)
        self._total += len(requested)
        await self._hub.for_each(requested, self._request)
        self._drop_aliases()
        if found.renamed:
            log.info(
                "tracked models were renamed",
                models=len(found.renamed),
                tracked_under_both=len(found.aliases),
            )
        if not found.rows:
            reasons = [*found.failures.values(), *found.missing.values()]
            raise EmptyResponseError(
                reasons[0]
                if reasons
                else f"{self._hub.name}: the listed organisations have no models: "
                f"check {self._hub.setting}"
            )
        found.repositories |= {
            model_id: repository
            for model_id in self._wanted & found.rows.keys()
            if (repository := _repository(found.rows[model_id])) is not None
        }
        return found

    async def _list(self, organisation: str) -> None:
        try:
            with self._breaker.guard():
                await self._read_pages(organisation)
        except (SourceError, ListingError, RejectionLimitError) as error:
            self.found.failures[organisation] = str(error)
        self._advance()

    async def _read_pages(self, organisation: str) -> None:
        params = (("author", organisation), ("limit", str(PAGE_ROWS)), *_ORDER, *_EXPAND)
        listing = f"the listing of {organisation}"
        streak = RejectionStreak(f"{self._hub.name}: {listing}", self._hub.setting)
        pages = read_listing(self._hub, listing, MODELS_PATH, params, requested=PAGE_ROWS)
        async for page in pages:
            self._values += page.values
            if self._values > MOST_VALUES:
                raise ListingError(
                    f"{self._hub.name}: {listing}: the rows of one crawl have more than "
                    f"{MOST_VALUES:,} values: check {self._hub.setting}"
                )
            for row in page.rows:
                model_id = _model_id(row)
                if model_id is None:
                    reason = f"a row in {listing} has no valid id"
                    self.found.rejected.add(row, reason)
                    streak.rejected(reason)
                else:
                    self.found.rows[model_id] = row
                    streak.accepted()

    def _find_renamed(self) -> None:
        """Find absent models under other names by their repositories' `_id`, without a request."""
        names = {
            repository: name
            for name, row in self.found.rows.items()
            if (repository := object_id(row.get("_id"))) is not None
        }
        for model_id in sorted(self._absent()):
            name = names.get(self._repositories.get(model_id, ""))
            if name is not None:
                self._add(model_id, self.found.rows[name])

    def _drop_aliases(self) -> None:
        """Leave one row a repository: its counter must not count twice."""
        found = self.found
        formers: dict[str, list[str]] = {}
        for model_id, name in found.renamed.items():
            if name not in self._wanted:
                formers.setdefault(name, []).append(model_id)
        for name, model_ids in formers.items():
            found.rows.pop(name, None)
            counted = primary(model_ids, self._known)
            for model_id in set(model_ids) - {counted}:
                del found.rows[model_id]
                found.aliases[model_id] = counted

    def _absent(self) -> set[str]:
        """Return the wanted models without a result so far."""
        found = self.found
        return set(self._wanted.difference(found.rows, found.missing, found.aliases))

    def _moved_namespaces(self) -> list[str]:
        """Return completely listed organisations that have none of several wanted models."""
        wanted = Counter(_namespace(model_id) for model_id in self._wanted)
        absent = Counter(_namespace(model_id) for model_id in self._absent())
        return sorted(
            organisation
            for organisation, count in absent.items()
            if count > 1
            and count == wanted[organisation]
            and organisation not in self.found.failures
        )

    async def _follow_namespace(self, organisation: str) -> None:
        """Find an organisation's new name by one of its models, and list its models there.

        The Hub redirects all models of a renamed namespace; requesting each would take two
        requests a model in every crawl.
        """
        absent = sorted(
            model_id for model_id in self._absent() if _namespace(model_id) == organisation
        )
        self._total += 1
        await self._request(absent[0])
        moved_to = _namespace(self.found.renamed.get(absent[0], absent[0]))
        if moved_to == organisation:
            return
        if not any(_namespace(model_id) == moved_to for model_id in self.found.rows):
            self._total += 1
            await self._list(moved_to)
        for model_id in absent[1:]:
            row = self.found.rows.get(f"{moved_to}/{model_id.partition('/')[2]}")
            if row is not None:
                self._add(model_id, row)

    def _choose(self, absent: Iterable[str]) -> list[str]:
        """Choose the models to request: of complete listings first, in a random order by seed."""
        ordered = sorted(
            absent,
            key=lambda model_id: (
                _namespace(model_id) in self.found.failures,
                zlib.crc32(f"{self._seed} {model_id}".encode()),
            ),
        )
        return ordered[: self._single_requests]

    def _why_not_requested(self, model_id: str, *, listed: bool) -> str:
        failure = self.found.failures.get(_namespace(model_id))
        if not listed:
            return failure or "its organisation could not be listed"
        reason = failure or "not in its organisation's listing"
        return f"{reason}; not requested: more than {self._single_requests} such models"

    async def _request(self, model_id: str) -> None:
        found = self.found
        try:
            page = await self._hub.json(f"{MODELS_PATH}/{quote(model_id)}", _EXPAND)
        except SourceRefusedError as error:
            found.missing[model_id] = _why_refused(error)
        except SourceError as error:
            found.missing[model_id] = str(error)
        else:
            self._add(model_id, page.content)
        self._advance()

    def _add(self, model_id: str, row: Any) -> None:
        found = self.found
        name = _model_id(row)
        if name is None:
            reason = f"the response for {model_id} has no valid id"
            found.missing[model_id] = reason
            found.rejected.add(row, reason)
            return
        if name != model_id:
            before, now = self._repositories.get(model_id), _repository(row)
            if before is not None and now is not None and before != now:
                found.missing[model_id] = (
                    f"its name now redirects to another repository, {name}: "
                    f"_id was {before} and is {now}"
                )
                return
            found.renamed[model_id] = name
            if name in self._wanted:
                found.aliases[model_id] = name
                found.rows.setdefault(name, row)
                return
            log.debug("model was renamed", model_id=model_id, name=name)
        found.rows[model_id] = row

    def _advance(self) -> None:
        self._done += 1
        self._on_progress(self._done, self._total)


def _namespace(model_id: str) -> str:
    return model_id.partition("/")[0]


def _model_id(row: Any) -> str | None:
    try:
        return _MODEL_ID.validate_python(row.get("id") if isinstance(row, dict) else None)
    except ValidationError:
        return None


def _repository(row: Row) -> str | None:
    """Return the Hub's id of a repository, which renaming does not change."""
    object_id = row.get("_id")
    return object_id[:64] if isinstance(object_id, str) and object_id else None


def _why_refused(error: SourceRefusedError) -> str:
    if error.status == httpx.codes.NOT_FOUND:
        return "deleted: the Hub has no such model"
    if error.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return f"private or deleted: {error.reason}"
    return str(error)
