"""Downloads over time, against plain sums over daily counters."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import httpx
import pytest

from breakout.clickhouse.client import writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api.conftest import serving
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.support.download_rows import Observed, download_rows
from tests.support.embedded_servers import ClickHouseServer

GRID = seeds.grid()
GROUP = {"model": None, "org": 0, "region": 1, "size_bin": 2}
UNSAID = {"region": "unreviewed", "size_bin": "unknown"}


def rows(api: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    response = api.get("/v1/downloads", params=asked)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["data"]
    return found


def expected(by: tuple[str, ...], begin: Any) -> dict[tuple[str, str], tuple[int | None, int, int]]:
    """Return new and cumulative downloads and models, by group and period, of tracked models."""
    models = {m: facts for m, facts in seeds.MODELS.items() if facts[3] and GRID[m]}
    members: dict[str, list[str]] = defaultdict(list)
    for model in models:
        members[" / ".join(dimension(model, one) for one in by)].append(model)
    found = {}
    for group, inside in members.items():
        for period in sorted({begin(day) for model in inside for day in GRID[model]}):
            seen = {m: [d for d in GRID[m] if begin(d) == period] for m in inside}
            new = [
                GRID[m][day] - GRID[m][day - timedelta(days=1)]
                for m, days in seen.items()
                for day in days
                if day - timedelta(days=1) in GRID[m]
            ]
            last = [
                max((n for d, n in GRID[m].items() if begin(d) <= period), default=0)
                for m in inside
            ]
            found[group, period.isoformat()] = (
                sum(new) if new else None,
                sum(last),
                sum(1 for days in seen.values() if days),
            )
    return found


def dimension(model: str, by: str) -> str:
    return model if by == "model" else str(seeds.MODELS[model][GROUP[by] or 0] or UNSAID[by])


BEGINNINGS = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


@pytest.mark.parametrize("by", [*((one,) for one in GROUP), *permutations(GROUP, 2)], ids="-".join)
@pytest.mark.parametrize("interval", BEGINNINGS)
def test_downloads_are_sums_of_days(api: httpx.Client, by: tuple[str, ...], interval: str) -> None:
    answer = rows(api, by=",".join(by), interval=interval)
    found = {
        (row["group"], row["period"]): (row["downloads"], row["cumulative"], row["models"])
        for row in answer
    }
    assert len(found) == len(answer)
    assert found == expected(by, BEGINNINGS[interval])
    assert rows(api, by=list(by), interval=interval) == answer
    columns = {one: "model_id" if one == "model" else one for one in GROUP}
    for row in answer:
        named = {one: row[columns[one]] for one in GROUP}
        assert [named[one] for one in by] == row["group"].split(" / ")
        assert all(value is None for one, value in named.items() if one not in by)


def test_two_organisations_by_size_class_as_of_a_day(api: httpx.Client) -> None:
    found = rows(
        api, by="org,size_bin", org=["qi", "am"], interval="month", as_of="2026-03-20", limit=1000
    )
    # Counted at noon: on the 20th the downloads until the end of the 19th are known.
    until = date(2026, 3, 19)
    totals: dict[tuple[str, str, str], int] = defaultdict(int)
    for model, (org, _, size_bin, tracked) in seeds.MODELS.items():
        series = {day: count for day, count in GRID[model].items() if day <= until}
        if not tracked or org not in {"qi", "am"} or not series:
            continue
        for period in ("2026-01-01", "2026-02-01", "2026-03-01"):
            month = [count for day, count in series.items() if day.isoformat()[:7] <= period[:7]]
            totals[org, size_bin or "unknown", period] += max(month)
    assert {
        (row["org"], row["size_bin"], row["period"]): row["cumulative"] for row in found
    } == totals
    assert {row["period"]: row["whole"] for row in found} == {
        "2026-01-01": False, "2026-02-01": True, "2026-03-01": False,
    }  # fmt: skip


def test_merge_counts_for_the_wanted_family_alone(api: httpx.Client) -> None:
    found = rows(api, by="family", family="qi/Big-300B", interval="month", untracked=True)
    assert {row["group"] for row in found} == {row["family"] for row in found} == {"qi/Big-300B"}


def test_three_dimensions_are_rejected(api: httpx.Client) -> None:
    response = api.get("/v1/downloads?by=org,region&by=size_bin")
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "by"


def test_one_model_between_two_days(api: httpx.Client) -> None:
    found = rows(api, model="qi/Big-300B", since="2026-02-01", until="2026-02-10")
    series = GRID["qi/Big-300B"]
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
    model, series = "qi/Big-300B", GRID["qi/Big-300B"]
    before_noon = rows(api, model=model, as_of="2026-03-02T11:59:59.999Z")
    at_noon = rows(api, model=model, as_of="2026-03-02T12:00:00Z")
    all_day = rows(api, model=model, as_of="2026-03-02")
    # The end of a day is known at noon of the next.
    assert before_noon[-1]["period"] == "2026-02-28"
    assert before_noon[-1]["cumulative"] == series[date(2026, 2, 28)]
    assert at_noon[-1]["cumulative"] == series[date(2026, 3, 1)]
    assert at_noon == all_day
    assert at_noon[:-1] == before_noon


def test_other_source_is_another_series(api: httpx.Client) -> None:
    found = rows(api, model=seeds.MODELSCOPE_ONLY, source="modelscope", interval="month")
    assert {row["cumulative"] for row in found} == {seeds.ON_MODELSCOPE[seeds.MODELSCOPE_ONLY]}
    assert rows(api, model=seeds.MODELSCOPE_ONLY) == []


def test_raw_series_is_the_last_counter_of_each_day(api: httpx.Client) -> None:
    found = rows(api, model="qi/Big-300B", series="raw")
    counter = list(seeds.counters()["qi/Big-300B"].items())
    assert [(row["period"], row["cumulative"], row["downloads"]) for row in found] == [
        (day.isoformat(), count, None if before is None else count - before)
        for (day, count), before in zip(
            counter, [None, *(count for _, count in counter)], strict=False
        )
    ]


DAY = timedelta(days=1)
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
DAYS = 40
EQUAL = [f"big/model-{number:02}" for number in range(20)]
"""Models with 100 downloads a day."""
LATE = {"big/model-00": 3, "big/model-01": 2}
"""How many days before the last scrape they were last observed."""
GONE, DEAD, FALLEN = "small/gone", "small/dead", "other/fallen"


def observations() -> list[Observed]:
    """Return daily counters; `GONE` was observed for ten days, `FALLEN` falls for good once."""
    found = []
    for day in range(DAYS + 1):
        at = START + day * DAY
        found += [
            Observed(model, at, 1000 + 100 * day)
            for model in EQUAL
            if day <= DAYS - LATE.get(model, 0)
        ]
        found.append(Observed(DEAD, at, 5000 + 70 * min(day, 3)))
        found.append(Observed(FALLEN, at, 100_000 + 10 * day - (50_000 if day >= 20 else 0)))
        if day <= 10:
            found.append(Observed(GONE, at, 7000 + 300 * day))
    return found


@pytest.fixture(scope="module")
def edge(clickhouse: ClickHouseServer, tmp_path_factory: Any) -> Iterator[httpx.Client]:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/edge")
    migrate(settings)
    with closing(writer_client(settings)) as client:
        for table, found in download_rows(observations()).items():
            insert(client, table, *found)
        for model in (*EQUAL, GONE, DEAD, FALLEN):
            facts = {"org": model.partition("/")[0], "tracked": True, "observed_at": START}
            insert(client, "models_log", {"model_id": model, **facts})
    with (
        serving(tmp_path_factory.mktemp("edge"), settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def last_day(late: int = 0) -> str:
    """Return the last day of the grid of a model that was last observed days before the last."""
    return (START + (DAYS - late - 1) * DAY).date().isoformat()


def test_total_of_the_latest_days_tells_how_much_is_there(edge: httpx.Client) -> None:
    found = {row["period"]: row for row in rows(edge, org="big", by="org")}
    covered = {day: row["covered"] for day, row in found.items() if row["covered"] < 1}
    assert covered == {
        last_day(2): pytest.approx(0.95),
        last_day(1): pytest.approx(0.9),
        last_day(): pytest.approx(0.9),
    }
    assert [row["whole"] for row in found.values()][-4:] == [True, True, False, False]
    assert found[last_day()]["models"] == 18
    assert found[last_day()]["downloads"] == 18 * 100
    # The last values of the two are carried on.
    latest = 20 * (1000 + 100 * (DAYS - 1) + 75) - (3 + 2) * 100
    assert found[last_day()]["cumulative"] == latest


def test_begun_period_is_not_covered(edge: httpx.Client) -> None:
    (march, april) = rows(edge, org="big", by="org", interval="month")
    # It began with the day of the first scrape.
    assert (march["period"], march["covered"], march["whole"]) == ("2026-03-01", 1, False)
    assert (april["period"], april["covered"], april["whole"]) == ("2026-04-01", 0, False)


def test_model_that_is_observed_no_more_is_not_waited_for(edge: httpx.Client) -> None:
    small = rows(edge, org="small", by="org")
    assert {row["covered"] for row in small} == {1}
    assert small[-1]["period"] == last_day()
    assert small[-1]["cumulative"] == 5210 + 7000 + 300 * 9 + 225
    assert {row["covered"] for row in rows(edge, model=GONE, interval="month")} == {1}


def test_days_of_one_model_are_covered_as_far_as_they_go(edge: httpx.Client) -> None:
    found = rows(edge, model="big/model-00")
    assert found[-1]["period"] == last_day(3)
    assert {row["covered"] for row in found} == {1}


def test_correction_is_told_and_leaves_the_cumulative(edge: httpx.Client) -> None:
    found = rows(edge, model=FALLEN)
    fell = (START + 20 * DAY).date().isoformat()
    assert {row["period"]: row["correction"] for row in found if row["correction"]} == {
        fell: 50_000 - 10
    }
    for before, row in pairwise(found):
        grown = before["cumulative"] + row["downloads"] - row["correction"]
        assert row["cumulative"] == grown
    (month, _) = rows(edge, model=FALLEN, interval="month")
    assert month["correction"] == 50_000 - 10
    raw = {row["period"]: row for row in rows(edge, model=FALLEN, series="raw")}
    assert (raw[fell]["downloads"], raw[fell]["correction"]) == (0, 50_000 - 10)


def test_as_of_a_fall_of_which_nobody_knew_that_it_would_be_taken_back(
    clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    counts = [1000, 1100, 1200, 900, 950, 1500, 1600]
    settings = Settings(clickhouse_url=f"{clickhouse.url}/rollback")
    migrate(settings)
    seen = [Observed("a/b", START + day * DAY, count) for day, count in enumerate(counts)]
    with closing(writer_client(settings)) as client:
        for table, found in download_rows(seen).items():
            insert(client, table, *found)
        insert(client, "models_log", {"model_id": "a/b", "tracked": True, "observed_at": START})
    with (
        serving(tmp_path, settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        then = rows(client, as_of=(START + 4 * DAY).isoformat().replace("+00:00", "Z"))
        assert [row["correction"] for row in then] == [0, 0, 0, 300]
        now = rows(client)
        assert {row["correction"] for row in now} == {0}
        assert now[2]["downloads"] > 0
