"""The oracle against cases worked out by hand."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from breakout.contract.events import DownloadsSlice, ModelRecord

from . import Observation, Tables, as_of, counters, differences, freeze, observations_of, recompute
from .counter_histories import seeded
from .deliveries import Delivery
from .inputs import Row
from .knowledge import known_knots, known_rows
from .strategies import deliveries

DAY0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)


def observed(
    model_id: str, at: datetime, count: int | None, source: str = "huggingface"
) -> Observation:
    return Observation(source, "live", model_id, at, count)


def daily(*counts: int | None, model_id: str = "m") -> list[Observation]:
    """Return one observation a day from day 0 on, each at 00:00."""
    return [observed(model_id, DAY0 + i * DAY, count) for i, count in enumerate(counts)]


def climb(model_id: str, counts: dict[int, int]) -> list[Observation]:
    """Return observations that give points at these ages.

    A point needs two knots around the end of its day, so the day before has the value before, or 0.
    """
    found = dict(counts)
    before = 0
    for age, count in sorted(counts.items()):
        found.setdefault(age - 1, before)
        before = count
    return [observed(model_id, DAY0 + age * DAY, count) for age, count in sorted(found.items())]


def record(model_id: str, **changed: Any) -> ModelRecord:
    facts: dict[str, Any] = {
        "model_id": model_id,
        "observed_at": DAY0,
        "org": "org",
        "region": None,
        "total_params_b": 8.0,
        "size_bin": "7-9B",
        "released_at": DAY0.date(),
        "tracked": True,
    }
    return ModelRecord.model_validate(facts | changed)


def column(tables: Tables, name: str) -> list[Any]:
    """Return one column of `downloads`, of a single model, by time."""
    return [row[name] for _, row in sorted(tables.downloads.items())]


def days(tables: Tables, name: str) -> list[Any]:
    """Return one column of `downloads_daily`, of a single model, by day."""
    return [row[name] for _, row in sorted(tables.downloads_daily.items())]


def peers_at(*counts_at: tuple[list[int], int]) -> tuple[list[Observation], list[ModelRecord]]:
    """Return observations and records of models with these counts at each age."""
    number = max(len(counts) for counts, _ in counts_at)
    ids = [f"org/m{i:02}" for i in range(number)]
    observations = []
    for place, model_id in enumerate(ids):
        own = {age: counts[place] for counts, age in counts_at if place < len(counts)}
        observations += climb(model_id, own)
    return observations, [record(model_id) for model_id in ids]


class TestDownloads:
    def test_fall_that_comes_back_is_a_rollback(self) -> None:
        tables = recompute(daily(1000, 900, 1100), [])
        assert column(tables, "state") == ["first", "rollback", "rise"]
        assert column(tables, "cumulative") == [1000, None, 1100]
        assert column(tables, "delta") == [None, None, 100]
        assert column(tables, "correction") == [None, None, None]

    def test_fall_that_stays_is_a_correction(self) -> None:
        tables = recompute(daily(1000, 900, 950), [])
        assert column(tables, "state") == ["first", "correction", "rise"]
        assert column(tables, "cumulative") == [1000, 900, 950]
        assert column(tables, "delta") == [None, 0, 50]
        assert column(tables, "correction") == [None, 100, None]

    def test_counter_that_was_not_renewed_is_held(self) -> None:
        tables = recompute(daily(0, 100, 200, 200, 400), [])
        assert column(tables, "state") == ["first", "rise", "rise", "held", "rise"]
        assert column(tables, "cumulative") == [0, 100, 200, None, 400]
        assert column(tables, "delta") == [None, 100, 100, None, 200]

    def test_null_counter_is_ignored_in_the_series(self) -> None:
        tables = recompute(daily(None, 5, None, 5, 9), [])
        assert column(tables, "state") == [None, "first", None, "idle", "rise"]
        assert column(tables, "cumulative") == [None, 5, None, 5, 9]
        assert column(tables, "delta") == [None, None, None, 0, 4]

    def test_observations_of_a_key_are_merged_by_column(self) -> None:
        one = Observation("huggingface", "live", "m", DAY0, 7, None, 3)
        other = Observation("huggingface", "archive", "m", DAY0, 5, 2, None)
        for both in ([one, other], [other, one]):
            (row,) = recompute(both, []).downloads.values()
            assert (row["downloads_all_time"], row["downloads_30d"], row["likes"]) == (7, 2, 3)
            assert row["origin"] == "archive"

    def test_sources_have_separate_series(self) -> None:
        tables = recompute([observed("m", DAY0, 5), observed("m", DAY0 + DAY, 3, "modelscope")], [])
        rows = tables.downloads_by_source_log.values()
        assert [(row["source"], row["state"]) for row in rows] == [
            ("huggingface", "first"),
            ("modelscope", "first"),
        ]
        assert list(tables.downloads) == [("m", DAY0)]


class TestScrapes:
    def test_scrape_counts_its_observations(self) -> None:
        tables = recompute([observed("a", DAY0, 1), observed("b", DAY0, None)], [])
        (row,) = tables.scrapes.values()
        assert (row["source"], row["observed_at"], row["models"]) == ("huggingface", DAY0, 2)

    def test_repeated_observation_counts_once_and_another_of_the_model_too(self) -> None:
        one, other = observed("a", DAY0, 1), observed("a", DAY0, 2)
        assert recompute([one, one], []).scrapes["huggingface", DAY0]["models"] == 1
        assert recompute([one, other], []).scrapes["huggingface", DAY0]["models"] == 2

    def test_scrape_is_complete_if_all_of_its_slices_are(self) -> None:
        part = Observation("huggingface", "live", "b", DAY0, 1, complete=False)
        whole = observed("a", DAY0, 1)
        assert recompute([whole], []).scrapes["huggingface", DAY0]["complete"] is True
        assert recompute([whole, part], []).scrapes["huggingface", DAY0]["complete"] is False


class TestDays:
    def test_missing_days_are_interpolated(self) -> None:
        tables = recompute([observed("m", DAY0, 100), observed("m", DAY0 + 3 * DAY, 160)], [])
        assert days(tables, "downloads") == [None, 20, 20]
        assert days(tables, "cumulative") == [120, 140, 160]
        assert days(tables, "basis") == ["observed"] * 3

    def test_held_day_shares_the_lump_after_it(self) -> None:
        tables = recompute(daily(0, 100, 200, 200, 400), [])
        assert days(tables, "cumulative") == [100, 200, 300, 400]
        assert days(tables, "downloads") == [None, 100, 100, 100]
        assert days(tables, "basis") == ["observed", "observed", "held", "held"]

    def test_correction_steps_down_on_its_day(self) -> None:
        # The knot at 00:00 belongs to the day that begins there.
        tables = recompute(daily(1000, 900, 950), [])
        assert days(tables, "cumulative") == [1000, 950]
        assert days(tables, "downloads") == [None, 50]
        assert days(tables, "correction") == [0, 100]

    def test_knots_over_four_days_apart_are_a_gap(self) -> None:
        tables = recompute([observed("m", DAY0, 0), observed("m", DAY0 + 5 * DAY, 500)], [])
        assert days(tables, "cumulative") == [100, 200, 300, 400, 500]
        assert days(tables, "basis") == ["gap"] * 5

    def test_days_after_the_last_knot_are_missing(self) -> None:
        tables = recompute(daily(0, 100, 200, 200), [])
        assert days(tables, "day") == [DAY0.date(), (DAY0 + DAY).date()]

    def test_other_sources_are_apart(self) -> None:
        both = [observed("m", DAY0, 1, "modelscope"), observed("m", DAY0 + DAY, 3, "modelscope")]
        tables = recompute(both, [])
        assert tables.downloads_daily == {}
        (row,) = tables.downloads_daily_by_source.values()
        assert (row["source"], row["day"], row["cumulative"]) == ("modelscope", DAY0.date(), 3)


class TestAsOf:
    def test_fall_is_a_correction_until_it_comes_back(self) -> None:
        observations = daily(1000, 900, 1100)
        earlier = recompute(*as_of(DAY0 + DAY, observations, []))
        assert column(earlier, "state") == ["first", "correction"]
        assert column(recompute(*as_of(DAY0 + 2 * DAY, observations, [])), "state") == [
            "first",
            "rollback",
            "rise",
        ]

    def test_registry_is_that_of_the_moment(self) -> None:
        records = [record("m"), record("m", size_bin="1-5B", observed_at=DAY0 + DAY)]
        observations = daily(0, 1, 2)
        earlier = recompute(*as_of(DAY0 + DAY - MILLISECOND, observations, records))
        assert earlier.models["m"].size_bin == "7-9B"
        assert recompute(*as_of(DAY0 + DAY, observations, records)).models["m"].size_bin == "1-5B"


class TestKnowledge:
    """What the SQL's tables hold of the past, against what the observations until then give."""

    def test_row_restated_by_a_rollback(self) -> None:
        history = tuple((day * counters.DAY, raw) for day, raw in [(0, 10), (1, 4), (2, 20)])
        rows = [(known.row[:4], known.since, known.until) for known in known_rows(history)]
        day = counters.DAY
        assert rows == [
            ((0, 10, None, 0), day, 2 * day),  # the fall was a correction
            ((0, 15, None, 0), 2 * day, None),
            ((1, 20, 5, 0), 2 * day, None),
        ]
        assert known_knots(history)[1] == (None, 2 * day)

    def test_held_counter_that_is_known_to_be_idle_later(self) -> None:
        history = tuple((day * counters.DAY, 100 * min(day, 1)) for day in range(7))
        # Of the observations at days 2 to 5 the one at day 6 makes knots: its run lasts 5 days.
        after = 6 * counters.DAY
        assert known_knots(history) == (
            (None, None), (None, None), (after, None), (after, None), (after, None), (after, None),
            (None, None),
        )  # fmt: skip

    def test_tables_hold_every_moment(self) -> None:
        superseded = 0
        for history in (tuple(one) for one in map(seeded, range(150)) if len(one) < 60):
            known, knots = known_rows(history), known_knots(history)
            superseded += sum(one.until is not None for one in known)
            final = counters.states(list(history))
            for length in range(1, len(history) + 1):
                part, moment = list(history[:length]), history[length - 1][0]
                then = [
                    one.row
                    for one in known
                    if one.since <= moment and (one.until is None or moment < one.until)
                ]
                assert then == counters.grid(part)
                for state, knot, now in zip(counters.states(part), knots, final, strict=False):
                    began = knot.since is None or knot.since <= moment
                    later = knot.until is not None and knot.until > moment
                    is_knot = began and (later or now in counters.KNOTS)
                    assert is_knot == (state in counters.KNOTS)
        assert superseded > 50


