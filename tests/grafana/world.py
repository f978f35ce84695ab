"""The small world of the charts, and what the dashboards need besides."""

from datetime import timedelta
from typing import Any

from tests.breakout.clickhouse.charts import seeds

MODEL = "qi/Big-300B"
"""It has everything: a breakout, a family, tokens, ratings, anomalies, gaps."""
RELEASED = seeds.LAST - timedelta(days=8)
SINCE = seeds.at(seeds.FIRST) - timedelta(days=14)
UNTIL = seeds.NOW + timedelta(days=1)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows by table."""
    found = seeds.rows()
    for row in found["downloads_log"]:
        row.setdefault("revision", None)
        if row["model_id"] == MODEL and row["source"] == "huggingface":
            row |= {"downloads_30d": 1000, "likes": 5}
            if row["observed_at"] == seeds.at(seeds.FIRST + timedelta(days=20)):
                row |= {"revision": 7, "downloads_all_time": row["downloads_all_time"] - 7}
            if row["observed_at"] == seeds.at(seeds.FIRST + timedelta(days=30)):
                row |= {"jump": True}
            if row["observed_at"] == seeds.at(seeds.FIRST + timedelta(days=40)):
                row |= {"standing": True}
        row.setdefault("downloads_30d", None)
        row.setdefault("likes", None)
    for row in found["models_log"]:
        row["released_at"] = RELEASED
    found["latest_log"] = [
        {
            "size_bin": "250B+", "model_id": model_id, "released_at": RELEASED, "tracked": True,
            "observed_at": seeds.NOW, "cumulative": factor * 8, "registry_changed_at": seeds.NOW,
            "known": 1, "version": 1,
        }
        for model_id, factor in ((MODEL, 1500), ("am/Huge-400B", 500))
    ]  # fmt: skip
    for row in found["points_log"]:
        row["as_of"] = seeds.at(RELEASED + timedelta(days=row["age_days"]))
    found["breakouts_log"][0]["ended_at"] = seeds.NOW
    found["breakouts_log"].append(
        {**found["breakouts_log"][0], "baseline": "2026-Q1", "ended_at": seeds.NOW}
    )
    day = seeds.at(seeds.FIRST + timedelta(days=40))
    found["scrapes_log"] = [
        {
            "source": "huggingface", "observed_at": moment, "partition": 0, "models": 8,
            "compared": 8, "standing": standing, "complete": True, "version": 1,
        }
        for moment, standing in ((day - timedelta(days=1), 0), (day, 8), (seeds.NOW, 0))
    ]  # fmt: skip
    found["scrape_missing"] = [
        {"source": "huggingface", "observed_at": seeds.NOW, "model_id": MODEL, "reason": "404"}
    ]
    return found
