"""OpenRouter's tokens by model and day.

`/datasets/rankings-daily` counts prompt and completion tokens of whole UTC days: the top names,
and the rest of the day as `other`. It recounts recent days, with a newer `as_of`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from breakout.contract.events import Counter, InferenceDay, UtcDatetime
from breakout.registry.names import load_names
from breakout.settings import Settings, SettingsError
from collectors.http.client import DEFAULT_REQUEST_POLICY, RequestPolicy, Source
from collectors.http.errors import EmptyResponseError, SourceError
from collectors.http.rate_limit import Policy
from collectors.publishing.rejected_rows import RejectedRows, RowReader, explain
from collectors.publishing.rejection_limit import RejectionLimitError, RejectionStreak
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.outcome import Collected
from collectors.sources.fields import MOST_EXACT
from collectors.sources.names_job import NamesJob
from collectors.sources.openrouter_names import Slug, openrouter_name_records, read_catalogue

log = structlog.get_logger(__name__)

SOURCE = "openrouter"
OTHER = "other"

FIRST_DAY = date(2025, 1, 1)
"""The first day with rankings."""

_DAY = timedelta(days=1)
_RECOUNTED = timedelta(days=31)
"""Age up to which a run reads days again: OpenRouter recounts them."""
_LONGEST_SPAN = timedelta(days=366)
_POLICY = Policy("key", 30, 60)
_SHOWN = 5
"""Rounded counts that a note lists."""


class Meta(BaseModel):
    """Metadata of a response."""

    as_of: UtcDatetime
    start_date: date


_TOKENS = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?")


def _whole_tokens(value: Any) -> Any:
    """Convert a decimal string or a number to an integer; leave anything else to validation.

    Fractions are rounded half to even: rejecting the row would make the day's sums wrong by all
    of its tokens, rounding by less than one.
    """
    if isinstance(value, str) and _TOKENS.fullmatch(value):
        return int(Decimal(value).quantize(Decimal(1), ROUND_HALF_EVEN))
    return round(value) if isinstance(value, float) and 0 <= value < MOST_EXACT else value


class RankedName(BaseModel):
    """One name's tokens of one day."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    date: date
    model_permaslug: Slug
    total_tokens: Annotated[Counter, BeforeValidator(_whole_tokens)]


