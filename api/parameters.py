"""Parameters that operations share: their types, limits and what they say of a wrong value."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from api.formats import Format

MOST_ROWS = 100_000
PAGE_ROWS = 1000
FIRST_YEAR, LAST_YEAR = 1970, 2148
"""What ClickHouse's days reach."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    rf"{_DAY.pattern}[Tt ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.,][0-9]{{1,9}})?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def iso(moment: datetime) -> str:
    """Return a moment as answers write it: UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _day(text: str) -> str:
    if not _is_day(text) or not _within(datetime.fromisoformat(text)):
        raise ValueError(f"must be a day, YYYY-MM-DD, from {FIRST_YEAR} to {LAST_YEAR}")
    return text


def _moment(text: str) -> str:
    try:
        return moment_as_written(text)
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a day (2026-04-01: until its end) or a moment (2026-04-01T12:00:00Z, in UTC "
            f"unless it has an offset), from {FIRST_YEAR} to {LAST_YEAR} in UTC"
        ) from None


def moment_as_written(text: str) -> str:
    """Return a moment, or the end of a day, as answers write it.

    Raises `ValueError` or `OverflowError` for what is none, or beyond what ClickHouse's days reach.
    """
    if _is_day(text):
        moment = datetime.combine(date.fromisoformat(text), time(23, 59, 59, 999_000), UTC)
    elif _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text.upper())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    else:
        raise ValueError
    if not _within(moment):
        raise ValueError
    return iso(moment)


def _is_day(text: str) -> bool:
    # Weeks and days of the year have as many characters, and Python reads them too.
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _within(moment: datetime) -> bool:
    return FIRST_YEAR <= moment.year <= LAST_YEAR


Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
    ),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PathPart = Annotated[str, Path(max_length=200)]
Texts = Annotated[list[Text], Field(max_length=100)]
Age = Annotated[float, Field(ge=0, le=365)]


class Asked(BaseModel):
    """What every operation takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    format: Format | None = Field(
        None, description="What to answer in; else by the Accept header, else JSON"
    )
    limit: int | None = Field(
        None,
        ge=1,
        le=MOST_ROWS,
        description=f"Rows at most. JSON comes by pages, of {PAGE_ROWS} rows unless said; the "
        "other formats hold all rows unless said",
    )
    csv_safe: bool = Field(
        False,
        description="Of CSV that a spreadsheet opens: put an apostrophe before texts that begin "
        "with = + - @ tab, CR or LF, which it would take for formulas; numbers stay as they are",
    )
    cursor: str | None = Field(
        None, min_length=1, max_length=4000, description="`next` of the page before"
    )
    as_of: Moment | None = Field(
        None,
        description="Answer as of this moment (or the end of this UTC day); the latest unless "
        "said. Every answer names its moment: with it, the same figures come again",
    )

    def values(self) -> dict[str, Any]:
        """Return the operation's own parameters as ClickHouse takes them."""
        return self.model_dump(
            mode="json", exclude={"format", "limit", "csv_safe", "cursor", "as_of"}, by_alias=False
        )

    def known_now_alone(self) -> str | None:
        """Return why this cannot be asked as of an earlier moment, None where it can."""
        return None


class OfModels(Asked):
    """What chooses models. Several values of one parameter: any of them."""

    model: Texts = Field([], description="Model ids, as `org/name`")
    org: Texts = Field([], description="Publishing organisations")
    region: Texts = Field([], description="us, china, eu, other, unknown, or unreviewed")
    size_bin: Texts = Field(
        [], description="<1B, 1-5B, 7-9B, 10-50B, 50-100B, 100-250B, 250B+, or unknown"
    )
