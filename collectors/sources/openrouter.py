"""OpenRouter's tokens by model and day, and what its names are called.

`/datasets/rankings-daily` counts prompt and completion tokens of whole UTC days, the greatest
names and the rest of the day as `other`; a day is counted again later, under a newer `as_of`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from breakout.contract.events import (
    Counter,
    InferenceDay,
    UtcDatetime,
)
from breakout.contract.topics import INFERENCE
from breakout.registry.names import load_names
from breakout.settings import Settings, SettingsError
from collectors.http.client import DEFAULT_PATIENCE, Patience, Source, SourceError
from collectors.http.rate_limit import Policy
from collectors.publishing.publisher import Publisher
from collectors.publishing.rejected_rows import explain
from collectors.publishing.rejection_limit import GivenUpError, Streak, Unreadable
from collectors.scheduling.cadence import DAY, HOUR, Cadence
from collectors.scheduling.job import EmptyAnswerError, Job, Outcome
from collectors.sources.fields import EXACT
from collectors.sources.openrouter_names import Slug, name_records, read_catalogue

log = structlog.get_logger(__name__)

SOURCE = "openrouter"
OTHER = "other"

FLOOR = date(2025, 1, 1)
"""The first day OpenRouter counts."""

_DAY = timedelta(days=1)
_REVISED = timedelta(days=31)
"""How far back a run asks again: days are counted anew for a while."""
_LONGEST_SPAN = timedelta(days=366)
_POLICY = Policy("key", 30, 60)
_SHOWN = 5
"""Rounded counts that a note names."""


class Meta(BaseModel):
    """What an answer says of itself."""

    as_of: UtcDatetime
    start_date: date


_TOKENS = re.compile(r"[0-9]{1,20}(\.[0-9]{1,30})?")


def _decimal(value: Any) -> Any:
    """Read a decimal string, or a number; anything else is left to be refused.

    A fraction is rounded to the nearest token: without the name the day's sums would be wrong by
    all its tokens, so they are wrong by less than one.
    """
    if isinstance(value, str) and _TOKENS.fullmatch(value):
        return int(Decimal(value).quantize(Decimal(1), ROUND_HALF_EVEN))
    return round(value) if isinstance(value, float) and 0 <= value < EXACT else value


class Ranked(BaseModel):
    """One name's tokens of one day."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    date: date
    model_permaslug: Slug
    total_tokens: Annotated[Counter, BeforeValidator(_decimal)]


