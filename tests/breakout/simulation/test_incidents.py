"""Incidents of the simulated counters, against what was observed of real ones."""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import httpx
import numpy as np
import pytest

from breakout.core.arrays import Int
from breakout.simulation import (
    Burst,
    Catalog,
    Correction,
    DeadCounter,
    HalfStall,
    Launch,
    Model,
    Renewal,
    Rollback,
    SimulatedClock,
    SimulatedHub,
    Stall,
    TruncatedListing,
    observed_incidents,
)
from breakout.simulation.clock import milliseconds
from breakout.simulation.counters import Counters
from breakout.simulation.incidents import Incident

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEDNESDAY = datetime(2026, 3, 4, tzinfo=UTC)
PLAIN = Launch(day_30=30_000, noise=0, rhythm=False)
"""A thousand downloads a day."""
AGES = {"old": datetime(2021, 6, 1, tzinfo=UTC), "new": datetime(2025, 9, 1, tzinfo=UTC)}


def catalog(*incidents: Incident, models: int = 400, seed: int = 0) -> Catalog:
    """Return models of which half were created before April 2022, half since April 2025."""
    return Catalog.of(
        [
            Model(f"acorn/{name}-{number}", created, PLAIN)
            for name, created in AGES.items()
            for number in range(models // 2)
        ],
        incidents=incidents,
        seed=seed,
    )


def totals(held: Catalog, moments: Sequence[datetime]) -> Int:
    """Return all-time counters, one row a moment and one column a model."""
    counters = Counters(held)
    return np.array([counters.at(milliseconds(one)).downloads_all_time for one in moments])


def windows(held: Catalog, moments: Sequence[datetime]) -> Int:
    """Return 30-day counters, one row a moment and one column a model."""
    counters = Counters(held)
    return np.array([counters.at(milliseconds(one)).downloads_30d for one in moments])


def days(first: datetime, count: int, step: timedelta = DAY) -> list[datetime]:
    return [first + number * step for number in range(count)]


def test_counter_is_renewed_once_a_day_at_an_hour_of_its_own() -> None:
    served = totals(catalog(Renewal(spread_hours=24), models=100), days(WEDNESDAY, 241, HOUR))
    changed = np.diff(served, axis=0) != 0
    hours = [np.flatnonzero(column) for column in changed.T]
    assert all(9 <= len(one) <= 11 for one in hours)
    assert all(23 <= gap <= 25 for one in hours for gap in np.diff(one))
    assert len({one[0] % 24 for one in hours}) >= 20


def test_hour_of_renewal_wanders() -> None:
    renewal = Renewal(spread_hours=0, wander_hours=3)
    served = totals(catalog(renewal, models=2), days(WEDNESDAY, 24 * 17, HOUR))
    changed = np.flatnonzero(np.diff(served[:, 0])) % 24
    assert 4 <= changed.max() - changed.min() <= 6


def test_scrape_shortly_before_a_day_later_finds_nine_of_ten_unchanged() -> None:
    scrape = WEDNESDAY + 4.55 * HOUR
    first, second = totals(catalog(Renewal()), [scrape, scrape + 22.6 * HOUR])
    assert 0.85 < np.mean(first == second) < 0.95


def test_renewal_loses_nothing() -> None:
    held, plain = catalog(Renewal(), models=20), catalog(models=20)
    served, true = (totals(one, days(WEDNESDAY, 30)) for one in (held, plain))
    assert (served <= true).all()
    assert (true - served <= 1_200).all()


@pytest.mark.parametrize("lasts", [1, 2])
def test_half_stall_holds_the_young_and_loses_nothing(lasts: int) -> None:
    held = catalog(Renewal(), HalfStall(WEDNESDAY, lasts * DAY))
    # Daily scrapes after the renewals: Tuesday's first.
    growth = np.diff(totals(held, days(WEDNESDAY - 18 * HOUR, 5 + lasts)), axis=0)
    old, new = growth[:, :200], growth[:, 200:]
    for day in range(lasts):
        assert np.mean(old[day] == 0) < 0.06
        assert np.mean(new[day] == 0) > 0.98
    held_models = new[0] == 0
    lump = new[lasts, held_models]
    assert ((lump >= 1.9 * 1000) & (lump <= 4 * 1000)).all()
    assert (new[: lasts + 1].sum(axis=0) >= (lasts + 1) * 980).all()
    assert ((growth[lasts + 1 :] > 950) & (growth[lasts + 1 :] < 1050)).all()


def test_repositories_between_the_bands_are_held_in_part() -> None:
    created = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
    models = [Model(f"acorn/{born.year}-{n}", born, PLAIN) for born in created for n in range(300)]
    held = Catalog.of(models, incidents=[Renewal(), HalfStall(WEDNESDAY)])
    first, second = totals(held, days(WEDNESDAY - 18 * HOUR, 2))
    still = (first == second).reshape(2, 300).mean(axis=1)
    assert 0.05 < still[0] < 0.15
    assert 0.84 < still[1] < 0.96


def test_full_stall_holds_all_and_is_caught_up_within_three_days() -> None:
    stall = Stall(WEDNESDAY, WEDNESDAY + 2 * DAY, catch_up=2 * DAY)
    served = totals(catalog(Renewal(), stall), days(WEDNESDAY - 18 * HOUR, 8))
    plain = totals(catalog(Renewal()), days(WEDNESDAY - 18 * HOUR, 8))
    growth = np.diff(served, axis=0)
    assert (growth[:2] == 0).all()
    assert 0 < np.mean(growth[2] > 2000) < 1
    assert (served[0] == plain[0]).all()
    assert (served[5:] == plain[5:]).all()


def test_stalls_on_successive_days_are_one() -> None:
    stalls = [Stall(WEDNESDAY + n * DAY, WEDNESDAY + (n + 1) * DAY) for n in range(3)]
    served = totals(catalog(Renewal(), *stalls, models=10), days(WEDNESDAY - 18 * HOUR, 5))
    assert (np.diff(served, axis=0)[:3] == 0).all()
    assert (np.diff(served, axis=0)[3] > 3900).all()


@pytest.mark.parametrize(("share", "lasting"), [(0.17, 0.05), (0.39, 0.45)])
def test_rollback_lets_many_fall_and_most_come_back(share: float, lasting: float) -> None:
    rollback = Rollback(WEDNESDAY, share=share, lasting=lasting)
    moments = days(WEDNESDAY - 12 * HOUR, 125)
    held = catalog(rollback, models=2000)
    served, plain = totals(held, moments), totals(catalog(models=2000), moments)
    fallen = served[1] < served[0]
    # A counter that grows by more than it loses does not fall.
    assert share - 0.08 < np.mean(fallen) < share + 0.03
    assert np.mean(served[1] < plain[1]) == pytest.approx(share, abs=0.03)
    lost = 1 - served[1, fallen] / plain[1, fallen]
    assert 0.0 < lost.min() < lost.max() <= 0.1
    # Most are back in a day or two, all others that come back within a week.
    hit = served[1] < plain[1]
    back = served == plain
    assert np.mean(back[3, hit]) == pytest.approx(0.8 * (1 - lasting), abs=0.07)
    assert np.mean(back[8, hit]) == pytest.approx(1 - lasting, abs=0.05)
    assert (back[8] == back[-1]).all()
    assert (back[0]).all()
    assert (windows(held, moments[:9]) == windows(catalog(models=2000), moments[:9])).all()


def test_correction_lasts() -> None:
    held = catalog(Correction("acorn/old-0", WEDNESDAY, share=0.677), models=4)
    moments = days(WEDNESDAY - 12 * HOUR, 200)
    served, plain = totals(held, moments), totals(catalog(models=4), moments)
    assert served[1, 0] == pytest.approx(0.323 * plain[1, 0], rel=0.01)
    assert (np.diff(served[1:, 0]) == np.diff(plain[1:, 0])).all()
    assert (served[:, 1:] == plain[:, 1:]).all()


def test_two_corrections_never_leave_less_than_nothing() -> None:
    twice = [Correction("acorn/old-0", WEDNESDAY, share=0.8)] * 2
    assert totals(catalog(*twice, models=2), [WEDNESDAY])[0, 0] == 0


@pytest.mark.parametrize(("downloads", "lasts"), [(50_400_000, 8), (310_028, 1)])
def test_burst_adds_downloads_for_days_and_then_none(downloads: int, lasts: int) -> None:
    burst = Burst("acorn/new-1", WEDNESDAY, downloads, lasts * DAY)
    held, plain = catalog(burst, models=4), catalog(models=4)
    moments = days(WEDNESDAY, 60)
    extra = totals(held, moments) - totals(plain, moments)
    assert (extra[:, [0, 1, 2]] == 0).all()
    assert extra[lasts, 3] == extra[-1, 3] == downloads
    daily = np.diff(extra[:, 3])
    assert daily[:lasts].min() >= downloads // lasts
    assert not daily[lasts:].any()
    window = (windows(held, moments) - windows(plain, moments))[:, 3]
    assert (window[lasts:31] == downloads).all()
    assert not window[30 + lasts :].any()


def test_dead_counter_is_unchanged_for_good() -> None:
    held = catalog(Renewal(), DeadCounter("acorn/new-1", WEDNESDAY), models=4)
    moments = days(WEDNESDAY - 2 * DAY, 60)
    for served in (totals(held, moments), windows(held, moments)):
        assert (served[3:, 3] == served[3, 3]).all()
    growth = np.diff(totals(held, moments), axis=0)
    assert (growth[:, :3] > 0).all()


async def test_truncated_listing_lacks_three_quarters_of_its_rows() -> None:
    held = catalog(TruncatedListing(WEDNESDAY, WEDNESDAY + DAY), models=400)
    clock = SimulatedClock(WEDNESDAY - HOUR)
    async with (
        SimulatedHub(held, clock=clock) as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):

        async def listed() -> set[str]:
            found: list[str] = []
            page = "/api/models?author=acorn&limit=50&sort=createdAt&direction=-1"
            while page:
                answer = await http.get(page)
                found += [row["id"] for row in answer.json()]
                page = answer.links.get("next", {}).get("url", "")
            assert len(set(found)) == len(found)
            return set(found)

        everything = await listed()
        clock.advance(HOUR)
        some = await listed()
        assert some < everything
        assert len(some) / len(everything) == pytest.approx(0.25, abs=0.07)
        absent = min(everything - some)
        assert (await http.get(f"/api/models/{absent}")).json()["id"] == absent
        clock.advance(DAY)
        assert await listed() == everything


def test_incidents_are_deterministic_by_seed() -> None:
    incidents = (Renewal(), HalfStall(WEDNESDAY), Rollback(WEDNESDAY + DAY))
    moments = days(WEDNESDAY, 6, 7 * HOUR)
    first = totals(catalog(*incidents, seed=1), moments)
    assert (totals(catalog(*incidents, seed=1), moments) == first).all()
    assert (totals(catalog(*incidents, seed=2), moments) != first).any()


def test_models_do_not_change_each_others_incidents() -> None:
    incidents = (Renewal(), HalfStall(WEDNESDAY), Rollback(WEDNESDAY + DAY))
    moments = days(WEDNESDAY, 6, 7 * HOUR)
    few, many = (catalog(*incidents, models=models) for models in (20, 400))
    assert (totals(few, moments)[:, :10] == totals(many, moments)[:, :10]).all()


def test_incidents_of_a_span_are_as_frequent_as_observed() -> None:
    first, last = date(2020, 1, 1), date(2026, 1, 1)
    count = (last - first).days
    plain = catalog(models=200)
    incidents = observed_incidents(plain, first, last)
    assert incidents == observed_incidents(plain, first, last)
    assert incidents != observed_incidents(replace(plain, seed=1), first, last)
    kinds = Tally(type(one) for one in incidents)
    assert kinds[Renewal] == 1
    half = [one for one in incidents if isinstance(one, HalfStall)]
    wednesdays = [one for one in half if one.start.weekday() == 2]
    assert len(wednesdays) / (count / 7) == pytest.approx(1 / 3, abs=0.08)
    assert len(wednesdays) / len(half) > 0.88
    assert kinds[Stall] / count == pytest.approx(7 / 584, rel=0.5)
    assert 2 <= kinds[Rollback] <= 20
    assert 1 <= kinds[TruncatedListing] <= 12
    assert kinds[Correction] > 100


def test_counters_with_the_incidents_of_a_year_stay_below_the_downloads() -> None:
    plain = catalog(models=40)
    incidents = observed_incidents(plain, date(2025, 6, 1), date(2026, 6, 1))
    held = replace(plain, incidents=incidents)
    counters = Counters(held)
    for moment in days(datetime(2025, 6, 1, tzinfo=UTC), 365):
        snapshot = counters.at(milliseconds(moment))
        counted = counters.counted(milliseconds(moment)).tolist()
        for total, window, true in zip(
            snapshot.downloads_all_time, snapshot.downloads_30d, counted, strict=True
        ):
            assert total is not None
            assert window is not None
            assert 0 <= total <= true
            assert 0 <= window <= true