class TestCounterHealth:
    def health(self, observations: Iterable[Observation], age: int, **changed: Any) -> Any:
        """Return busy, held, fallen and corrections of each band on a day."""
        created = {"created_at": datetime(2025, 1, 1, tzinfo=UTC)} | changed
        tables = recompute(observations, [record("m", **created), record("n", **created)])
        return {
            row["age_band"]: (row["busy"], row["held"], row["fallen"], row["corrections"])
            for row in tables.counter_health.values()
            if row["day"] == (DAY0 + age * DAY).date()
        }

    def test_held_counter(self) -> None:
        observations = daily(0, 100, 200, 200, 400) + daily(0, 100, 200, 300, 400, model_id="n")
        assert self.health(observations, 2) == {"2025 and after": (2, 0, 0, 0)}
        assert self.health(observations, 3) == {"2025 and after": (2, 1, 0, 0)}

    def test_first_observation_has_no_rate(self) -> None:
        assert self.health(daily(10_000), 0) == {"2025 and after": (0, 0, 0, 0)}

    def test_busy_is_a_rate_of_20_a_day(self) -> None:
        assert self.health(daily(0, 20), 1) == {"2025 and after": (1, 0, 0, 0)}
        assert self.health(daily(0, 19), 1) == {"2025 and after": (0, 0, 0, 0)}

    def test_held_is_judged_at_the_last_observation_of_the_day(self) -> None:
        observations = [*daily(0, 100, 200, 200), observed("m", DAY0 + 3 * DAY + HOUR, 300)]
        assert self.health(observations, 3) == {"2025 and after": (1, 0, 0, 0)}

    def test_fallen_is_any_observation_of_the_day(self) -> None:
        observations = [*daily(0, 100, 50), observed("m", DAY0 + 2 * DAY + HOUR, 60)]
        assert self.health(observations, 2) == {"2025 and after": (1, 0, 1, 50)}
        assert self.health(daily(0, 100, 50, 120), 2) == {"2025 and after": (1, 0, 1, 0)}

    def test_corrections_of_repositories_that_are_not_busy_count(self) -> None:
        assert self.health(daily(1000, 400), 1) == {"2025 and after": (0, 0, 0, 600)}

    @pytest.mark.parametrize(
        ("created_at", "band"),
        [
            (datetime(2022, 12, 31, 23, tzinfo=UTC), "before 2023"),
            (datetime(2023, 1, 1, tzinfo=UTC), "2023-2024"),
            (datetime(2024, 12, 31, 23, tzinfo=UTC), "2023-2024"),
            (None, "unknown"),
        ],
    )
    def test_age_bands(self, created_at: datetime | None, band: str) -> None:
        assert list(self.health(daily(1), 0, created_at=created_at)) == [band]


