"""Events on the topics: pydantic models, one JSON object per record.

`read_event` validates a record. JSON Schemas are checked in beside this file (`schemas/`), and a
test keeps both equal. Within a contract version, fields are only added, and readers ignore unknown
fields. A change that an old reader would misread increments `CONTRACT_VERSION`.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
    model_validator,
)

from breakout.contract.model_ids import ModelId, ModelIds
from breakout.contract.names import Name, Text
from breakout.core.sizes import SizeBin, SizeSource

CONTRACT_VERSION = 1

# ClickHouse keeps counters as UInt64, numpy state as int64: what both can hold.
MAX_COUNTER = 2**63 - 1

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MOMENT = datetime(2300, 1, 1, tzinfo=UTC)
"""First time that ClickHouse's DateTime64 cannot hold."""
LATEST_DAY = date(2149, 6, 6)
"""The last day that ClickHouse's Date holds."""


def _to_utc_milliseconds(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the moment lies outside the years 1 to 9999 in UTC") from None
    if not EARLIEST <= moment < LATEST_MOMENT:
        raise ValueError(f"{moment.date()} is not from {EARLIEST.date()} to the year 2299")
    beyond = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - beyond) if beyond else moment


def _in_range(day: date) -> date:
    if not EARLIEST.date() <= day <= LATEST_DAY:
        raise ValueError(f"{day} is not from {EARLIEST.date()} to {LATEST_DAY}")
    return day


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc_milliseconds)]
"""A time in UTC, to the millisecond. A time without a zone is rejected."""

Day = Annotated[date, AfterValidator(_in_range)]
"""A UTC day that ClickHouse can hold."""

Counter = Annotated[int, Field(ge=0, le=MAX_COUNTER, strict=True)]
"""A count: never negative, never a float, never a string."""

Entry = TypeVar("Entry")

Column = Annotated[list[Entry], FailFast()]
"""Many entries, checked up to the first invalid one: listing millions would take gigabytes."""


class ContractError(ValueError):
    """A record is not a valid event of this contract. The message names the invalid field."""


class Event(BaseModel):
    """Base class of events."""

    # Pydantic's cache of strings is too small for model ids, so caching them gains nothing.
    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, cache_strings="keys"
    )

    schema_version: Literal[1] = Field(1, description="Contract version this record follows")

    def to_bytes(self) -> bytes:
        """Return the record's value: UTF-8 JSON."""
        return self.model_dump_json().encode()


def _check_lengths(event: BaseModel, rows: int, columns: tuple[str, ...]) -> None:
    """Raise `ValueError` for a column whose length is not the number of rows."""
    for column in columns:
        if len(getattr(event, column)) != rows:
            raise ValueError(f"{column} has {len(getattr(event, column))} entries for {rows} rows")


class MissingModel(BaseModel):
    """A model that a scrape wanted and did not get."""

    model_config = ConfigDict(frozen=True)

    model_id: ModelId = Field(description="Model the scrape wanted")
    reason: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="Why it did not get it"
    )


class DownloadsSlice(Event):
    """Counters of many models at one moment: one slice of one scrape, columns side by side.

    Each column has one entry a model, null where the source did not say. A single observation
    is a slice of one.
    """

    source: Name = Field(description="Whose counters: huggingface, modelscope")
    origin: Name = Field(
        "live",
        description="How they were read: live, or the archive's name; ends in -30d where the "
        "30-day counter of a young repository is its all-time counter",
    )
    scrape_id: Name = Field(description="Equal for all slices of a scrape, equal on a rerun")
    slice: int = Field(0, ge=0, description="Number of this slice within its scrape")
    observed_at: UtcDatetime = Field(description="Moment of the observation, UTC")
    complete: bool = Field(True, description="False when the scrape did not get all it wanted")
    models: ModelIds = Field(description="Model ids, no duplicates")
    downloads_all_time: Column[Counter | None] = Field(description="Downloads since creation")
    downloads_30d: Column[Counter | None] = Field(description="Downloads in the last 30 days")
    likes: Column[Counter | None] = Field(description="Likes at that moment")
    missing: Column[MissingModel] = Field(
        default_factory=list, description="What the scrape wanted and did not get"
    )

    @model_validator(mode="after")
    def _columns_are_equally_long(self) -> Self:
        _check_lengths(self, len(self.models), ("downloads_all_time", "downloads_30d", "likes"))
        return self


