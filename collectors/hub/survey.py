"""Surveys the Hugging Face Hub: all models of some organisations, in few requests."""

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
from breakout.registry.policy import rejection
from breakout.settings import Settings
from collectors.http.client import (
    DEFAULT_PATIENCE,
    Patience,
    Source,
    SourceError,
    SourceRefusedError,
    SourceUnreachableError,
)
from collectors.hub.listing import ListingError, read_listing
from collectors.publishing.rejection_limit import GivenUpError, Streak, Unreadable
from collectors.scheduling.job import EmptyAnswerError, Progress

log = structlog.get_logger(__name__)

SOURCE = "huggingface"

Row = dict[str, Any]
"""One model as the Hub's JSON has it."""

SINGLE_REQUESTS = 60
"""Most models that one survey asks for one by one; a renamed one takes two requests."""

MOST_VALUES = 10_000_000
"""Values that all rows of one survey have at most: a hundred thousand models have fewer."""

_MODEL_ID: TypeAdapter[str] = TypeAdapter(ModelId)
PAGE = 1000
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
"""What does not move: by default a list is sorted by what trends, and rows that change places
while it is read are on two of its pages, or on none."""
_EXPAND = tuple(("expand[]", name) for name in _FIELDS)


@dataclass
class Survey:
    """What the Hub listed, and what it did not."""

    rows: dict[str, Row] = field(default_factory=dict)
    """By model id; a renamed model's row is under the id that was wanted."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Names that wanted models have now."""
    repositories: dict[str, str] = field(default_factory=dict)
    """The Hub's `_id` of each wanted model's repository, by wanted id."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Wanted models that are other wanted models under a former name."""
    missing: dict[str, str] = field(default_factory=dict)
    """Wanted models that could not be read, and why."""
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(SOURCE, SOURCE))
    """Rows that are no model, or whose counters or facts cannot be read."""
    troubles: dict[str, str] = field(default_factory=dict)
    """Organisations whose listing could not be read to its end, and why."""


def passes_policy(model_id: str, row: Row) -> bool:
    """Whether a model nobody tracks is worth observing."""
    tag = row.get("pipeline_tag")
    return rejection(model_id, tag if isinstance(tag, str) else None) is None


def hub_source(settings: Settings, *, patience: Patience = DEFAULT_PATIENCE) -> Source:
    """Return the Hub as a source."""
    return Source(
        SOURCE,
        settings.hf_endpoint,
        "HF_ENDPOINT",
        token=settings.hf_token,
        token_setting="HF_TOKEN",  # noqa: S106
        patience=patience,
    )


async def survey(
    hub: Source,
    organisations: Iterable[str],
    wanted: Collection[str],
    *,
    collector: str = SOURCE,
    seed: str = "",
    single_requests: int = SINGLE_REQUESTS,
    repositories: Mapping[str, str] = MappingProxyType({}),
    on_progress: Progress = lambda _done, _total: None,
) -> Survey:
    """List the organisations' models, then ask for the wanted ones that no listing has.

    A wanted model that was renamed is read under its new name and kept under the wanted one;
    when the new name is wanted itself, the former one is an alias and has no row, since one
    counter must not count twice.
    `repositories` are the `_id`s of an earlier survey: a former name that leads to another
    repository now is missing, since that one's counters are not its own.
    `collector` is named in dead letters. `seed` decides which models are asked for when they are
    more than `single_requests`.
    Raises `EmptyAnswerError` when not one model could be read.
    """
    surveyor = _Surveyor(hub, frozenset(wanted), seed, single_requests, repositories, on_progress)
    surveyor.survey.unreadable = Unreadable(SOURCE, collector)
    return await surveyor.run(sorted(set(organisations)))