class TestPoints:
    def points(self, *seen_at: tuple[timedelta, int], **changed: Any) -> dict[int, int]:
        tables = recompute(
            [observed("m", DAY0 + after, n) for after, n in seen_at], [record("m", **changed)]
        )
        return {age: row["cumulative"] for (_, age, _), row in tables.points.items()}

    def test_age_is_at_the_end_of_a_grid_day(self) -> None:
        assert self.points((6 * DAY, 60), (7 * DAY, 70)) == {7: 70}
        tables = recompute(climb("m", {7: 70}), [record("m")])
        assert tables.points["7-9B", 7, "m"]["as_of"] == DAY0 + 7 * DAY

    def test_point_is_interpolated_over_four_days(self) -> None:
        start = 4 * HOUR
        assert self.points((start, 0), (start + 3 * DAY, 100)) == {1: 27, 2: 61, 3: 94}
        assert self.points((start, 0), (start + 4 * DAY, 96)) == {1: 20, 2: 44, 3: 68, 4: 92}

    def test_gap_has_no_points(self) -> None:
        start = 4 * HOUR
        assert self.points((start, 0), (start + 4 * DAY + MILLISECOND, 100)) == {}

    def test_day_0_is_the_corrected_release_date(self) -> None:
        at = (12 * HOUR, 10), (36 * HOUR, 20), (60 * HOUR, 40)
        assert self.points(*at) == {1: 15, 2: 30}
        earlier = date(2026, 2, 27)
        assert self.points(*at, released_at=earlier) == {3: 15, 4: 30}

    def test_age_0_is_the_row_of_the_day_before_the_release(self) -> None:
        assert self.points((-36 * HOUR, 0), (-12 * HOUR, 10), (12 * HOUR, 20)) == {0: 15}

    def test_ages_end_at_365(self) -> None:
        assert self.points((364 * DAY, 1), (365 * DAY, 2), (366 * DAY, 3)) == {365: 2}

    def test_null_counter_is_ignored(self) -> None:
        tables = recompute(daily(10, None, 20), [record("m")])
        assert tables.points["7-9B", 1, "m"]["cumulative"] == 15

    @pytest.mark.parametrize("unknown", ["released_at", "size_bin"])
    def test_points_need_release_date_and_size_bin(self, unknown: str) -> None:
        assert self.points((DAY, 5), (2 * DAY, 6), **{unknown: None}) == {}

    def test_other_sources_have_no_points(self) -> None:
        observations = [observed("m", DAY0 + age * DAY, age, "modelscope") for age in (1, 2)]
        tables = recompute(observations, [record("m")])
        assert tables.points == {}
        assert tables.latest["m"]["observed_at"] is None

    def test_newest_record_wins_in_any_order(self) -> None:
        newer = record("m", size_bin="1-5B", observed_at=DAY0 + DAY)
        tables = recompute(daily(3, 4), [newer, record("m")])
        assert list(tables.points) == [("1-5B", 1, "m")]

    def test_two_newest_records_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="two newest records of m"):
            recompute([], [record("m"), record("m", tracked=False)])

    def test_latest_is_the_last_knot(self) -> None:
        row = recompute(daily(0, 100, 200, 200), [record("m")]).latest["m"]
        assert (row["observed_at"], row["cumulative"]) == (DAY0 + 2 * DAY, 200)


