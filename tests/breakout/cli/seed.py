"""A small database with RAM: three models of one size bin, and what the tables hold of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.support.download_rows import Observed, download_rows

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
BIG = 2**60


def seed(settings: Settings) -> Client:
    """Migrate and fill the database; return a client of it.

    `acme/Rocket-30B` is a breakout that lasts, `acme/Comet-30B` one that is over and untracked,
    `other/Huge-300B` has too few peers and a counter beyond 2^53.
    """
    migrate(settings)
    client = writer_client(settings)
    _models(client)
    _downloads(client)
    _latest(client)
    _scores(client)
    return client


def insert(client: Client, table: str, *rows: dict[str, Any]) -> None:
    columns = list(rows[0])
    client.insert(table, [[row[c] for c in columns] for row in rows], column_names=columns)


def _models(client: Client) -> None:
    for model_id, size_bin, params, released, tracked in (
        ("acme/Rocket-30B", "10-50B", 30.0, date(2026, 2, 9), True),
        ("acme/Comet-30B", "10-50B", 30.0, date(2026, 1, 10), False),
        ("other/Huge-300B", "250B+", 300.0, date(2026, 3, 1), True),
    ):
        insert(
            client,
            "models_log",
            {
                "model_id": model_id,
                "org": model_id.partition("/")[0],
                "region": "us",
                "total_params_b": params,
                "size_bin": size_bin,
                "released_at": released,
                "base_models": [],
                "tracked": tracked,
                "observed_at": NOW,
            },
        )


def _downloads(client: Client) -> None:
    counter = [
        Observed("acme/Rocket-30B", NOW - timedelta(days=ago), 300_000 - ago * ago * 100)
        for ago in range(15)
    ]
    for table, rows in download_rows(counter).items():
        insert(client, table, *rows)


def _latest(client: Client) -> None:
    for size_bin, model_id, released, tracked, cumulative, capped in (
        ("10-50B", "acme/Rocket-30B", date(2026, 2, 9), True, 300_000, 300_000),
        ("10-50B", "acme/Comet-30B", date(2026, 1, 10), False, 450_000, 225_000),
        ("250B+", "other/Huge-300B", date(2026, 3, 1), True, BIG, None),
    ):
        insert(
            client,
            "latest_log",
            {
                "size_bin": size_bin,
                "model_id": model_id,
                "released_at": released,
                "tracked": tracked,
                "observed_at": NOW,
                "cumulative": cumulative,
                "capped": capped,
                "known": 1,
                "version": 1,
            },
        )


def _scores(client: Client) -> None:
    baselines = [
        {
            "baseline": baseline,
            "size_bin": size_bin,
            "age_days": age,
            "peers": peers,
            "downloads": None if peers < 10 else age * per_day,
            "as_of": NOW,
            "version": 1,
        }
        for baseline, size_bin, peers, per_day in (
            ("live", "10-50B", 10, 8000.0),
            ("live_fixed", "10-50B", 10, 16000.0),
            ("live", "250B+", 6, 0.0),
        )
        for age in range(1, 91)
    ]
    insert(client, "baselines_log", *baselines)
    points = [
        {
            "size_bin": "10-50B",
            "age_days": age,
            "model_id": model_id,
            "cumulative": age * per_day,
            "as_of": NOW,
            "version": 1,
        }
        for model_id, ages, per_day in (
            ("acme/Rocket-30B", (7, 12, 14, 30), 10_000),
            ("acme/Comet-30B", (7, 14, 30, 60), 7500),
        )
        for age in ages
    ]
    insert(client, "points_log", *points)
    insert(
        client,
        "breakouts_log",
        {
            "baseline": "live",
            "model_id": "acme/Rocket-30B",
            "crossed_at": datetime(2026, 2, 21, tzinfo=UTC),
            "age_days": 12,
            "ram": 1.25,
            "ended_at": None,
            "confirmed_at": datetime(2026, 2, 21, tzinfo=UTC),
            "ram_capped": 1.25,
            "top_day_share": 0.125,
            "retracted": False,
            "version": 1,
        },
        {
            "baseline": "live",
            "model_id": "acme/Comet-30B",
            "crossed_at": datetime(2026, 1, 24, tzinfo=UTC),
            "age_days": 14,
            "ram": 1.01,
            "ended_at": datetime(2026, 2, 10, tzinfo=UTC),
            "confirmed_at": datetime(2026, 2, 1, tzinfo=UTC),
            "ram_capped": 0.5,
            "top_day_share": 0.75,
            "retracted": False,
            "version": 1,
        },
    )
