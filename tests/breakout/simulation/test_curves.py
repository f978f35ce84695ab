"""Curves and counters: shape, incidents, exact values at any moment."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from breakout.simulation import (
    Catalog,
    Correction,
    Launch,
    LevelShift,
    Model,
    SimulatedClock,
    SimulatedHub,
    Stall,
)
from breakout.simulation.clock import milliseconds
from breakout.simulation.counters import Counters

BORN = datetime(2026, 1, 5, 6, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
PLAIN = Launch(day_30=30_000, noise=0, rhythm=False)


def all_time(counters: Counters, moment: datetime) -> list[int | None]:
    return counters.at(milliseconds(moment)).downloads_all_time


def one(launch: Launch, seed: int = 0) -> Counters:
    model = Model("acorn/tiny", created_at=BORN, launch=launch)
    return Counters(Catalog.of([model], seed=seed))


def series(counters: Counters, days: int, step: timedelta = DAY) -> list[int]:
    values = [all_time(counters, BORN + i * step)[0] for i in range(days)]
    return [value for value in values if value is not None]


def test_a_curve_passes_its_downloads_after_30_days() -> None:
    counters = one(PLAIN)
    assert all_time(counters, BORN + 30 * DAY) == [30_000]
    assert all_time(counters, BORN + 60 * DAY) == [60_000]
    assert all_time(counters, BORN) == [0]
    assert all_time(counters, BORN - 100 * DAY) == [0]


def test_between_midnights_a_curve_is_straight() -> None:
    counters = one(PLAIN)
    # 1,000 a day from 06:00: 750 by midnight.
    assert all_time(counters, BORN + timedelta(hours=9)) == [375]
    assert all_time(counters, BORN + timedelta(hours=18)) == [750]
    assert all_time(counters, BORN + timedelta(hours=30)) == [1250]


def test_the_exponent_bends_the_curve() -> None:
    rising = one(Launch(30_000, exponent=1.5, noise=0, rhythm=False))
    fading = one(Launch(30_000, exponent=0.5, noise=0, rhythm=False))
    for counters, expected in ((rising, 30_000 * 2**1.5), (fading, 30_000 * 2**0.5)):
        assert all_time(counters, BORN + 30 * DAY)[0] == pytest.approx(30_000, rel=0.01)
        assert all_time(counters, BORN + 60 * DAY)[0] == pytest.approx(expected, rel=0.01)


def test_interest_fades() -> None:
    counters = one(Launch(30_000, fade_days=50, noise=0, rhythm=False))
    daily = np.diff(series(counters, 100))
    assert daily[60] == pytest.approx(1000 * np.exp(-60 / 50), rel=0.03)


def test_weekends_are_weaker() -> None:
    daily = np.diff(series(one(Launch(3_000_000, noise=0)), 71))
    weeks = daily[:70].reshape(10, 7)  # Monday 06:00 to Tuesday 06:00 first
    assert (weeks[:, 5:6] < 0.9 * weeks[:, 1:2]).all()
    assert weeks.sum() == pytest.approx(70 * 100_000, rel=0.01)


def test_a_turn_is_a_jump_when_it_is_narrow() -> None:
    shift = LevelShift(15.5, before=0.05, width_days=0.02)
    counters = one(Launch(1_000_000, shift=shift, noise=0, rhythm=False))
    midnight = BORN.replace(hour=0)
    before, after = (all_time(counters, midnight + days * DAY)[0] for days in (15, 16))
    assert before is not None
    assert after is not None
    assert before == pytest.approx(0.05 * 1_000_000 * 14.75 / 30, rel=0.01)
    assert after == pytest.approx(1_000_000 * 15.75 / 30, rel=0.01)
    assert after > 19 * before


def test_a_wide_turn_never_falls() -> None:
    totals = series(one(Launch(900_000, shift=LevelShift(45, before=0.2, width_days=5))), 120)
    assert (np.diff(totals) > 0).all()


@pytest.mark.parametrize("launch", [Launch(5), Launch(10_000, 0.5, 200), Launch(3e6, 1.1, 900)])
def test_no_curve_falls(launch: Launch) -> None:
    totals = series(one(launch), 1000, timedelta(hours=7))
    assert (np.diff(totals) >= 0).all()
    assert totals[-1] > 0


def test_noise_is_repeatable_and_depends_on_seed_and_model() -> None:
    same, again, other = one(Launch(90_000)), one(Launch(90_000)), one(Launch(90_000), seed=1)
    assert series(same, 90) == series(again, 90)
    assert series(same, 90) != series(other, 90)


def test_a_curve_does_not_depend_on_its_neighbours() -> None:
    model = Model("acorn/tiny", created_at=BORN)
    alone = Counters(Catalog.of([model]))
    elder = Model("acorn/elder", created_at=BORN - 200 * DAY)
    together = Counters(Catalog.of([elder, model]))
    for days in (1, 30, 90):
        moment = BORN + days * DAY
        assert all_time(alone, moment)[0] == all_time(together, moment)[1]


def test_the_30_day_counter_is_the_difference_over_30_days() -> None:
    counters = one(Launch(90_000, 0.8))
    for days in (3.0, 29.5, 30, 31.25, 200):
        moment = BORN + days * DAY
        now, before = all_time(counters, moment)[0], all_time(counters, moment - 30 * DAY)[0]
        assert now is not None
        assert before is not None
        assert counters.at(milliseconds(moment)).downloads_30d == [now - before]


def test_the_clock_may_go_years_ahead() -> None:
    near, far = one(PLAIN), one(PLAIN)
    assert all_time(far, BORN + 3000 * DAY) == [3_000_000]
    assert all_time(far, BORN + 10 * DAY) == all_time(near, BORN + 10 * DAY) == [10_000]
    noisy, noisy_far = one(Launch(90_000)), one(Launch(90_000))
    all_time(noisy_far, BORN + 3000 * DAY)
    assert series(noisy, 300) == series(noisy_far, 300)


def test_a_corrected_release_begins_the_curve_when_it_is_later() -> None:
    early = Model("acorn/early", BORN, PLAIN, released_on=date(2026, 1, 15))
    late = Model("acorn/late", BORN, PLAIN, released_on=date(2026, 1, 1))
    counters = Counters(Catalog.of([early, late]))
    assert all_time(counters, datetime(2026, 1, 15, 9, tzinfo=UTC)) == [0, 10_125]
    assert all_time(counters, datetime(2026, 1, 16, 9, tzinfo=UTC)) == [1000, 11_125]


def test_a_full_stall_freezes_one_daily_scrape_at_any_hour() -> None:
    start = datetime(2026, 2, 1, tzinfo=UTC)
    models = [Model(f"acorn/tiny-{n}", BORN, PLAIN) for n in range(4)]
    stalled = Counters(Catalog.of(models, incidents=[Stall(start, start + 2 * DAY)]))
    healthy = Counters(Catalog.of(models))
    for hour in (0, 7, 23):
        scrapes = [start + timedelta(days=day, hours=hour) for day in (-1, 0, 1, 2)]
        before, first, second, after = (
            stalled.at(milliseconds(scrape)).downloads_all_time for scrape in scrapes
        )
        windows = [stalled.at(milliseconds(scrape)).downloads_30d for scrape in scrapes]
        assert before != first
        assert first == second
        assert windows[1] == windows[2]
        assert second != after
        assert after == healthy.at(milliseconds(scrapes[3])).downloads_all_time


def test_a_partial_stall_freezes_its_share() -> None:
    start = datetime(2026, 2, 1, tzinfo=UTC)
    models = [Model(f"acorn/tiny-{n}", BORN, PLAIN) for n in range(200)]
    stall = Stall(start, start + 2 * DAY, share=0.75)
    counters = Counters(Catalog.of(models, incidents=[stall]))
    first, second = all_time(counters, start), all_time(counters, start + DAY)
    frozen = sum(a == b for a, b in zip(first, second, strict=True))
    assert 130 <= frozen <= 170


def test_a_correction_takes_a_share_of_one_counter() -> None:
    at = datetime(2026, 2, 1, tzinfo=UTC)
    models = [Model(f"acorn/tiny-{n}", BORN, PLAIN) for n in range(2)]
    counters = Counters(Catalog.of(models, incidents=[Correction("acorn/tiny-1", at)]))
    before = all_time(counters, at - timedelta(milliseconds=1))
    after = all_time(counters, at)
    assert before == [26_749, 26_749]
    assert after[0] == 26_750
    assert after[1] == 26_750 - 2_675
    assert counters.at(milliseconds(at)).downloads_30d[1] == 26_750
    later = all_time(counters, at + 10 * DAY)[1]
    assert later is not None
    assert later > 26_750


async def test_given_counters_are_served() -> None:
    catalog = Catalog.of(["acorn/tiny", "acorn/other"], created_at=BORN)
    clock = SimulatedClock(BORN)
    async with SimulatedHub(catalog, clock=clock) as hub:
        hub.set_counters({"acorn/tiny": [(BORN + 2 * DAY, 900, None), (BORN + DAY, 2**60 + 1, 70)]})
        served = []
        for _ in range(4):
            snapshot = hub.counters.at(clock.now_ms())
            served.append((snapshot.downloads_all_time[0], snapshot.downloads_30d[0]))
            clock.advance(DAY)
        assert served == [(None, None), (2**60 + 1, 70), (900, None), (900, None)]
        assert snapshot.downloads_all_time[1] is not None


@pytest.mark.parametrize(
    ("series", "says"),
    [
        ({"acorn/nope": []}, "acorn/nope is not in the catalog"),
        ({"acorn/tiny": [(datetime(2026, 1, 1), 1, 1)]}, "time zone"),  # noqa: DTZ001
    ],
)
def test_counters_that_cannot_be_served_are_refused(series: dict, says: str) -> None:  # type: ignore[type-arg]
    hub = SimulatedHub(Catalog.of(["acorn/tiny"]))
    with pytest.raises(ValueError, match=says):
        hub.set_counters(series)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Model("tiny"), "organisation/name"),
        (lambda: Model("a/b", created_at=datetime(2026, 1, 1)), "created_at"),  # noqa: DTZ001
        (lambda: Model("a/b", renamed_to="a/c"), "renamed_at"),
        (lambda: Catalog.of(["a/b", "a/b"]), "a/b"),
        (lambda: Catalog.of(["a/b"], incidents=[Correction("a/c", BORN)]), "a/c"),
        (lambda: SimulatedClock(datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001
        (lambda: SimulatedClock(BORN, speed=-1), "speed"),
    ],
)
def test_impossible_catalogs_are_refused(build, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says):
        build()


def test_a_running_clock_moves() -> None:
    clock = SimulatedClock(BORN, speed=86_400)
    first = clock.now()
    while clock.now() < BORN + timedelta(minutes=5):
        pass
    assert first >= BORN
    clock.set(BORN, speed=0)
    assert clock.now() == BORN
