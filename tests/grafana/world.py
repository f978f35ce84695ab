"""The small world of the charts, and what the dashboards need besides."""

from datetime import timedelta
from typing import Any

from tests.breakout.clickhouse.charts import seeds

MODEL = "qi/Big-300B"
"""It has everything: a breakout, a family, tokens, ratings, anomalies, gaps."""
BURST = "am/Huge-400B"
"""Passed 1.0x by its greatest day."""
OF_A_BREAKOUT = {"confirmed_at": seeds.NOW, "ram_capped": 1.5, "top_day_share": 0.2}
OF_A_BURST = {"confirmed_at": None, "ram": 1.2, "ram_capped": 0.4, "top_day_share": 0.9}
RELEASED = seeds.LAST - timedelta(days=8)
SINCE = seeds.at(seeds.FIRST) - timedelta(days=14)
UNTIL = seeds.NOW + timedelta(days=1)
STATES: dict[int, dict[str, Any]] = {
    20: {"state": "rollback"},
    30: {"state": "correction", "correction": 7},
    40: {"state": "held"},
}
"""What observations of the model are, by the number of the day."""
DAYS: dict[int, dict[str, Any]] = {
    19: {"basis": "held"}, 30: {"correction": 7}, 39: {"basis": "held"}, 50: {"basis": "gap"},
}  # fmt: skip


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows by table."""
    found = seeds.rows()
    for row in found["downloads_log"]:
        if row["model_id"] == MODEL and row["source"] == "huggingface":
            row.update(downloads_30d=1000, likes=5)
            row.update(STATES.get((row["observed_at"].date() - seeds.FIRST).days, {}))
        row.setdefault("downloads_30d", None)
        row.setdefault("likes", None)
    for row in found["daily_log"]:
        if row["model_id"] == MODEL and row["source"] == "huggingface":
            row.update(DAYS.get((row["day"] - seeds.FIRST).days, {}))
    for row in found["models_log"]:
        row["released_at"] = RELEASED
    found["latest_log"] = [
        {
            "size_bin": "250B+", "model_id": model_id, "released_at": RELEASED, "tracked": True,
            "observed_at": seeds.NOW, "cumulative": factor * 8, "capped": factor * 8,
            "registry_changed_at": seeds.NOW, "known": 1, "version": 1,
        }
        for model_id, factor in ((MODEL, 1500), ("am/Huge-400B", 500))
    ]  # fmt: skip
    for row in found["points_log"]:
        row["as_of"] = seeds.at(RELEASED + timedelta(days=row["age_days"]))
    found["breakouts_log"][0] |= {"ended_at": seeds.NOW, **OF_A_BREAKOUT}
    found["breakouts_log"] += [
        {**found["breakouts_log"][0], "baseline": "2026-Q1", "ended_at": seeds.NOW},
        {**found["breakouts_log"][0], "model_id": BURST, **OF_A_BURST},
    ]
    found["scrapes_log"] = [
        {
            "source": "huggingface", "observed_at": seeds.NOW - timedelta(days=ago),
            "scrape_id": f"{ago}", "slice": 0, "models": 8, "complete": True,
        }
        for ago in range(2)
    ]  # fmt: skip
    found["scrape_missing"] = [
        {"source": "huggingface", "observed_at": seeds.NOW, "model_id": MODEL, "reason": "404"}
    ]
    return found