# Synthetic: eleven peers at 7 days, and the model in question besides.
PEERS = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5]
MONOTONE_RAW = [10, 25, 60, 120, 200, 180, 260]
MONOTONE = [10, 25, 60, 120, 200, 200, 260]
MILESTONES = [7, 14, 30, 60, 90, 180, 365]


class TestBaselines:
    @pytest.mark.parametrize(
        ("count", "ram_median", "ram_cutoff"),
        [(110, 2.0, 11.0), (55, 1.0, 5.5), (10, 0.1818, 1.0)],
    )
    def test_untracked_model_is_compared_with_the_peers(
        self, count: int, ram_median: float, ram_cutoff: float
    ) -> None:
        observations, records = peers_at((PEERS, 7))
        tables = recompute(
            [*observations, *climb("new", {7: count})],
            [*records, record("new", tracked=False)],
        )
        assert tables.baselines["live", "7-9B", 7]["downloads"] == 55.0
        assert tables.baselines["live", "7-9B", 7]["peers"] == 10
        assert tables.baselines["live_cutoff", "7-9B", 7]["downloads"] == 10.0
        assert tables.ram["live", "new", 7]["ram"] == pytest.approx(ram_median, abs=5e-5)
        assert tables.ram["live_cutoff", "new", 7]["ram"] == pytest.approx(ram_cutoff)

    def test_tracked_model_counts_among_its_peers(self) -> None:
        observations, records = peers_at(([110, *PEERS], 7))
        tables = recompute(observations, records)
        assert tables.baselines["live", "7-9B", 7]["downloads"] == 65.0
        assert tables.baselines["live_cutoff", "7-9B", 7]["downloads"] == 20.0
        assert tables.ram["live", "org/m00", 7]["ram"] == pytest.approx(1.6923, abs=5e-5)
        assert tables.ram["live_cutoff", "org/m00", 7]["ram"] == pytest.approx(5.5)

    def test_cutoff_is_the_running_maximum(self) -> None:
        # One model to a milestone's tenth place, so raw counters never fall: 7 sets of ten.
        observations, records = [], []
        for age, tenth in zip(MILESTONES, MONOTONE_RAW, strict=True):
            for i in range(10):
                model_id = f"org/{age:03}-{i}"
                observations += climb(model_id, {age: tenth + i})
                records.append(record(model_id))
        baselines = recompute(observations, records).baselines
        assert [
            baselines["live_cutoff", "7-9B", age]["downloads"] for age in MILESTONES
        ] == MONOTONE
        assert baselines["live_cutoff", "7-9B", 15]["downloads"] == pytest.approx(25 + 35 / 16)
        assert baselines["live_cutoff", "7-9B", 100]["downloads"] == 200.0
        assert baselines["live_cutoff", "7-9B", 15]["as_of"] == DAY0 + 30 * DAY
        assert ("live_cutoff", "7-9B", 6) not in baselines

    def test_cutoff_is_null_at_a_milestone_with_nine_peers(self) -> None:
        observations, records = [], []
        for age, places, tenth in [(7, 10, 50), (14, 9, 60), (30, 10, 20)]:
            for i in range(places):
                observations += climb(f"org/{age:03}-{i}", {age: tenth + i})
                records.append(record(f"org/{age:03}-{i}"))
        baselines = recompute(observations, records).baselines
        values = [baselines["live_cutoff", "7-9B", age]["downloads"] for age in (7, 14, 30)]
        assert values == [50.0, None, 50.0]
        between = baselines["live_cutoff", "7-9B", 10]
        assert (between["peers"], between["downloads"]) == (9, None)
        assert ("live_cutoff", "7-9B", 31) not in baselines

    def test_nine_peers_have_no_baseline(self) -> None:
        observations, records = peers_at((PEERS[:9], 7))
        tables = recompute(observations, records)
        row = tables.baselines["live", "7-9B", 7]
        assert (row["peers"], row["downloads"], row["as_of"]) == (9, None, DAY0 + 7 * DAY)
        row = tables.ram["live", "org/m00", 7]
        assert (row["ram"], row["peers"]) == (None, 9)
        assert tables.breakouts == {}

    def test_untracked_models_are_not_peers(self) -> None:
        observations, records = peers_at((PEERS, 7))
        untracked = [record(r.model_id, tracked=False) for r in records[:2]]
        tables = recompute(observations, [*untracked, *records[2:]])
        assert tables.baselines["live", "7-9B", 7]["peers"] == 9

    def test_size_bins_have_separate_baselines(self) -> None:
        observations, records = peers_at((PEERS, 7))
        tables = recompute(observations, [record("org/m00", size_bin="1-5B"), *records[1:]])
        assert tables.baselines["live", "7-9B", 7]["downloads"] == 45.0
        assert tables.baselines["live", "1-5B", 7]["peers"] == 1

    def test_live_ranks_at_each_age_and_live_fixed_once(self) -> None:
        observations, records = peers_at(([*range(1, 12)], 7), ([*range(20, 30), 11], 60))
        baselines = recompute(observations, records).baselines
        assert baselines["live", "7-9B", 7]["downloads"] == 6.5
        # The last one led at 7 days, and is not among the ten at 60.
        assert baselines["live_fixed", "7-9B", 7]["downloads"] == 5.5
        assert baselines["live_fixed", "7-9B", 60]["downloads"] == 24.5

    def test_tie_for_tenth_place_is_alphabetical(self) -> None:
        counts = [5] * 11
        observations, records = peers_at((counts, 7))
        younger = record("org/m10", released_at=DAY0.date() + DAY)
        others = [one for one in observations if one.model_id != "org/m10"]
        tables = recompute([*others, *climb("org/m10", {8: 5})], [*records[:10], younger])
        assert tables.baselines["live", "7-9B", 7]["as_of"] == DAY0 + 7 * DAY
        assert tables.baselines["live_fixed", "7-9B", 7]["as_of"] == DAY0 + 7 * DAY

    def test_baseline_of_zero_has_no_ram(self) -> None:
        observations, records = peers_at(([9, *[0] * 10], 7))
        row = recompute(observations, records).ram["live", "org/m00", 7]
        assert (row["baseline_downloads"], row["peers"], row["ram"]) == (0.0, 10, None)

    def test_frozen_baseline_does_not_change(self) -> None:
        observations, records = peers_at((PEERS, 7))
        frozen = freeze(recompute(observations, records), "2026-Q1")
        more = climb("new", {7: 1000})
        tables = recompute([*observations, *more], [*records, record("new")], frozen=frozen)
        assert tables.ram["2026-Q1", "new", 7]["baseline_downloads"] == 55.0
        assert tables.ram["live", "new", 7]["baseline_downloads"] == 65.0


