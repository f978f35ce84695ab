"""The report of `breakout demo`."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from breakout.cli.console import PlainConsole
from breakout.cli.demo_report import breakouts_table, current_places, read_breakouts
from breakout.cli.leaderboard import Leaderboard, Place
from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings

LAST = datetime(2025, 2, 18, tzinfo=UTC)


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    """A database whose breakouts are confirmed or bursts."""
    migrate(settings)
    with closing(writer_client(settings)) as client:
        client.command(
            """
            CREATE OR REPLACE VIEW breakouts AS SELECT * FROM values(
                'baseline String, model_id String, age_days UInt16, ram Float64, status String,
                 ram_capped Float64, top_day_share Float64, crossed_at DateTime64(3, \\'UTC\\'),
                 ended_at Nullable(DateTime64(3)), confirmed_at Nullable(DateTime64(3))',
                ('live', 'a/short', 7, 1.16, 'burst', 0.08, 0.94, '2024-12-25', '2024-12-28', NULL),
                ('live', 'a/slo', 8, 1.22, 'confirmed', 0.4, 0.5, '2024-09-25', NULL, '2024-10-07'),
                ('live_fixed', 'a/slo', 8, 1.22, 'burst', 0.4, 0.5, '2024-09-25', NULL, NULL))
            """
        )
        client.command(
            """
            CREATE OR REPLACE VIEW ram AS SELECT * FROM values(
                'baseline String, model_id String, age_days UInt16, size_bin String,
                 cumulative UInt64, baseline_downloads Float64, ram Float64',
                ('live', 'a/short', 7, '10-50B', 29549, 25480.4, 1.16),
                ('live', 'a/slo', 7, '1-5B', 1, 13937, 0.1),
                ('live', 'a/slo', 8, '1-5B', 29210, 23937, 1.22))
            """
        )
        yield client


def test_breakouts_and_bursts_have_both_figures(client: Client) -> None:
    burst, confirmed = read_breakouts(client)
    figures = (burst.status, burst.ram, burst.ram_capped, burst.top_day_share)
    assert figures == ("burst", 1.16, 0.08, 0.94)
    assert (confirmed.status, confirmed.age_days, confirmed.cumulative) == ("confirmed", 8, 29_210)
    out = PlainConsole(width=120)
    with out.capture() as shown:
        out.print(breakouts_table([burst, confirmed], 120))
    assert [" ".join(line.split()) for line in shown.get().splitlines()[1:]] == [
        "a/short 10-50B 2024-12-25, day 7 29,549 1.16x 0.08x 94.0%",
        "a/slo 1-5B 2024-09-25, day 8 29,210 1.22x 0.40x 50.0% day 20",
    ]


def place(model_id: str, as_of: datetime, rank: int) -> Place:
    return Place(
        rank,
        model_id,
        "org",
        "7-9B",
        None,
        True,
        20.0,
        as_of,
        1,
        1.0,
        10,
        2.0,
        None,
        None,
        None,
        None,
        (),
    )


def test_season_s_leaderboard_has_current_counters_only() -> None:
    places = (
        place("org/ended", LAST - timedelta(days=4), 1),
        place("org/stands", LAST - timedelta(days=2), 2),
        place("org/moves", LAST, 3),
    )
    board = current_places(Leaderboard("live", LAST, 3, places))
    assert board.total == 2
    assert [(one.rank, one.model_id) for one in board.places] == [
        (1, "org/stands"),
        (2, "org/moves"),
    ]
    empty = Leaderboard("live", None, 0, ())
    assert current_places(empty) == empty