class ModelRecord(Event):
    """What is known of one model, and where each fact comes from."""

    model_id: ModelId = Field(description="Model id as its hub spells it")
    observed_at: UtcDatetime = Field(description="When the registry was read, UTC; newest wins")
    org: Name = Field(description="Publishing organisation, case matters")
    region: Literal["us", "china", "eu", "other", "unknown"] | None = Field(
        description="Headquarters of the publishing organisation; null = not reviewed"
    )
    region_source: Name | None = Field(None, description="Where the region comes from")
    total_params_b: Annotated[float, Field(gt=0)] | None = Field(
        description="Total parameters in decimal billions"
    )
    active_params_b: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Active parameters in decimal billions; never inferred"
    )
    size_source: SizeSource | None = Field(None, description="Where the size comes from")
    size_bin: SizeBin | None = Field(description="Null = unknown, so the model has no RAM")
    released_at: Day | None = Field(description="Day 0 of the model's age, at 00:00 UTC")
    released_source: Literal["override", "correction", "created_at"] | None = Field(
        None, description="Where the release date comes from"
    )
    created_at: UtcDatetime | None = Field(None, description="Creation of the repository, UTC")
    license: Name | None = Field(None, description="Licence as the hub tags it")
    pipeline_tag: Name | None = Field(None, description="Task as the hub tags it")
    base_models: Column[ModelId] = Field(
        default_factory=list, description="Models it derives from, as the hub says"
    )
    base_relation: Name | None = Field(
        None, description="adapter, merge, quantized or finetune, as the hub says"
    )
    tracked: bool = Field(description="On the tracked list, so it counts among the peers")
    size_disputed: bool = Field(
        False, description="Whether the witnesses of its size contradict each other: no size bin"
    )
    size_manual_b: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Size that the manual table states, decimal billions"
    )
    size_parameters_b: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Sum of the weights' parameters by type, decimal billions"
    )
    size_total_b: Annotated[float, Field(gt=0)] | None = Field(
        None, description="The weights' own total, decimal billions"
    )
    size_name_b: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Size that the name states, decimal billions"
    )
    repository: Name | None = Field(
        None, description="The hub's own id of the repository, which a rename does not change"
    )
    renamed_to: ModelId | None = Field(
        None, description="Current name of a repository that was renamed; null = model_id"
    )

    @property
    def key(self) -> str:
        """The record's key."""
        return self.model_id


class NameRecord(Event):
    """What a name of another source means: a slug of OpenRouter, a line of a leaderboard.

    `model_id` and `open` are the project's own reviewed judgement; `hint` is what the source
    itself says, and nothing is counted by it.
    """

    source: Name = Field(description="Whose name: openrouter, arena, artificial-analysis")
    name: Name = Field(description="The name as the source spells it, without a variant")
    observed_at: UtcDatetime = Field(description="When the source was read, UTC; newest wins")
    title: Name | None = Field(None, description="What the source shows to people")
    vendor: Name | None = Field(None, description="Who makes it, as the source says")
    open: bool | None = Field(
        description="Whether its weights can be downloaded; null = nobody has classified it"
    )
    model_id: ModelId | None = Field(None, description="Its weights on the Hub, reviewed")
    org: Name | None = Field(None, description="The Hub's organisation that publishes it, reviewed")
    hint: ModelId | None = Field(None, description="Its weights as the source says, not reviewed")

    licensed_open: bool | None = Field(
        None, description="Whether the licence that the source states makes it open; null = unknown"
    )

    @property
    def key(self) -> str:
        """The record's key."""
        return f"{self.source}:{self.name}"


class InferenceDay(Event):
    """Tokens of one UTC day by name, as a source counted them at `as_of`.

    A later `as_of` replaces the whole day, and so does a later reading of the same `as_of`: what
    it does not name, it does not count.
    """

    source: Name = Field(description="Who counted: openrouter")
    day: Day = Field(description="UTC day")
    as_of: UtcDatetime = Field(description="When the source had counted this, UTC; newest wins")
    observed_at: UtcDatetime = Field(description="When it was read, UTC")
    names: Column[Name] = Field(
        min_length=1, description="Names with their variant; `other` is the rest of the day"
    )
    tokens: Column[Counter] = Field(description="Prompt and completion tokens")

    @model_validator(mode="after")
    def _columns_are_equally_long(self) -> Self:
        _check_lengths(self, len(self.names), ("tokens",))
        if len(set(self.names)) != len(self.names):
            raise ValueError("names holds a name twice")
        return self


