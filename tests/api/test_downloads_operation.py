"""Downloads over time, against plain sums over the charts' seed data."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from tests.breakout.clickhouse.charts import seeds

COUNTERS = seeds.counters()
GROUP = {"model": None, "org": 0, "region": 1, "size_bin": 2}
UNSAID = {"region": "unreviewed", "size_bin": "unknown"}


def rows(api: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    response = api.get("/v1/downloads", params=asked)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]
    return found


def expected(by: str, begin: Any) -> dict[tuple[str, str], tuple[int | None, int, int]]:
    """Return new and cumulative downloads and models, by group and period, of tracked models."""
    models = {m: facts for m, facts in seeds.MODELS.items() if facts[3] and COUNTERS[m]}
    members: dict[str, list[str]] = defaultdict(list)
    for model, facts in models.items():
        key = model if by == "model" else facts[GROUP[by] or 0] or UNSAID[by]
        members[str(key)].append(model)
    found = {}
    for group, inside in members.items():
        for period in sorted({begin(day) for model in inside for day in COUNTERS[model]}):
            seen = {m: [d for d in COUNTERS[m] if begin(d) == period] for m in inside}
            new = [
                COUNTERS[m][day] - COUNTERS[m][day - timedelta(days=1)]
                for m, days in seen.items()
                for day in days
                if day - timedelta(days=1) in COUNTERS[m]
            ]
            last = [
                max((n for d, n in COUNTERS[m].items() if begin(d) <= period), default=0)
                for m in inside
            ]
            found[group, period.isoformat()] = (
                sum(new) if new else None,
                sum(last),
                sum(1 for days in seen.values() if days),
            )
    return found


BEGINNINGS = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


@pytest.mark.parametrize("by", GROUP)
@pytest.mark.parametrize("interval", BEGINNINGS)
def test_downloads_are_sums_of_observations(api: httpx.Client, by: str, interval: str) -> None:
    found = {
        (row["group"], row["period"]): (row["downloads"], row["cumulative"], row["models"])
        for row in rows(api, by=by, interval=interval)
    }
    assert found == expected(by, BEGINNINGS[interval])


def test_one_model_between_two_days(api: httpx.Client) -> None:
    found = rows(api, model="qi/Big-300B", since="2026-02-01", until="2026-02-10")
    series = COUNTERS["qi/Big-300B"]
    days = [date(2026, 2, 1) + timedelta(days=n) for n in range(10)]
    assert [(row["period"], row["cumulative"]) for row in found] == [
        (day.isoformat(), series[day]) for day in days
    ]


def test_untracked_model_is_included_if_named(api: httpx.Client) -> None:
    assert rows(api, model="am/Untracked-1B", interval="month")
    named = {row["group"] for row in rows(api, interval="month")}
    assert "am/Untracked-1B" not in named
    named = {row["group"] for row in rows(api, interval="month", untracked=True)}
    assert "am/Untracked-1B" in named


def test_as_of_excludes_later_observations(api: httpx.Client) -> None:
    model, series = "qi/Big-300B", COUNTERS["qi/Big-300B"]
    before_noon = rows(api, model=model, as_of="2026-03-02T11:59:59.999Z")
    at_noon = rows(api, model=model, as_of="2026-03-02T12:00:00Z")
    all_day = rows(api, model=model, as_of="2026-03-02")
    assert before_noon[-1]["period"] == "2026-03-01"
    assert before_noon[-1]["cumulative"] == series[date(2026, 3, 1)]
    assert at_noon[-1]["cumulative"] == series[date(2026, 3, 2)]
    assert at_noon == all_day
    assert at_noon[:-1] == before_noon


def test_other_source_is_another_series(api: httpx.Client) -> None:
    found = rows(api, model=seeds.MODELSCOPE_ONLY, source="modelscope", interval="month")
    assert {row["cumulative"] for row in found} == {seeds.ON_MODELSCOPE[seeds.MODELSCOPE_ONLY]}
    assert rows(api, model=seeds.MODELSCOPE_ONLY) == []
