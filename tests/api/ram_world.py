"""Seed data with RAM: fourteen models of one size bin, their tables computed by the oracle."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from random import Random

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.contract.events import ModelRecord
from breakout.settings import Settings
from tests.oracle import Observation, Tables, recompute
from tests.oracle.log_rows import UNVERSIONED, log_rows

FIRST = date(2026, 1, 5)
THEN = datetime(2026, 2, 10, 6, tzinfo=UTC)
"""A scrape in the middle of the period."""
BURST = "org0/model-12"
"""A model with nearly all its downloads on one day."""
MISSING = ("org0/gone", "org1/gone")
"""Models that the scrape at `THEN` requested and did not observe."""
LAST = datetime(2026, 3, 1, 6, tzinfo=UTC)


def models() -> list[ModelRecord]:
    return [
        ModelRecord(
            model_id=f"org{number % 3}/model-{number:02}",
            observed_at=datetime(2026, 1, 1, tzinfo=UTC),
            org=f"org{number % 3}",
            region="us" if number % 3 else "china",
            total_params_b=30.0,
            size_bin="10-50B",
            released_at=FIRST + timedelta(days=number % 5),
            tracked=number != 13,
        )
        for number in range(14)
    ]


def observations() -> list[Observation]:
    """Return daily observations of each model, with random growth and missing days."""
    random = Random(11)
    found = []
    for record in models():
        assert record.released_at is not None
        total, rate = 0, random.randint(50, 400)
        at = datetime.combine(record.released_at, datetime.min.time(), UTC) + timedelta(hours=6)
        while at <= LAST:
            if random.random() < 0.9 or at == LAST:
                found.append(Observation("huggingface", "live", record.model_id, at, total))
            rate = max(1, rate + random.randint(-60, 70))
            if record.model_id == BURST:
                rate = 20_000 if (at.date() - record.released_at).days == 8 else 20
            total += rate
            at += timedelta(days=1)
    return found


def load(settings: Settings, until: datetime, version: int) -> Tables:
    """Write the tables that the processors would have written by `until`; upserts rows."""
    migrate(settings)
    tables = recompute([found for found in observations() if found.observed_at <= until], models())
    written = log_rows(tables)
    for row in written["scrapes_log"]:
        row["complete"] = row["observed_at"] != THEN
    with closing(writer_client(settings)) as client:
        for log, rows in written.items():
            if not rows:
                continue
            columns = [*rows[0], *([] if log in UNVERSIONED else ["version"])]
            values = [[(row | {"version": version})[name] for name in columns] for row in rows]
            client.insert(log, values, columns)
        missing = [["huggingface", THEN, model_id, "deleted"] for model_id in MISSING]
        client.insert("scrape_missing", missing)
    return tables