class DerivativesSlice(Event):
    """Models that name others as their base, at one moment: one slice of one survey.

    Each column has one entry a model, null where the source did not say.
    """

    source: Name = Field(description="Whose counters: huggingface")
    scrape_id: Name = Field(description="Equal for all slices of a survey, equal on a rerun")
    slice: int = Field(0, ge=0, description="Number of this slice within its survey")
    observed_at: UtcDatetime = Field(description="Moment of the observation, UTC")
    complete: bool = Field(True, description="False when the survey did not get all it wanted")
    models: ModelIds = Field(description="Model ids, no duplicates")
    parents: Column[Column[ModelId]] = Field(
        description="Models each derives from, as the hub says"
    )
    relation: Column[Name | None] = Field(
        description="adapter, merge, quantized or finetune, as the hub says"
    )
    created_at: Column[UtcDatetime | None] = Field(description="Creation of the repository, UTC")
    downloads_all_time: Column[Counter | None] = Field(description="Downloads since creation")
    downloads_30d: Column[Counter | None] = Field(description="Downloads in the last 30 days")
    bases: Column[ModelId] = Field(
        default_factory=list,
        description="Models whose derivatives this survey has all: what derived from one of them "
        "and is not in the survey no longer does",
    )

    @model_validator(mode="after")
    def _columns_are_equally_long(self) -> Self:
        columns = ("parents", "relation", "created_at", "downloads_all_time", "downloads_30d")
        _check_lengths(self, len(self.models), columns)
        return self


class LeaderboardSlice(Event):
    """One leaderboard as published on one day.

    A later reading replaces the whole day: a name that it does not have is withdrawn. Ratings of
    different `version`s are different quantities and never compared.
    """

    source: Name = Field(description="Who rates: arena, artificial-analysis")
    board: Name = Field(
        description="Which leaderboard of the source: text, text_style_control, intelligence_index"
    )
    version: Text = Field(
        "", description="Version of the rating's method; empty where the source has none"
    )
    published_on: Day = Field(description="UTC day the leaderboard is of")
    observed_at: UtcDatetime = Field(description="When it was read, UTC; newest wins")
    names: Column[Name] = Field(min_length=1, description="Names as the source spells them")
    rating: Column[float] = Field(description="Rating: Elo-like points, or the index's value")
    lower: Column[float | None] = Field(description="Lower end of its 95% interval")
    upper: Column[float | None] = Field(description="Upper end of its 95% interval")
    votes: Column[Counter | None] = Field(description="Votes it rests on")

    @model_validator(mode="after")
    def _columns_are_equally_long(self) -> Self:
        _check_lengths(self, len(self.names), ("rating", "lower", "upper", "votes"))
        if len(set(self.names)) != len(self.names):
            raise ValueError("names holds a name twice")
        return self


class DailySlice(Event):
    """Rows of the daily grid of models in one size bin, and where their counters stand.

    The first columns have one entry a model; `row_*` have one entry a row, `row_model` being the
    index of its model. A model with an earlier `registry_changed_at`, or an equal one and a smaller
    `known`, than before was computed by a worker that knew less.
    """

    size_bin: SizeBin = Field(description="Size bin of all models of the slice")
    models: ModelIds = Field(description="Model ids, no duplicates")
    registry_changed_at: Column[UtcDatetime] = Field(
        description="When the registry last changed size bin, release date or tracked, UTC"
    )
    known: Column[Counter] = Field(description="Observations of the partition known")
    tracked: Column[bool] = Field(description="Whether each counts among the peers")
    released_at: Column[Day | None] = Field(description="Day 0; null = it left this size bin")
    reread: Column[bool] = Field(
        description="True: all its rows are to be read from daily_log, since its age or bin changed"
    )
    knot_at: Column[UtcDatetime | None] = Field(description="Moment of its last knot, UTC")
    knot_cumulative: Column[Counter | None] = Field(description="Cumulative downloads at it")
    row_model: Column[Annotated[int, Field(ge=0)]] = Field(
        description="Index into models of each row"
    )
    row_day: Column[Annotated[int, Field(ge=0, le=65_535)]] = Field(
        description="UTC days since 1970-01-01"
    )
    row_cumulative: Column[Counter | None] = Field(
        description="Downloads at the end of the day; null = the row is withdrawn"
    )
    row_downloads: Column[Counter | None] = Field(
        description="Downloads within the day; null on the first day of the series"
    )
    row_gap: Column[bool] = Field(
        description="Whether the knots around the day's end are more than 4 days apart"
    )

    @model_validator(mode="after")
    def _columns_are_equally_long(self) -> Self:
        columns = ("registry_changed_at", "known", "tracked", "released_at", "reread")
        _check_lengths(self, len(self.models), (*columns, "knot_at", "knot_cumulative"))
        rows = len(self.row_model)
        _check_lengths(self, rows, ("row_day", "row_cumulative", "row_downloads", "row_gap"))
        if rows and max(self.row_model) >= len(self.models):
            raise ValueError("row_model names a model beyond models")
        if len(set(zip(self.row_model, self.row_day, strict=True))) != rows:
            raise ValueError("row_model and row_day name a row twice")
        return self


