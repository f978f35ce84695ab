"""Query parameters that operations share: types, limits, and messages for invalid values."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.formats import Format
from api.problems import ProblemError
from breakout.core.sizes import SizeBin

MAX_ROWS = 100_000
PAGE_ROWS = 1000
RANGES = (("since", "until"), ("released_from", "released_to"), ("min_age", "max_age"))
"""Parameters that are the ends of a range."""
FIRST_YEAR, LAST_YEAR = 1970, 2148
"""Years that ClickHouse's type Date covers completely."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    rf"{_DAY.pattern}[Tt ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]{{1,9}})?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def iso(timestamp: datetime) -> str:
    """Return a timestamp as responses write it: UTC, in milliseconds."""
    return timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> str:
    """Return a timestamp, or the end of a day, as responses write it.

    Raises `ValueError` or `OverflowError` if it is invalid or outside the years of ClickHouse's
    Date.
    """
    if _is_day(text):
        timestamp = datetime.combine(date.fromisoformat(text), time(23, 59, 59, 999_000), UTC)
    elif _TIMESTAMP.fullmatch(text):
        timestamp = datetime.fromisoformat(text.upper())
        timestamp = timestamp.astimezone(UTC) if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    else:
        raise ValueError
    if not _in_range(timestamp):
        raise ValueError
    return iso(timestamp)


def _validate_day(text: str) -> str:
    if not _is_day(text) or not _in_range(datetime.fromisoformat(text)):
        raise ValueError(f"must be a day, YYYY-MM-DD, from {FIRST_YEAR} to {LAST_YEAR}")
    return text


def _validate_timestamp(text: str) -> str:
    try:
        return parse_timestamp(text)
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a timestamp (2026-04-01T12:00:00Z; UTC if it has no offset) or a day "
            f"(2026-04-01: until its end), from {FIRST_YEAR} to {LAST_YEAR} in UTC"
        ) from None


def _is_day(text: str) -> bool:
    # By the pattern first: Python also parses ISO weeks and ordinal days.
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_range(timestamp: datetime) -> bool:
    return FIRST_YEAR <= timestamp.year <= LAST_YEAR


Day = Annotated[
    str, AfterValidator(_validate_day), WithJsonSchema({"type": "string", "format": "date"})
]
Timestamp = Annotated[
    str,
    AfterValidator(_validate_timestamp),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
    ),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PathPart = Annotated[str, Path(max_length=200)]
Texts = Annotated[list[Text], Field(max_length=100)]
Regions = Annotated[
    list[Literal["us", "china", "eu", "other", "unknown", "unreviewed"]],
    Field(max_length=100, description="Headquarters of the organisation; unreviewed = not known"),
]
SizeBins = Annotated[
    list[Literal[SizeBin, "unknown"]],
    Field(max_length=100, description="Size bins by total parameters; unknown = no size bin"),
]
Counters = Literal["huggingface", "modelscope"]
"""Sources of download counters."""
Age = Annotated[float, Field(ge=0, le=365)]
WholeAges = Annotated[
    list[Annotated[int, Field(ge=0, le=365)]],
    Field(max_length=400, description="Whole days since release; default: all"),
]
BaselineName = Annotated[
    Text, Field(description="live, live_fixed, live_cutoff, or a frozen baseline")
]


class OperationParameters(BaseModel):
    """Parameters of every operation."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    format: Format | None = Field(
        None, description="Format of the response; default: by the Accept header, else JSON"
    )
    limit: int | None = Field(
        None,
        ge=1,
        le=MAX_ROWS,
        description=f"Maximum number of rows. Default: pages of {PAGE_ROWS} rows in JSON, all rows "
        "in the other formats",
    )
    csv_safe: bool = Field(
        False,
        description="For CSV that a spreadsheet opens: prefix an apostrophe to texts that begin "
        "with = + - @ tab, CR or LF, which it would read as formulas; numbers are unchanged",
    )
    cursor: str | None = Field(
        None, min_length=1, max_length=4000, description="`next` of the previous page"
    )
    as_of: Timestamp | None = Field(
        None,
        description="Return data as of this timestamp, or the end of this UTC day; default: the "
        "latest. With the `as_of` of a response, the same figures are returned again",
    )

    def values(self) -> dict[str, Any]:
        """Return the operation's own parameters as ClickHouse takes them."""
        return self.model_dump(
            mode="json", exclude={"format", "limit", "csv_safe", "cursor", "as_of"}, by_alias=False
        )

    def sources(self, all_sources: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of an operation's sources that the response is made of."""
        return all_sources

    def check_ranges(self) -> None:
        """Raise a 422 problem for a range that is empty, since it ends before it begins."""
        for first, last in RANGES:
            low, high = getattr(self, first, None), getattr(self, last, None)
            if low is not None and high is not None and low > high:
                reason = f"{high} is below {first}, {low}: no row can match both"
                raise ProblemError(422, f"{last}: {reason}", errors={last: reason})

    def latest_only(self) -> str | None:
        """Return why an earlier `as_of` is not available, None if it is."""
        return None

    def variant(self) -> str:
        """Return the variant of the query, besides the latest and the earlier."""
        return ""

    def is_of_one_model(self) -> bool:
        """Return whether all rows are of the one model of `model`, and have its id."""
        return False


class ModelFilters(OperationParameters):
    """Filters of models. Values of one parameter are alternatives."""

    model: Texts = Field([], description="Model ids, as `org/name`")
    org: Texts = Field([], description="Publishing organisations")
    region: Regions = Field([])
    size_bin: SizeBins = Field([])
