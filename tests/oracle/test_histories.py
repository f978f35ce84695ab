"""Invented histories hold everything that happens to real counters, often enough to be tested."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from random import Random
from statistics import median

import pytest

from breakout.contract.events import DownloadsSlice

from . import counters
from .batch import Tables, recompute
from .clean import SeriesKey, merge, series_of
from .deliveries import make_delivery
from .histories import History, make_history
from .invented_counters import Incidents, make_hub

DAYS = 40


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return [make_history(Random(seed), models=14, times=45) for seed in range(40)]


@pytest.fixture(scope="module")
def tables(histories: list[History]) -> list[Tables]:
    return [recompute(one.observations, one.models) for one in histories]


@pytest.fixture(scope="module")
def series(histories: list[History]) -> dict[tuple[int, SeriesKey], list[counters.Observation]]:
    return {
        (number, key): own
        for number, one in enumerate(histories)
        for key, own in series_of(merge(one.observations)).items()
    }


def test_every_state_and_basis_occurs(tables: list[Tables]) -> None:
    states = Counter(row["state"] for one in tables for row in one.downloads_by_source_log.values())
    assert min(states[state] for state in (None, *counters.KNOTS, "held", "rollback")) > 100
    assert states["between"] > 100
    bases = Counter(
        row["basis"] for one in tables for row in one.downloads_daily_by_source.values()
    )
    assert min(bases[basis] for basis in ("observed", "held", "gap")) > 100


def test_rollbacks_last_from_a_day_to_two_weeks_and_longer_falls_are_corrections(
    series: dict[tuple[int, SeriesKey], list[counters.Observation]],
) -> None:
    lasted = Counter[int]()
    came_back_late = 0
    for own in series.values():
        states = counters.states(own)
        for begin in range(1, len(own)):
            if states[begin] == "rollback" != states[begin - 1]:
                end = next(i for i in range(begin, len(own)) if states[i] != "rollback")
                lasted[(own[end][0] - own[begin][0]) // counters.DAY] += 1
            if states[begin] == "correction":
                came_back_late += any(raw >= own[begin - 1][1] for _, raw in own[begin:])
    assert sum(lasted[days] for days in range(1, 4)) > 20
    assert sum(lasted[days] for days in range(4, 8)) > 5
    assert sum(lasted[days] for days in range(8, 15)) > 0
    assert came_back_late > 5


def test_scrapes_find_many_counters_held_and_young_ones_more_often(
    histories: list[History], tables: list[Tables]
) -> None:
    held: Counter[bool] = Counter()
    busy: Counter[bool] = Counter()
    stalled = 0
    for one in tables:
        for row in one.counter_health.values():
            young = row["age_band"] == "2025 and after"
            held[young] += row["held"]
            busy[young] += row["busy"]
            stalled += row["busy"] >= 3 and row["held"] / row["busy"] > 0.5
    assert stalled > 5
    assert held[True] / busy[True] > 1.3 * held[False] / busy[False]


def test_half_stalls_hit_young_repositories_only() -> None:
    incidents = Incidents(DAYS, half_stalls={5, 6}, full_stalls={20})
    young, old = (
        make_hub(Random(1), incidents, scale=100, young=young, eventful=False)
        for young in (True, False)
    )

    def renewed(renewals: list[int], day: int) -> bool:
        return any(one // counters.DAY == day for one in renewals)

    assert [renewed(young.renewals, day) for day in (4, 5, 6, 7, 20)] == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert [renewed(old.renewals, day) for day in (4, 5, 6, 7, 20)] == [True] * 4 + [False]


def test_slow_days_count_half_and_are_made_up_for() -> None:
    plain, slow = (
        make_hub(Random(1), Incidents(DAYS, slow_days=days), scale=100, young=True, eventful=False)
        for days in (set[int](), {7})
    )
    assert slow.daily[7] == plain.daily[7] - plain.daily[7] // 2
    assert sum(slow.daily) == sum(plain.daily)


def test_bursts_and_dead_counters_occur(
    series: dict[tuple[int, SeriesKey], list[counters.Observation]],
) -> None:
    bursts = dead = 0
    for own in series.values():
        days = [row.downloads for row in counters.grid(own) if row.downloads is not None]
        bursts += len(days) > 5 and max(days) > 1000 + 100 * median(days)
        last_change = max(
            (after[0] for before, after in pairwise(own) if before[1] != after[1]), default=None
        )
        dead += last_change is not None and own[-1][0] - last_change > 20 * counters.DAY
    assert bursts > 10
    assert dead > 10


def test_cadence_sources_nulls_and_incomplete_scrapes(histories: list[History]) -> None:
    waits: Counter[timedelta] = Counter()
    for history in histories:
        moments = sorted({one.observed_at for one in history.observations})
        waits.update(after - before for before, after in pairwise(moments))
    assert waits[timedelta(hours=1)] > 100
    assert waits[timedelta(days=1)] > 100
    assert sum(count for wait, count in waits.items() if wait > timedelta(days=4)) > 10
    everything = [one for history in histories for one in history.observations]
    assert {one.source for one in everything} == {"huggingface", "modelscope", "another-hub"}
    assert any(not one.complete for one in everything)
    assert any(one.downloads_all_time is None for one in everything)


def test_breakouts_are_bursts_and_confirmed_at_once_and_later(tables: list[Tables]) -> None:
    found = Counter[str]()
    for one in tables:
        for row in one.breakouts.values():
            at_once = row["confirmed_at"] == row["crossed_at"]
            found["burst" if row["confirmed_at"] is None else "now" if at_once else "later"] += 1
            found["ended"] += row["ended_at"] is not None
    assert min(found[kind] for kind in ("burst", "now", "later", "ended")) > 3


def test_delivery_repeats_slices_as_they_were(histories: list[History]) -> None:
    repeated = 0
    for number, history in enumerate(histories):
        slices: dict[tuple[str, int], DownloadsSlice] = {}
        for one in make_delivery(Random(number), history).arrivals:
            if isinstance(one, DownloadsSlice):
                repeated += (one.scrape_id, one.slice) in slices
                assert slices.setdefault((one.scrape_id, one.slice), one) == one
    assert repeated > 100