class BreakoutEvent(Event):
    """A model passed 1.0x of a baseline, was confirmed, fell back, or its crossing was restated."""

    baseline: Name = Field(description="Baseline that was passed")
    model_id: ModelId = Field(description="Model id as its hub spells it")
    status: Literal["crossed", "confirmed", "ended", "retracted"] = Field(
        description="crossed; confirmed: a burst was confirmed; ended: it fell below 0.9; "
        "retracted: restated away"
    )
    crossed_at: UtcDatetime = Field(description="The whole-day age at which it passed, UTC")
    age_days: int = Field(description="That age")
    ram: float = Field(description="RAM at the crossing")
    ended_at: UtcDatetime | None = Field(None, description="First age with RAM below 0.9, UTC")
    confirmed_at: UtcDatetime | None = Field(
        None, description="First age with capped RAM of 1.0 or more, UTC; null = a burst"
    )
    ram_capped: float | None = Field(
        None, description="RAM at the crossing with each day capped at 10 times the median day"
    )
    top_day_share: float | None = Field(
        None, description="Share of the greatest day in the downloads up to the crossing"
    )


class RunRecord(Event):
    """A collector's latest run: what another instance needs to know when it takes over."""

    source: Name = Field(description="Source that was read")
    observed_at: UtcDatetime = Field(description="Moment of the observation, UTC")
    complete_at: UtcDatetime | None = Field(
        description="Observation of the latest run that got all it wanted, UTC"
    )
    finished_at: UtcDatetime = Field(description="When all of it was acknowledged, UTC")
    instance: Name = Field(description="Host and process that ran it")

    @property
    def key(self) -> str:
        """The record's key."""
        return self.source


class DeadLetter(Event):
    """A record nobody could read, with its reason: nothing is lost."""

    topic: str = Field(description="Topic it came from, or the source of a row nobody could read")
    partition: int | None = Field(None, description="Partition it came from")
    offset: int | None = Field(None, description="Offset it had there")
    component: Name = Field(description="Who could not read it")
    error: str = Field(description="What is wrong where")
    failed_at: UtcDatetime = Field(description="When that was, UTC")
    key_base64: str | None = Field(None, description="The original key")
    value_base64: str = Field(description="The original bytes")


EventT = TypeVar("EventT", bound=Event)


def read_event(kind: type[EventT], value: bytes | None) -> EventT:
    """Read one record's value.

    Raises `ContractError` for bytes that are not JSON, a newer contract version, and missing or
    invalid fields; the message names the field and its value.
    """
    if value is None:
        raise ContractError("the record has no value")
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        raise ContractError(_explain(kind, value, error)) from None


MAX_QUOTED_BYTES = 100_000
"""Maximum bytes of a record whose invalid value an error quotes: more would take gigabytes."""


def _explain(kind: type[Event], value: bytes, error: ValidationError) -> str:
    quoted = len(value) <= MAX_QUOTED_BYTES
    first: Any = error.errors(include_url=False, include_context=False, include_input=quoted)[0]
    if first["type"] == "json_invalid":
        return f"not JSON: {first['msg']}"
    version = _version_of(value)
    if isinstance(version, int) and version > CONTRACT_VERSION:
        return (
            f"contract version {version} is newer than {CONTRACT_VERSION}, "
            "which this program reads: upgrade it, then replay the dead letters"
        )
    where = ".".join(str(part) for part in first["loc"]) or "record"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    came = f", got {first['input']!r}" if quoted else ""
    came = came if len(came) <= 86 else came[:83] + "..."  # noqa: PLR2004
    return f"{kind.__name__}.{where}: {first['msg']}{came}{more}"


class _Versioned(BaseModel):
    """The field that every version of every event has."""

    schema_version: Any = None


def _version_of(value: bytes) -> object:
    try:
        return _Versioned.model_validate_json(value).schema_version
    except ValidationError:
        return None
