"""Counter health: what share of the busy models a hub does not renew, or rolls back."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median_high
from typing import Any

import numpy as np
import pytest

from breakout.clickhouse.client import reader_client, writer_client
from breakout.clickhouse.migrations import migrate
from breakout.core.counters import KNOTS, State, classify
from breakout.settings import Settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WEDNESDAY, THURSDAY = date(2026, 3, 18), date(2026, 3, 19)
OLD, MIDDLE, YOUNG = (datetime(year, 6, 1, tzinfo=UTC) for year in (2021, 2024, 2026))
Counter = list[tuple[datetime, int]]
Key = tuple[date, str, str]
"""Day, source, age band."""


def renewed(
    rate: int,
    *,
    every: timedelta = 3 * HOUR,
    days: int = 21,
    skipped: frozenset[date] = frozenset(),
) -> Counter:
    """A counter that the hub renews at 14:00, but for days skipped, as scrapes observe it."""
    found = []
    at = MONDAY
    while at < MONDAY + days * DAY:
        renewals = [MONDAY + n * DAY + 14 * HOUR for n in range(days)]
        past = [n for n, one in enumerate(renewals) if one <= at and one.date() not in skipped]
        found.append((at, 10_000 + rate * (past[-1] + 1 if past else 0)))
        at += every
    return found


def fell(counter: Counter, since: datetime, until: datetime, by: int) -> Counter:
    return [(at, raw - by if since <= at < until else raw) for at, raw in counter]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    migrate(settings)
    return settings


def store(
    settings: Settings,
    counters: Mapping[str, Counter],
    created: Mapping[str, datetime | None],
    source: str = "huggingface",
) -> dict[str, list[dict[str, Any]]]:
    """Write observations with their states; return them by model."""
    found: dict[str, list[dict[str, Any]]] = {}
    for model_id, counter in counters.items():
        at = np.array([int(moment.timestamp() * 1000) for moment, _ in counter])
        raw = np.array([value for _, value in counter])
        read = classify(np.zeros(len(at), np.int64), at, raw)
        found[model_id] = [
            {
                "model_id": model_id, "observed_at": moment, "source": source, "origin": "live",
                "downloads_all_time": value, "state": State(state).name.lower(),
                "correction": int(taken) if state == State.CORRECTION else None, "version": 1,
            }
            for (moment, value), state, taken in zip(
                counter, read.state.tolist(), read.correction.tolist(), strict=True
            )
        ]  # fmt: skip
    rows = [row for some in found.values() for row in some]
    with closing(writer_client(settings)) as client:
        client.insert("downloads_log", [[*row.values()] for row in rows], [*rows[0]])
        client.insert(
            "models_log",
            [[model_id, "a", True, one, MONDAY] for model_id, one in created.items()],
            ["model_id", "org", "tracked", "created_at", "observed_at"],
        )
    return found


def health(settings: Settings, view: str = "counter_health") -> dict[Key, dict[str, Any]]:
    with closing(reader_client(settings)) as client:
        rows = list(client.query(f"SELECT * FROM {view}").named_results())
    found = {(row["day"], row["source"], row["age_band"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_half_stall_is_seen_where_it_is(settings: Settings) -> None:
    skipped = frozenset({WEDNESDAY})
    counters = {
        **{f"a/old-{n}": renewed(100 + n) for n in range(4)},
        **{f"a/young-{n}": renewed(100 + n, skipped=skipped) for n in range(3)},
        "a/young-renewed": renewed(100),
        "a/young-idle": renewed(5, skipped=skipped),
    }
    created = {one: YOUNG if "young" in one else OLD for one in counters}
    store(settings, counters, created)
    found = health(settings)
    young = found[WEDNESDAY, "huggingface", "2025 and after"]
    assert (young["busy"], young["held"], young["fallen"], young["corrections"]) == (4, 0.75, 0, 0)
    old = found[WEDNESDAY, "huggingface", "before 2023"]
    assert (old["busy"], old["held"]) == (4, 0)
    # They catch up on Thursday.
    assert found[THURSDAY, "huggingface", "2025 and after"]["held"] == 0
    # Observed changed on Tuesday at 15:00, and last on Wednesday at 21:00.
    lately = health(settings, "counter_health_since(since = '2026-03-18')")
    assert lately[WEDNESDAY, "huggingface", "2025 and after"]["held_hours"] == 30
    assert lately[THURSDAY, "huggingface", "2025 and after"]["held_hours"] is None


def test_rollback_and_correction_are_falls(settings: Settings) -> None:
    begun = datetime(2026, 3, 18, 9, tzinfo=UTC)
    counters = {
        "a/rolled-back": fell(renewed(100), begun, begun + DAY, 5000),
        "a/corrected": fell(renewed(100), begun, MONDAY + 100 * DAY, 5000),
        "a/idle": fell(renewed(0), begun, MONDAY + 100 * DAY, 30),
        "a/steady": renewed(100),
    }
    store(settings, counters, dict.fromkeys(counters, MIDDLE))
    found = health(settings)
    day = found[WEDNESDAY, "huggingface", "2023-2024"]
    assert (day["busy"], day["fallen"], day["corrections"]) == (3, pytest.approx(2 / 3), 5030)
    day = found[THURSDAY, "huggingface", "2023-2024"]
    assert (day["fallen"], day["corrections"]) == (pytest.approx(1 / 3), 0)
    day = found[THURSDAY + DAY, "huggingface", "2023-2024"]
    assert (day["busy"], day["fallen"]) == (3, 0)


def test_sources_and_unknown_ages_are_apart(settings: Settings) -> None:
    store(settings, {"a/b": renewed(100)}, {"a/b": None})
    store(settings, {"a/b": renewed(100), "a/nobody": renewed(100)}, {}, "modelscope")
    found = health(settings)
    assert {(source, band) for _, source, band in found} == {
        ("huggingface", "unknown"), ("modelscope", "unknown"),
    }  # fmt: skip
    assert found[WEDNESDAY, "modelscope", "unknown"]["busy"] == 2


def test_weekly_snapshots_tell_nothing(settings: Settings) -> None:
    store(settings, {"a/b": renewed(100, every=7 * DAY)}, {"a/b": OLD})
    assert health(settings) == {}


def test_without_observations_there_is_nothing(settings: Settings) -> None:
    assert health(settings) == {}


@pytest.mark.parametrize("seed", range(3))
def test_view_equals_its_definition(settings: Settings, seed: int) -> None:
    random = Random(seed)
    counters = {f"a/{n}": _wild(random) for n in range(12)}
    created = {one: random.choice([OLD, MIDDLE, YOUNG, None]) for one in counters}
    stored = store(settings, counters, created)
    expected = _by_definition(stored, created)
    found = health(settings)
    assert found == expected
    since = date(2026, 3, 15)
    lately = health(settings, f"counter_health_since(since = '{since}')")
    hours = {key: row.pop("held_hours") for key, row in lately.items()}
    assert lately == {key: row for key, row in expected.items() if key[0] >= since}
    assert hours == {key: hours for key, hours in _hours(stored, created).items() if key in lately}


def _wild(random: Random) -> Counter:
    """A counter with pauses, falls, returns and missing days."""
    at, raw, found = MONDAY + random.randint(0, 20) * HOUR, 50_000, []
    while at < MONDAY + 30 * DAY:
        found.append((at, raw))
        match random.randint(0, 9):
            case 0 | 1:
                pass
            case 2:
                raw -= min(raw, random.choice([10, 500, 2000]))
            case 3:
                at += random.randint(1, 4) * DAY
            case _:
                raw += random.choice([2, 20, 90])
        at += random.choice([5, 11, 24]) * HOUR
    return found


def _model_days(
    stored: Mapping[str, list[dict[str, Any]]], created: Mapping[str, datetime | None]
) -> Iterator[tuple[Key, bool, list[dict[str, Any]], float]]:
    """Yield each model's days: key, whether it is busy, its observations, hours unchanged."""
    known = {state.name.lower() for state in KNOTS}
    for model_id, rows in stored.items():
        days: dict[date, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            days[row["observed_at"].date()].append(row)
        for day, of_day in days.items():
            ends = {}
            for n in range(8, 0, -1):
                if knots := [r for r in days.get(day - n * DAY, []) if r["state"] in known]:
                    ends[day - n * DAY] = knots[-1]
            busy = False
            if len(ends) > 1:
                first, last = min(ends), max(ends)
                between = [
                    row for row in rows
                    if ends[first]["observed_at"] < row["observed_at"] <= ends[last]["observed_at"]
                ]  # fmt: skip
                grown = (
                    ends[last]["downloads_all_time"]
                    - ends[first]["downloads_all_time"]
                    + sum(row["correction"] or 0 for row in between)
                )
                busy = grown >= 20 * (last - first).days
            changes = [
                after["observed_at"]
                for before, after in pairwise([None, *rows])
                if after is not None
                and after["observed_at"] <= of_day[-1]["observed_at"]
                and (before is None or before["downloads_all_time"] != after["downloads_all_time"])
            ]
            hours = (of_day[-1]["observed_at"] - changes[-1]) / HOUR
            yield (day, "huggingface", _band(created[model_id])), busy, of_day, hours


def _band(created: datetime | None) -> str:
    if created is None:
        return "unknown"
    if created.year < 2023:
        return "before 2023"
    return "2023-2024" if created.year < 2025 else "2025 and after"


def _by_definition(
    stored: Mapping[str, list[dict[str, Any]]], created: Mapping[str, datetime | None]
) -> dict[Key, dict[str, Any]]:
    busy: dict[Key, int] = defaultdict(int)
    held, fallen, taken = busy.copy(), busy.copy(), busy.copy()
    for key, is_busy, rows, _ in _model_days(stored, created):
        busy[key] += is_busy
        held[key] += is_busy and rows[-1]["state"] == "held"
        fallen[key] += is_busy and any(r["state"] in {"rollback", "correction"} for r in rows)
        taken[key] += sum(row["correction"] or 0 for row in rows)
    return {
        key: {
            "day": key[0], "source": key[1], "age_band": key[2], "busy": count,
            "held": held[key] / count if count else None,
            "fallen": fallen[key] / count if count else None,
            "corrections": taken[key],
        }
        for key, count in busy.items()
        if count or taken[key]
    }  # fmt: skip


def _hours(
    stored: Mapping[str, list[dict[str, Any]]], created: Mapping[str, datetime | None]
) -> dict[Key, float | None]:
    found: dict[Key, list[float]] = {}
    for key, is_busy, rows, hours in _model_days(stored, created):
        some = found.setdefault(key, [])
        if is_busy and rows[-1]["state"] == "held":
            some.append(hours)
    return {key: median_high(some) if some else None for key, some in found.items()}