@dataclass
class Rankings:
    """The days of one run."""

    days: dict[date, InferenceDay] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Requested days that are incomplete, and why."""
    rounded: list[str] = field(default_factory=list)
    """Days, names and tokens that were not integers."""
    rejected: RejectedRows = field(default_factory=lambda: RejectedRows(SOURCE, SOURCE))


class OpenRouterJob(NamesJob):
    """Tokens of all complete days since the last run, and of recent days that are recounted."""

    name = SOURCE
    required_setting = "OPENROUTER_API_KEY"
    cadence = Cadence(DAY, 2.5 * HOUR)
    """Daily at 02:30 UTC, when the day before is counted."""

    async def collect(self, observed_at: datetime) -> Collected:
        """Read the days since the last run, at least 31; all days since 2025 without one."""
        names = load_names(self.settings.names_file)
        last = observed_at.astimezone(UTC).date() - _DAY
        since = FIRST_DAY
        if self.last_run is not None:
            since = max(FIRST_DAY, min(self.last_run.date() - _DAY, last - _RECOUNTED + _DAY))
        rankings = Rankings()
        failures: tuple[str, ...] = ()
        async with openrouter_source(self.settings, request_policy=self.request_policy) as source:
            for number, (start, end) in enumerate(_spans(since, last)):
                self.on_progress(number, None)
                await _read_days(source, start, end, observed_at, rankings)
            try:
                catalogue = await read_catalogue(source)
            except (SourceError, RejectionLimitError) as error:
                failures = (f"names without titles and hints: {error}",)
                catalogue = {}
        if not rankings.days:
            reason = next(reversed(rankings.missing.values()), "no day was requested")
            raise EmptyResponseError(f"{SOURCE}: no complete day of tokens: {reason}")
        days = [rankings.days[day] for day in sorted(rankings.days)]
        ranked = {name for day in days for name in day.names} - {OTHER}
        records = openrouter_name_records(
            ranked, catalogue, names, observed_at=observed_at, known=await self.known_names()
        )
        return Collected(
            {"days": len(days), "names": len(records)},
            rankings.rejected,
            [*records, *days],
            missing=rankings.missing,
            failures=failures,
            notes=_notes(rankings.rounded),
        )


def _notes(rounded: list[str]) -> tuple[str, ...]:
    if not rounded:
        return ()
    more = f" and {len(rounded) - _SHOWN} more" if len(rounded) > _SHOWN else ""
    return (f"rounded fractions of tokens: {', '.join(rounded[:_SHOWN])}{more}",)


def openrouter_source(
    settings: Settings, *, request_policy: RequestPolicy = DEFAULT_REQUEST_POLICY
) -> Source:
    """Return OpenRouter as a source. Raises `SettingsError` without a key."""
    if settings.openrouter_api_key is None:
        raise SettingsError("OPENROUTER_API_KEY: must be set; any key of OpenRouter is enough")
    return Source(
        SOURCE,
        settings.openrouter_base_url,
        "OPENROUTER_BASE_URL",
        token=settings.openrouter_api_key,
        token_setting="OPENROUTER_API_KEY",  # noqa: S106
        policy=_POLICY,
        request_policy=request_policy,
    )


def _spans(since: date, last: date) -> Iterable[tuple[date, date]]:
    """Split the days into spans that one request may have, first and last day of each."""
    while since <= last:
        end = min(since + _LONGEST_SPAN - _DAY, last)
        yield since, end
        since = end + _DAY


async def _read_days(
    source: Source, start: date, end: date, observed_at: datetime, rankings: Rankings
) -> None:
    page = await source.json(
        "/datasets/rankings-daily",
        (("start_date", start.isoformat()), ("end_date", end.isoformat())),
    )
    content = page.content if isinstance(page.content, dict) else {}
    rows, meta = content.get("data"), _meta(source, content, observed_at)
    if not isinstance(rows, list) or not rows:
        raise EmptyResponseError(
            f"{SOURCE}: no tokens from {start} to {end}: an empty response is an error, not zero"
        )
    first = max(start, meta.start_date)
    if first > start:
        rankings.missing[f"{start} to {first - _DAY}"] = f"the response starts at {first}"
    reader = _DayReader(
        {first + number * _DAY for number in range((end - first).days + 1)},
        rankings,
        RejectionStreak(f"{SOURCE}: the tokens from {start} to {end}", source.setting),
    )
    for row in rows:
        reader.read(row)
    for day in sorted(reader.requested):
        if day in reader.invalid:
            rankings.missing[day.isoformat()] = reader.invalid[day]
        elif day not in reader.tokens:
            rankings.missing[day.isoformat()] = "the response has no names for it"
        else:
            tokens = reader.tokens[day]
            rankings.days[day] = InferenceDay(
                source=SOURCE,
                day=day,
                as_of=meta.as_of,
                observed_at=observed_at,
                names=list(tokens),
                tokens=list(tokens.values()),
            )


def _meta(source: Source, content: Mapping[str, Any], observed_at: datetime) -> Meta:
    try:
        meta = Meta.model_validate(content.get("meta"))
    except ValidationError as error:
        raise EmptyResponseError(
            f"{SOURCE}: the response has no valid metadata ({explain(error)}): "
            f"check {source.setting}"
        ) from None
    if meta.as_of > observed_at + _DAY:
        # It would take precedence over every later count.
        raise EmptyResponseError(
            f"{SOURCE}: the response's as_of is in the future: {meta.as_of.isoformat()}"
        )
    return meta


class _DayReader:
    """Sums rows by day; an invalid row invalidates its day, whose sums would be wrong."""

    def __init__(self, requested: set[date], rankings: Rankings, streak: RejectionStreak) -> None:
        self.requested = requested
        self.tokens: dict[date, dict[str, int]] = {}
        self.invalid: dict[date, str] = {}
        """Days with an invalid row, and why."""
        self._rankings = rankings
        self._rows = RowReader(
            RankedName,
            streak,
            rankings.rejected,
            label=_label,
            on_rejection=self._invalidate_day_of,
        )

    def read(self, row: Any) -> None:
        ranked = self._rows.read(row)
        if ranked is None:
            return
        if ranked.date not in self.requested:
            self._rankings.rejected.add(row, f"date: {ranked.date} was not requested")
            return
        day_tokens = self.tokens.setdefault(ranked.date, {})
        name, tokens = ranked.model_permaslug, ranked.total_tokens
        original = row["total_tokens"]
        if str(original) != str(tokens) and Decimal(original) != tokens:
            self._rankings.rounded.append(f"{ranked.date} {name[:100]} {original}")
        if day_tokens.setdefault(name, tokens) != tokens:
            reason = f"{name} has two different counts"
            self._rankings.rejected.add(row, reason)
            self._invalidate({ranked.date}, reason)

    def _invalidate_day_of(self, row: Any, reason: str) -> None:
        # A row without a valid day may belong to any of them.
        day = _day_of(row)
        self._invalidate(self.requested if day is None else {day}, _label(row) + reason)

    def _invalidate(self, days: Iterable[date], reason: str) -> None:
        for day in days:
            self.invalid.setdefault(day, f"invalid row: {reason}")


def _label(row: Any) -> str:
    name = row.get("model_permaslug") if isinstance(row, dict) else None
    return f"{name[:100]}: " if isinstance(name, str) and name else ""


def _day_of(row: Any) -> date | None:
    try:
        return date.fromisoformat(row["date"])
    except (KeyError, TypeError, ValueError):
        return None