class TestNow:
    def tables(self, *seen_at: tuple[timedelta, int]) -> Tables:
        """Ten peers with 100 at 7 and 140 at 8 days, and one model besides."""
        observations, records = peers_at(([100] * 10, 7), ([140] * 10, 8))
        return recompute(
            [*observations, *(observed("new", DAY0 + after, n) for after, n in seen_at)],
            [*records, record("new", tracked=False)],
        )

    def test_ram_is_interpolated_between_whole_days(self) -> None:
        row = self.tables((7 * DAY + 6 * HOUR, 60)).ram_now["live", "new"]
        assert (row["age_days"], row["baseline_downloads"], row["peers"]) == (7.25, 110.0, 10)
        assert (row["ram"], row["ram_capped"]) == (60 / 110, None)

    def test_ram_at_a_whole_day(self) -> None:
        row = self.tables((8 * DAY, 60)).ram_now["live", "new"]
        assert (row["age_days"], row["baseline_downloads"]) == (8.0, 140.0)

    def test_ram_without_the_next_day_is_null(self) -> None:
        row = self.tables((8 * DAY + HOUR, 60)).ram_now["live", "new"]
        assert (row["baseline_downloads"], row["ram"], row["peers"]) == (None, None, 0)

    def test_ram_is_that_of_the_last_knot(self) -> None:
        # 100 a day until 7.25 days, then held for a day.
        at = [(age * DAY + 6 * HOUR, 100 * age) for age in (5, 6, 7)]
        row = self.tables(*at, (8 * DAY + 6 * HOUR, 700)).ram_now["live", "new"]
        assert (row["age_days"], row["as_of"]) == (7.25, DAY0 + 7 * DAY + 6 * HOUR)
        assert row["cumulative"] == 700

    def test_ram_is_capped_up_to_the_last_whole_day(self) -> None:
        # 1 a day until day 6, when 90 come, and 20 in the quarter of a day after it.
        at = [(age * DAY, age) for age in range(7)]
        tables = self.tables(*at, (7 * DAY, 96), (7 * DAY + 6 * HOUR, 116))
        row = tables.ram_now["live", "new"]
        assert tables.ram["live", "new", 7]["ram_capped"] == 16 / 100
        assert (row["ram"], row["ram_capped"]) == (116 / 110, 36 / 110)

    @pytest.mark.parametrize("after", [-HOUR, 366 * DAY])
    def test_no_ram_outside_the_ages(self, after: timedelta) -> None:
        assert ("live", "new") not in self.tables((after, 60)).ram_now


