"""The oracle against cases worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from breakout.contract.events import DownloadsSlice, ModelRecord

from . import Observation, Tables, differences, freeze, observations_of, recompute
from .deliveries import Delivery
from .inputs import Row
from .strategies import deliveries

DAY0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def observed(
    model_id: str, at: datetime, count: int | None, source: str = "huggingface"
) -> Observation:
    return Observation(source, "live", model_id, at, count)


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
    """Return one column of `downloads`, of a single series, by time."""
    return [row[name] for _, row in sorted(tables.downloads.items())]


def days(tables: Tables, name: str) -> list[Any]:
    """Return one column of `downloads_daily`, of a single model, by day."""
    return [row[name] for _, row in sorted(tables.downloads_daily.items())]


def peers_at(
    counts: list[int], age: int, **changed: Any
) -> tuple[list[Observation], list[ModelRecord]]:
    """Return observations and records of models with these counts at one age."""
    ids = [f"org/m{i:02}" for i in range(len(counts))]
    return (
        [observed(m, DAY0 + age * DAY, n) for m, n in zip(ids, counts, strict=True)],
        [record(m) for m in ids],
    )


class TestCleanSeries:
    def test_fallen_counter_counts_only_growth_above_the_maximum(self) -> None:
        tables = recompute(
            [observed("m", DAY0 + i * DAY, n) for i, n in enumerate([1000, 900, 1100])], []
        )
        assert column(tables, "cumulative") == [1000, 1000, 1100]
        assert column(tables, "delta") == [None, 0, 100]
        assert column(tables, "revision") == [None, 100, None]
        assert column(tables, "standing") == [None, False, False]

    def test_null_counter_is_ignored_in_the_series(self) -> None:
        tables = recompute(
            [observed("m", DAY0 + i * DAY, n) for i, n in enumerate([None, 5, None, 5, 9])], []
        )
        assert column(tables, "cumulative") == [None, 5, None, 5, 9]
        assert column(tables, "delta") == [None, None, None, 0, 4]
        assert column(tables, "standing") == [None, None, None, True, False]

    def test_jump_is_tenfold_growth_from_a_thousand(self) -> None:
        for counts, jump in [
            ([1000, 10_000], True),
            ([999, 10_000], False),
            ([1000, 9_999], False),
            ([1000, 900, 9_500], False),
        ]:
            tables = recompute([observed("m", DAY0 + i * DAY, n) for i, n in enumerate(counts)], [])
            assert column(tables, "jump")[-1] is jump
            assert column(tables, "cumulative")[-1] == counts[-1]

    def test_observations_of_a_key_are_merged_by_column(self) -> None:
        one = Observation("huggingface", "live", "m", DAY0, 7, None, 3)
        other = Observation("huggingface", "archive", "m", DAY0, 5, 2, None)
        for both in ([one, other], [other, one]):
            (row,) = recompute(both, []).downloads.values()
            assert (row["downloads_all_time"], row["downloads_30d"], row["likes"]) == (7, 2, 3)
            assert row["origin"] == "archive"

    def test_sources_have_separate_series(self) -> None:
        tables = recompute([observed("m", DAY0, 5), observed("m", DAY0 + DAY, 3, "modelscope")], [])
        assert column(tables, "cumulative") == [5, 3]
        assert column(tables, "delta") == [None, None]


class TestStalls:
    def scrapes(self, moving: int, step: timedelta) -> tuple[Tables, list[Any]]:
        """Eight models, two daily scrapes where all change, then one where `moving` do."""
        observations = []
        for i in range(8):
            for number, at in enumerate([DAY0, DAY0 + DAY, DAY0 + DAY + step]):
                count = 10 * min(number, 1) + (1 if number == 2 and i < moving else 0)
                observations.append(observed(f"m{i}", at, count))
        tables = recompute(observations, [])
        return tables, [row["stalled"] for _, row in sorted(tables.scrapes.items())]

    def test_daily_scrape_is_stalled_if_three_quarters_are_unchanged(self) -> None:
        tables, stalled = self.scrapes(2, DAY)
        assert stalled == [False, False, True]
        last = [row for row in tables.downloads.values() if row["observed_at"] == DAY0 + 2 * DAY]
        assert sorted(row["stalled"] for row in last) == [False] * 2 + [True] * 6
        scrape = tables.scrapes["huggingface", DAY0 + 2 * DAY]
        assert (scrape["models"], scrape["compared"], scrape["standing"]) == (8, 8, 6)

    def test_daily_scrape_is_not_stalled_if_more_than_a_quarter_change(self) -> None:
        assert self.scrapes(3, DAY)[1] == [False, False, False]

    def test_stall_needs_23_and_a_half_hours_without_changes(self) -> None:
        millisecond = timedelta(milliseconds=1)
        assert self.scrapes(0, 23.5 * HOUR - millisecond)[1][-1] is False
        assert self.scrapes(0, 23.5 * HOUR)[1][-1] is True

    def test_hourly_scrape_of_a_daily_counter_is_not_stalled(self) -> None:
        observations = [
            observed(f"m{i}", DAY0 + hour * HOUR, hour // 24)
            for i in range(4)
            for hour in range(72)
        ]
        assert not any(row["stalled"] for row in recompute(observations, []).scrapes.values())

    def test_scrape_without_comparisons_is_not_stalled(self) -> None:
        tables = recompute([observed("m", DAY0, None), observed("m", DAY0 + DAY, 1)], [])
        assert [row["stalled"] for row in tables.scrapes.values()] == [False, False]
        assert [row["compared"] for row in tables.scrapes.values()] == [0, 0]


class TestDays:
    def test_missing_days_are_interpolated(self) -> None:
        tables = recompute([observed("m", DAY0, 100), observed("m", DAY0 + 3 * DAY, 160)], [])
        assert days(tables, "downloads") == [None, 20, 20, 20]
        assert days(tables, "cumulative") == [100, 120, 140, 160]

    def test_interpolated_days_sum_to_the_total(self) -> None:
        tables = recompute([observed("m", DAY0, 100), observed("m", DAY0 + 3 * DAY, 161)], [])
        assert days(tables, "downloads") == [None, 20, 20, 21]

    def test_stalled_days_are_interpolated(self) -> None:
        counts = [10, 20, 20, 20, 50]
        tables = recompute([observed("m", DAY0 + i * DAY, n) for i, n in enumerate(counts)], [])
        assert column(tables, "stalled") == [False, False, True, True, False]
        assert days(tables, "cumulative") == [10, 20, 30, 40, 50]

    def test_stalled_days_at_the_end_are_missing(self) -> None:
        tables = recompute(
            [observed("m", DAY0 + i * DAY, n) for i, n in enumerate([10, 20, 20])], []
        )
        assert days(tables, "day") == [DAY0.date(), (DAY0 + DAY).date()]

    def test_last_observation_of_a_day_is_its_value(self) -> None:
        late = DAY0 + DAY - timedelta(milliseconds=1)
        tables = recompute(
            [observed("m", DAY0, 1), observed("m", late, 5), observed("m", DAY0 + DAY, 9)], []
        )
        assert days(tables, "cumulative") == [5, 9]

    def test_other_sources_have_no_daily_rows(self) -> None:
        assert recompute([observed("m", DAY0, 1, "modelscope")], []).downloads_daily == {}


class TestPoints:
    def points(self, *seen_at: tuple[timedelta, int], **changed: Any) -> dict[int, int]:
        tables = recompute(
            [observed("m", DAY0 + after, n) for after, n in seen_at], [record("m", **changed)]
        )
        return {age: row["cumulative"] for (_, age, _), row in tables.points.items()}

    def test_observation_at_a_whole_age_is_the_point(self) -> None:
        assert self.points((0 * DAY, 0), (7 * DAY, 70)) == {0: 0, 7: 70}

    def test_point_is_interpolated_over_three_days(self) -> None:
        start = 4 * HOUR
        assert self.points((start, 0), (start + 3 * DAY, 100)) == {1: 27, 2: 61, 3: 94}

    def test_point_is_not_interpolated_over_longer_gaps(self) -> None:
        start, over = 4 * HOUR, timedelta(milliseconds=1)
        assert self.points((start, 0), (start + 3 * DAY + over, 100)) == {}

    def test_day_0_is_the_corrected_release_date(self) -> None:
        at = (12 * HOUR, 10), (36 * HOUR, 20), (60 * HOUR, 40)
        assert self.points(*at) == {1: 15, 2: 30}
        earlier = date(2026, 2, 27)
        assert self.points(*at, released_at=earlier) == {3: 15, 4: 30}

    def test_observations_before_the_release_count(self) -> None:
        assert self.points((-12 * HOUR, 10), (12 * HOUR, 20)) == {0: 15}

    def test_null_counter_at_a_whole_age_is_ignored(self) -> None:
        tables = recompute(
            [
                observed("m", DAY0, 10),
                observed("m", DAY0 + DAY, None),
                observed("m", DAY0 + 2 * DAY, 20),
            ],
            [record("m")],
        )
        assert tables.points["7-9B", 1, "m"]["cumulative"] == 15

    @pytest.mark.parametrize("unknown", ["released_at", "size_bin"])
    def test_points_need_release_date_and_size_bin(self, unknown: str) -> None:
        assert self.points((DAY, 5), **{unknown: None}) == {}

    def test_newest_record_wins_in_any_order(self) -> None:
        newer = record("m", size_bin="1-5B", observed_at=DAY0 + DAY)
        tables = recompute([observed("m", DAY0, 3)], [newer, record("m")])
        assert list(tables.points) == [("1-5B", 0, "m")]

    def test_two_newest_records_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="two newest records of m"):
            recompute([], [record("m"), record("m", tracked=False)])


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
        observations, records = peers_at(PEERS, 7)
        tables = recompute(
            [*observations, observed("new", DAY0 + 7 * DAY, count)],
            [*records, record("new", tracked=False)],
        )
        assert tables.baselines["live", "7-9B", 7]["downloads"] == 55.0
        assert tables.baselines["live", "7-9B", 7]["peers"] == 10
        assert tables.baselines["live_cutoff", "7-9B", 7]["downloads"] == 10.0
        assert tables.ram["live", "new", 7]["ram"] == pytest.approx(ram_median, abs=5e-5)
        assert tables.ram["live_cutoff", "new", 7]["ram"] == pytest.approx(ram_cutoff)

    def test_tracked_model_counts_among_its_peers(self) -> None:
        observations, records = peers_at([110, *PEERS], 7)
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
                observations.append(observed(model_id, DAY0 + age * DAY, tenth + i))
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
                observations.append(observed(f"org/{age:03}-{i}", DAY0 + age * DAY, tenth + i))
                records.append(record(f"org/{age:03}-{i}"))
        baselines = recompute(observations, records).baselines
        values = [baselines["live_cutoff", "7-9B", age]["downloads"] for age in (7, 14, 30)]
        assert values == [50.0, None, 50.0]
        between = baselines["live_cutoff", "7-9B", 10]
        assert (between["peers"], between["downloads"]) == (9, None)
        assert ("live_cutoff", "7-9B", 31) not in baselines

    def test_nine_peers_have_no_baseline(self) -> None:
        observations, records = peers_at(PEERS[:9], 7)
        tables = recompute(observations, records)
        row = tables.baselines["live", "7-9B", 7]
        assert (row["peers"], row["downloads"], row["as_of"]) == (9, None, DAY0 + 7 * DAY)
        row = tables.ram["live", "org/m00", 7]
        assert (row["ram"], row["peers"]) == (None, 9)
        assert tables.breakouts == {}

    def test_untracked_models_are_not_peers(self) -> None:
        observations, records = peers_at(PEERS, 7)
        untracked = [record(r.model_id, tracked=False) for r in records[:2]]
        tables = recompute(observations, [*untracked, *records[2:]])
        assert tables.baselines["live", "7-9B", 7]["peers"] == 9

    def test_size_bins_have_separate_baselines(self) -> None:
        observations, records = peers_at(PEERS, 7)
        tables = recompute(observations, [record("org/m00", size_bin="1-5B"), *records[1:]])
        assert tables.baselines["live", "7-9B", 7]["downloads"] == 45.0
        assert tables.baselines["live", "1-5B", 7]["peers"] == 1

    def test_live_ranks_at_each_age_and_live_fixed_once(self) -> None:
        observations, records = peers_at([*range(1, 12)], 7)
        later, _ = peers_at([*range(20, 30), 11], 60)
        baselines = recompute(observations + later, records).baselines
        assert baselines["live", "7-9B", 7]["downloads"] == 6.5
        # The last one led at 7 days, and is not among the ten at 60.
        assert baselines["live_fixed", "7-9B", 7]["downloads"] == 5.5
        assert baselines["live_fixed", "7-9B", 60]["downloads"] == 24.5

    def test_tie_for_tenth_place_is_alphabetical(self) -> None:
        counts = [5] * 11
        observations, records = peers_at(counts, 7)
        younger = record("org/m10", released_at=DAY0.date() + DAY)
        late = observed("org/m10", DAY0 + 8 * DAY, 5)
        tables = recompute([*observations[:10], late], [*records[:10], younger])
        assert tables.baselines["live", "7-9B", 7]["as_of"] == DAY0 + 7 * DAY
        assert tables.baselines["live_fixed", "7-9B", 7]["as_of"] == DAY0 + 7 * DAY

    def test_baseline_of_zero_has_no_ram(self) -> None:
        observations, records = peers_at([9, *[0] * 10], 7)
        row = recompute(observations, records).ram["live", "org/m00", 7]
        assert (row["baseline_downloads"], row["peers"], row["ram"]) == (0.0, 10, None)

    def test_frozen_baseline_does_not_change(self) -> None:
        observations, records = peers_at(PEERS, 7)
        frozen = freeze(recompute(observations, records), "2026-Q1")
        more = observed("new", DAY0 + 7 * DAY, 1000)
        tables = recompute([*observations, more], [*records, record("new")], frozen=frozen)
        assert tables.ram["2026-Q1", "new", 7]["baseline_downloads"] == 55.0
        assert tables.ram["live", "new", 7]["baseline_downloads"] == 65.0


class TestNow:
    def tables(self, after: timedelta) -> Tables:
        """Ten peers with 100 at 7 and 140 at 8 days; "new" has 60 at that age."""
        observations, records = peers_at([100] * 10, 7)
        later, _ = peers_at([140] * 10, 8)
        return recompute(
            [*observations, *later, observed("new", DAY0 + after, 60)],
            [*records, record("new", tracked=False)],
        )

    def test_ram_is_interpolated_between_whole_days(self) -> None:
        row = self.tables(7 * DAY + 6 * HOUR).ram_now["live", "new"]
        assert (row["age_days"], row["baseline_downloads"], row["peers"]) == (7.25, 110.0, 10)
        assert row["ram"] == 60 / 110

    def test_ram_at_a_whole_day(self) -> None:
        row = self.tables(8 * DAY).ram_now["live", "new"]
        assert (row["age_days"], row["baseline_downloads"]) == (8.0, 140.0)

    def test_ram_without_the_next_day_is_null(self) -> None:
        row = self.tables(8 * DAY + HOUR).ram_now["live", "new"]
        assert (row["baseline_downloads"], row["ram"], row["peers"]) == (None, None, 0)

    @pytest.mark.parametrize("after", [-HOUR, 366 * DAY])
    def test_no_ram_outside_the_ages(self, after: timedelta) -> None:
        assert ("live", "new") not in self.tables(after).ram_now


class TestBreakouts:
    def breakouts(self, counts: dict[int, int], **ages: int) -> list[tuple[int, float, int | None]]:
        """Return the breakouts of a model against ten peers that have 100 from day 0 on."""
        observations: list[Observation] = []
        records: list[ModelRecord] = []
        for age in range(101):
            at_age, records = peers_at([100] * 10, age)
            observations += at_age
        observations += [observed("new", DAY0 + age * DAY, n) for age, n in counts.items()]
        frozen = freeze(recompute(observations, records), "still")
        tables = recompute(
            observations, [*records, record("new", tracked=False)], frozen=frozen, **ages
        )
        rows = [row for (name, _), row in tables.breakouts.items() if name == "still"]
        return [
            (
                row["age_days"],
                row["ram"],
                None if row["ended_at"] is None else (row["ended_at"] - DAY0).days,
            )
            for row in rows
            if row["model_id"] == "new"
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
        # The model stands at 180 while the peers rise from 100 to 180, 200 and 201.
        observations: list[Observation] = []
        records: list[ModelRecord] = []
        for age, peers in [(7, 100), (8, 180), (9, 200), (10, 201), (11, 201)]:
            at_age, records = peers_at([peers] * 10, age)
            observations += at_age
        observations += [observed("new", DAY0 + age * DAY, 180) for age in range(7, 11)]
        observations.append(observed("new", DAY0 + 11 * DAY, 500))
        tables = recompute(observations, [*records, record("new", tracked=False)])
        row = tables.breakouts["live", "new"]
        # 180 / 200 is 0.9: still a breakout. 180 / 201 is not, and 500 / 201 is no second one.
        assert tables.ram["live", "new", 9]["ram"] == 0.9
        assert (row["age_days"], row["ended_at"]) == (7, DAY0 + 10 * DAY)


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

    cumulative = [row["cumulative"] for row in expected.downloads_daily.values()]
    spread = [row["downloads"] for row in expected.downloads_daily.values()]
    firsts = [c for c, d in zip(cumulative, spread, strict=True) if d is None]
    lasts = {row["model_id"]: row["cumulative"] for row in expected.downloads_daily.values()}
    assert sum(firsts) + sum(d or 0 for d in spread) == sum(lasts.values())


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