class _Surveyor:
    def __init__(
        self,
        hub: Source,
        wanted: frozenset[str],
        seed: str,
        single_requests: int,
        repositories: Mapping[str, str],
        on_progress: Progress,
    ) -> None:
        self._hub = hub
        self._wanted = wanted
        self._seed = seed
        self._single_requests = single_requests
        self._repositories = repositories
        self._on_progress = on_progress
        self._done = self._total = 0
        self._hopeless: SourceError | None = None
        self._values = 0
        self.survey = Survey()

    async def run(self, organisations: list[str]) -> Survey:
        survey = self.survey
        self._total = len(organisations)
        await self._hub.each(organisations, self._list)
        listed = len(organisations) > len(survey.troubles) or bool(survey.rows)
        if listed:
            await self._hub.each(self._moved_namespaces(), self._follow_namespace)
        asked = self._choose(self._absent()) if listed else []
        for model_id in self._absent() - set(asked):
            survey.missing[model_id] = self._why_not_asked(model_id, listed=listed)
        self._total += len(asked)
        await self._hub.each(asked, self._ask)
        # Listed under its new name too, a renamed model would be observed twice.
        for name in set(survey.renamed.values()) - self._wanted:
            survey.rows.pop(name, None)
        if survey.renamed:
            log.info(
                "tracked models have other names now",
                models=len(survey.renamed),
                tracked_under_both=len(survey.aliases),
            )
        if not survey.rows:
            reasons = [*survey.troubles.values(), *survey.missing.values()]
            raise EmptyAnswerError(
                reasons[0]
                if reasons
                else f"{self._hub.name}: no model of any listed organisation: "
                f"check {self._hub.setting}"
            )
        survey.repositories |= {
            model_id: repository
            for model_id in self._wanted & survey.rows.keys()
            if (repository := _repository(survey.rows[model_id])) is not None
        }
        return survey

    async def _list(self, organisation: str) -> None:
        try:
            if self._hopeless is None:
                await self._read_pages(organisation)
            else:
                self.survey.troubles[organisation] = str(self._hopeless)
        except SourceError as error:
            if is_hopeless(error):
                self._hopeless = error
            self.survey.troubles[organisation] = str(error)
        self._advance()

    async def _read_pages(self, organisation: str) -> None:
        params = (("author", organisation), ("limit", str(PAGE)), *_ORDER, *_EXPAND)
        what = f"the listing of {organisation}"
        streak = Streak(f"{self._hub.name}: {what}", self._hub.setting)
        try:
            async for page in read_listing(self._hub, what, MODELS_PATH, params, wanted=PAGE):
                self._values += page.values
                if self._values > MOST_VALUES:
                    raise ListingError(
                        f"{self._hub.name}: {what}: the rows of one survey have more than "
                        f"{MOST_VALUES:,} values: check {self._hub.setting}"
                    )
                self._note_rows(organisation, page.rows, streak)
        except (ListingError, GivenUpError) as error:
            self.survey.troubles[organisation] = str(error)

    def _note_rows(self, organisation: str, rows: list[Any], streak: Streak) -> None:
        for row in rows:
            model_id = _model_id(row)
            if model_id is None:
                why = f"a row in the listing of {organisation} has no valid id"
                self.survey.unreadable.add(row, why)
                streak.bad(why)
            else:
                self.survey.rows[model_id] = row
                streak.good()

    def _absent(self) -> set[str]:
        """Return the wanted models nothing is known of yet."""
        survey = self.survey
        return set(self._wanted.difference(survey.rows, survey.missing, survey.aliases))

    def _moved_namespaces(self) -> list[str]:
        """Return soundly listed organisations of whose several wanted models none is there."""
        wanted = Counter(_namespace(model_id) for model_id in self._wanted)
        absent = Counter(_namespace(model_id) for model_id in self._absent())
        return sorted(
            organisation
            for organisation, count in absent.items()
            if count > 1
            and count == wanted[organisation]
            and organisation not in self.survey.troubles
        )

    async def _follow_namespace(self, organisation: str) -> None:
        """Find where an organisation went by one of its models, and take the others from there.

        The Hub redirects all models of a renamed namespace; asking for each would take two
        requests a model in every survey.
        """
        absent = sorted(
            model_id for model_id in self._absent() if _namespace(model_id) == organisation
        )
        self._total += 1
        await self._ask(absent[0])
        moved_to = _namespace(self.survey.renamed.get(absent[0], absent[0]))
        if moved_to == organisation:
            return
        if not any(_namespace(model_id) == moved_to for model_id in self.survey.rows):
            self._total += 1
            await self._list(moved_to)
        for model_id in absent[1:]:
            row = self.survey.rows.get(f"{moved_to}/{model_id.partition('/')[2]}")
            if row is not None:
                self._note_single(model_id, row)

    def _choose(self, absent: Iterable[str]) -> list[str]:
        """Choose whom to ask, models of sound listings first, others by turns."""
        by_turns = sorted(
            absent,
            key=lambda model_id: (
                _namespace(model_id) in self.survey.troubles,
                zlib.crc32(f"{self._seed} {model_id}".encode()),
            ),
        )
        return by_turns[: self._single_requests]

    def _why_not_asked(self, model_id: str, *, listed: bool) -> str:
        trouble = self.survey.troubles.get(_namespace(model_id))
        if not listed:
            return trouble or "its organisation could not be listed"
        why = trouble or "not in its organisation's listing"
        return f"{why}; more than {self._single_requests} such models, this one was not asked for"

    async def _ask(self, model_id: str) -> None:
        survey = self.survey
        try:
            answer = await self._hub.json(f"{MODELS_PATH}/{quote(model_id)}", _EXPAND)
        except SourceRefusedError as error:
            survey.missing[model_id] = _why_refused(error)
        except SourceError as error:
            survey.missing[model_id] = str(error)
        else:
            self._note_single(model_id, answer.content)
        self._advance()

    def _note_single(self, model_id: str, row: Any) -> None:
        survey = self.survey
        name = _model_id(row)
        if name is None:
            why = f"the answer for {model_id} has no valid id"
            survey.missing[model_id] = why
            survey.unreadable.add(row, why)
            return
        if name != model_id:
            before, now = self._repositories.get(model_id), _repository(row)
            if before is not None and now is not None and before != now:
                survey.missing[model_id] = (
                    f"its name leads to another repository now, {name}: "
                    f"_id was {before} and is {now}"
                )
                return
            survey.renamed[model_id] = name
            if name in self._wanted:
                survey.aliases[model_id] = name
                return
            log.debug("model was renamed", model_id=model_id, name=name)
        survey.rows[model_id] = row

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
    """Return what the Hub knows a repository by, whatever it is called."""
    known = row.get("_id")
    return known[:64] if isinstance(known, str) and known else None


def is_hopeless(error: SourceError) -> bool:
    """Whether no other request will fare better."""
    return isinstance(error, SourceUnreachableError) or error.status == httpx.codes.UNAUTHORIZED


def _why_refused(error: SourceRefusedError) -> str:
    if error.status == httpx.codes.NOT_FOUND:
        return "deleted: the Hub knows no such model"
    if error.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return f"private or deleted: {error.reason}"
    return str(error)