class TestBreakouts:
    def tables(self, observations: list[Observation], **ages: int) -> Tables:
        """Return the tables of a model against ten peers that have 100 from day 0 on."""
        peers, records = peers_at(*(([100] * 10, age) for age in range(101)))
        frozen = freeze(recompute(peers, records), "still")
        everything = [*peers, *observations]
        return recompute(
            everything, [*records, record("new", tracked=False)], frozen=frozen, **ages
        )

    def breakouts(self, counts: dict[int, int], **ages: int) -> list[tuple[int, float, int | None]]:
        """Return age, RAM and the age at the end of the breakouts of a model with these points."""
        found = self.tables(climb("new", counts), **ages).breakouts
        return [
            (
                row["age_days"],
                row["ram"],
                None if row["ended_at"] is None else (row["ended_at"] - DAY0).days,
            )
            for (name, model_id), row in found.items()
            if name == "still" and model_id == "new"
        ]

    def test_first_crossing_is_from_7_days_on(self) -> None:
        assert self.breakouts({0: 120, 1: 120, 7: 120}) == [(7, 1.2, None)]
        assert self.breakouts({7: 99, 8: 100}) == [(8, 1.0, None)]

    def test_no_crossing_after_90_days(self) -> None:
        assert self.breakouts({90: 99, 91: 100}) == []
        assert self.breakouts({90: 100}) == [(90, 1.0, None)]

    def test_age_limits_are_configurable(self) -> None:
        assert self.breakouts({3: 100}, min_age=3) == [(3, 1.0, None)]
        assert self.breakouts({91: 100}, max_age=91) == [(91, 1.0, None)]

    def test_breakout_ends_below_0_9_and_never_restarts(self) -> None:
        observations, records = peers_at(
            *(([peers] * 10, age) for age, peers in enumerate([100, 150, 200, 202, 203], 7))
        )
        observations += climb("new", {7: 178, 8: 179, 9: 180, 10: 181, 11: 500})
        tables = recompute(observations, [*records, record("new", tracked=False)])
        row = tables.breakouts["live", "new"]
        # 180 / 200 is 0.9: still a breakout. 181 / 202 is not, and 500 / 203 is no second one.
        assert tables.ram["live", "new", 9]["ram"] == 0.9
        assert (row["age_days"], row["ended_at"]) == (7, DAY0 + 10 * DAY)

    def status(self, counts: list[int], **ages: int) -> tuple[Any, ...]:
        """Return what a breakout of a model with a count a day from age 0 on is."""
        row = self.tables(daily(*counts, model_id="new"), **ages).breakouts["still", "new"]
        confirmed = None if row["confirmed_at"] is None else (row["confirmed_at"] - DAY0).days
        return row["age_days"], row["status"], confirmed, row["ram_capped"], row["top_day_share"]

    # 5 a day until age 6, 100 on the next day, then 5 a day.
    BURST = (0, 5, 10, 15, 20, 25, 30, 130, 135, 140, 145, 150)

    def test_steady_growth_is_confirmed_at_once(self) -> None:
        counts = [age * 15 for age in range(9)]
        assert self.status(counts) == (7, "confirmed", 7, 1.05, 15 / 105)

    def test_burst_is_confirmed_when_capped_ram_reaches_1(self) -> None:
        # Capped, the greatest day counts 50: 80 at the crossing, and 100 four days later.
        assert self.status([*self.BURST[:-1]]) == (7, "burst", None, 0.8, 100 / 130)
        assert self.status([*self.BURST]) == (7, "confirmed", 11, 0.8, 100 / 130)

    def test_burst_is_not_confirmed_after_the_greatest_age(self) -> None:
        assert self.status([*self.BURST], max_age=10)[:3] == (7, "burst", None)
        assert self.status([*self.BURST], max_age=11)[:3] == (7, "confirmed", 11)

    def test_crossing_with_unknown_capped_ram_is_a_burst_until_it_is_known(self) -> None:
        # Points from 7 days on: the second day with downloads ends at 9.
        late = [observed("new", DAY0 + age * DAY, 20 * age) for age in range(6, 11)]
        for known, expected in ((3, "burst"), (4, "confirmed")):
            row = self.tables(late[:known]).breakouts["still", "new"]
            assert (row["age_days"], row["status"]) == (7, expected)
            assert (row["ram_capped"], row["top_day_share"]) == (None, 1 / 7)
        assert row["confirmed_at"] == DAY0 + 9 * DAY


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(deliveries(models=11, times=12))
def test_any_order_of_arrival_gives_equal_tables(delivery: Delivery) -> None:
    history, arrivals = delivery.history, delivery.arrivals
    slices = [arrival for arrival in arrivals if isinstance(arrival, DownloadsSlice)]
    records = [arrival for arrival in arrivals if isinstance(arrival, ModelRecord)]
    expected = recompute(history.observations, history.models)
    assert recompute(observations_of(slices), records) == expected

    grids: dict[tuple[str, str], list[Row]] = {}
    for (model_id, source, _), row in sorted(expected.downloads_daily_by_source.items()):
        grids.setdefault((model_id, source), []).append(row)
    for grid in grids.values():
        assert grid[0]["downloads"] is None
        for before, row in pairwise(grid):
            grown = row["cumulative"] - before["cumulative"] + row["correction"]
            assert row["downloads"] == grown >= 0
    for row in expected.points.values():
        assert row["capped"] is None or 0 <= row["capped"] <= row["cumulative"]


def test_differences_are_described() -> None:
    expected: dict[int, Row] = {
        1: {"a": 1, "f": 0.1},
        2: {"a": None, "f": None},
        3: {"a": 1, "f": 1.0},
    }
    assert differences(expected, {key: dict(row) for key, row in expected.items()}) == []
    actual: dict[int, Row] = {
        1: {"a": 2, "f": 0.1},
        2: {"a": None, "f": 0.0},
        4: {"a": 1, "f": 1.0},
    }
    assert differences(expected, actual) == [
        "3: no such row, expected {'a': 1, 'f': 1.0}",
        "4: unexpected row {'a': 1, 'f': 1.0}",
        "1: a is 2, expected 1",
        "2: f is 0.0, expected None",
    ]