@dataclass
class Counting:
    """The days of one run."""

    days: dict[date, InferenceDay] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Days that were asked for and cannot be published whole, and why."""
    rounded: list[str] = field(default_factory=list)
    """Days and names whose tokens were no whole number, and what they were."""
    unreadable: Unreadable = field(default_factory=lambda: Unreadable(SOURCE, SOURCE))


class OpenRouterJob(Job):
    """Tokens of the days that are over, and of those before that are counted anew."""

    name = SOURCE
    needs = "OPENROUTER_API_KEY"

    @property
    def cadence(self) -> Cadence:
        """Daily at 02:30 UTC: the day before is over, and counted."""
        return Cadence(DAY, 2.5 * HOUR)

    async def collect(self, observed_at: datetime) -> Outcome:
        """Read the days since the last run, 31 at least, from 2025 on when there was none."""
        names = load_names(self.settings.names_file)
        last = observed_at.astimezone(UTC).date() - _DAY
        since = FLOOR
        if self.last_run is not None:
            since = max(FLOOR, min(self.last_run.date() - _DAY, last - _REVISED + _DAY))
        counting = Counting()
        troubles: tuple[str, ...] = ()
        async with openrouter_source(self.settings, patience=self.patience) as source:
            for number, (start, end) in enumerate(_spans(since, last)):
                self.on_progress(number, None)
                await _read_days(source, start, end, observed_at, counting)
            try:
                catalogue = await read_catalogue(source)
            except (SourceError, GivenUpError) as error:
                troubles = (f"names without titles and hints: {error}",)
                catalogue = {}
        if not counting.days:
            why = next(reversed(counting.missing.values()), "no day was asked for")
            raise EmptyAnswerError(f"{SOURCE}: no day's tokens could be read: {why}")
        seen = {name for day in counting.days.values() for name in day.names}
        records = name_records(seen - {OTHER}, catalogue, names, observed_at=observed_at)

        async def write(publisher: Publisher) -> None:
            await publisher.publish_names(records)
            await publisher.publish(
                INFERENCE,
                ((f"{SOURCE}:{day}", counting.days[day]) for day in sorted(counting.days)),
            )
            await publisher.publish_dead_letters(counting.unreadable.letters)

        await self.publish(write)
        return Outcome(
            SOURCE,
            observed_at,
            {"days": len(counting.days), "names": len(records)},
            len(counting.days) + len(records),
            counting.missing,
            troubles,
            len(counting.unreadable.letters),
            counting.unreadable.not_kept,
            notes=_notes(counting.rounded),
        )


def _notes(rounded: list[str]) -> tuple[str, ...]:
    if not rounded:
        return ()
    more = f" and {len(rounded) - _SHOWN} more" if len(rounded) > _SHOWN else ""
    return (f"fractions of a token were rounded: {', '.join(rounded[:_SHOWN])}{more}",)


def openrouter_source(settings: Settings, *, patience: Patience = DEFAULT_PATIENCE) -> Source:
    """Return OpenRouter as a source. Raises `SettingsError` without a key."""
    if settings.openrouter_api_key is None:
        raise SettingsError("OPENROUTER_API_KEY: must be set, any key of OpenRouter will do")
    return Source(
        SOURCE,
        settings.openrouter_base_url,
        "OPENROUTER_BASE_URL",
        token=settings.openrouter_api_key,
        token_setting="OPENROUTER_API_KEY",  # noqa: S106
        policy=_POLICY,
        patience=patience,
    )


def _spans(since: date, last: date) -> Iterable[tuple[date, date]]:
    """Cut the days into spans that one request may ask for, first and last day of each."""
    while since <= last:
        end = min(since + _LONGEST_SPAN - _DAY, last)
        yield since, end
        since = end + _DAY


async def _read_days(
    source: Source, start: date, end: date, observed_at: datetime, counting: Counting
) -> None:
    answer = await source.json(
        "/datasets/rankings-daily",
        (("start_date", start.isoformat()), ("end_date", end.isoformat())),
    )
    content = answer.content if isinstance(answer.content, dict) else {}
    rows, meta = content.get("data"), _meta(source, content, observed_at)
    if not isinstance(rows, list) or not rows:
        raise EmptyAnswerError(
            f"{SOURCE}: no tokens at all from {start} to {end}: an empty answer is no zero"
        )
    first = max(start, meta.start_date)
    if first > start:
        counting.missing[f"{start} to {first - _DAY}"] = f"the answer begins with {first}"
    read = _Days(
        {first + number * _DAY for number in range((end - first).days + 1)},
        counting,
        Streak(f"{SOURCE}: the tokens from {start} to {end}", source.setting),
    )
    for row in rows:
        read.take(row)
    for day in sorted(read.asked):
        if day in read.spoilt:
            counting.missing[day.isoformat()] = read.spoilt[day]
        elif day not in read.tokens:
            counting.missing[day.isoformat()] = "not one name was counted"
        else:
            tokens = read.tokens[day]
            counting.days[day] = InferenceDay(
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
        raise EmptyAnswerError(
            f"{SOURCE}: the answer does not say as of when it counted ({explain(error)}): "
            f"check {source.setting}"
        ) from None
    if meta.as_of > observed_at + _DAY:
        # It would stand before every later counting.
        raise EmptyAnswerError(
            f"{SOURCE}: the answer says that it counted in the future, at {meta.as_of.isoformat()}"
        )
    return meta


class _Days:
    """Reads rows; a day with one that cannot be read is spoilt, since its sums would be wrong."""

    def __init__(self, asked: set[date], counting: Counting, streak: Streak) -> None:
        self.asked = asked
        self._counting = counting
        self._streak = streak
        self.tokens: dict[date, dict[str, int]] = {}
        self.spoilt: dict[date, str] = {}

    def take(self, row: Any) -> None:
        try:
            ranked = Ranked.model_validate(row)
        except ValidationError as error:
            # Without a day it may belong to any of them.
            day = _day_of(row)
            why = f"{_name_of(row)}{explain(error)}"
            self._spoil(row, self.asked if day is None else {day}, why)
            self._streak.bad(why)
            return
        self._streak.good()
        if ranked.date not in self.asked:
            self._spoil(row, set(), f"date: {ranked.date} was not asked for")
            return
        day_tokens = self.tokens.setdefault(ranked.date, {})
        name, tokens = ranked.model_permaslug, ranked.total_tokens
        stated = row["total_tokens"]
        if str(stated) != str(tokens) and Decimal(stated) != tokens:
            self._counting.rounded.append(f"{ranked.date} {name[:100]} {stated}")
        if day_tokens.setdefault(name, tokens) != tokens:
            self._spoil(row, {ranked.date}, f"{name} is counted twice, differently")

    def _spoil(self, row: Any, days: set[date], why: str) -> None:
        self._counting.unreadable.add(row, why)
        for day in days:
            self.spoilt.setdefault(day, f"unreadable row: {why}")


def _name_of(row: Any) -> str:
    name = row.get("model_permaslug") if isinstance(row, dict) else None
    return f"{name[:100]}: " if isinstance(name, str) and name else ""


def _day_of(row: Any) -> date | None:
    try:
        return date.fromisoformat(row["date"])
    except (KeyError, TypeError, ValueError):
        return None
