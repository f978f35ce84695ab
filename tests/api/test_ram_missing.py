"""Each reason for which a model has no RAM."""

from contextlib import closing
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from breakout.clickhouse.client import reader_client, writer_client
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.breakout.cli.seed import insert
from tests.support.embedded_servers import ClickHouseServer

BIN = "10-50B"
RELEASED = date(2026, 2, 1)
AT = ram_world.LAST
Reasons = tuple[str | None, str | None, str | None, str | None]

FACTS: dict[str, dict[str, Any]] = {
    "no/size": {"size_bin": None},
    "no/agreement": {"size_bin": None, "size_disputed": True},
    "no/date": {"released_at": None},
    "no/counter": {},
    "no/release-yet": {"released_at": date(2026, 4, 1)},
    "no/longer-young": {"released_at": date(2024, 1, 1)},
    "no/peers": {"size_bin": "250B+"},
    "no/day": {},
    "no/regularity": {},
}
OBSERVED = set(FACTS) - {"no/size", "no/agreement", "no/date", "no/counter"}


def both(reason: str, detail: str) -> Reasons:
    """Return the same reason for RAM now and RAM by age."""
    return reason, detail, reason, detail


EXPECTED: dict[str, Reasons] = {
    "no/size": both("no_size", "unknown size"),
    "no/agreement": both("size_disputed", "disputed size"),
    "no/date": both("no_release_date", "unknown release date"),
    "no/counter": both("never_observed", "downloads never observed"),
    "no/release-yet": both("not_released", "not released yet"),
    "no/longer-young": both("too_old", "older than a year"),
    "no/peers": both("too_few_peers", "0 of 10 peers"),
    "no/day": (None, None, "no_whole_day", "no whole day observed yet"),
    "no/regularity": (None, None, "observed_too_seldom", "observed too seldom"),
}


@pytest.fixture(scope="module")
def api_of_missing(clickhouse: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/missing")
    ram_world.load(settings, ram_world.LAST, 1)
    with closing(writer_client(settings)) as client:
        for model_id, facts in FACTS.items():
            insert(
                client,
                "models_log",
                {
                    "model_id": model_id, "org": "no", "size_bin": BIN, "released_at": RELEASED,
                    "base_models": [], "tracked": True, "observed_at": AT, **facts,
                },
            )  # fmt: skip
        for model_id in sorted(OBSERVED):
            facts = {"size_bin": BIN, "released_at": RELEASED, **FACTS[model_id]}
            insert(
                client,
                "latest_log",
                {
                    **facts, "model_id": model_id, "tracked": True, "observed_at": AT,
                    "cumulative": 500, "capped": None, "known": 1, "version": 1,
                },
            )  # fmt: skip
        for model_id, basis in (("no/peers", "observed"), ("no/regularity", "gap")):
            days = [
                {
                    "model_id": model_id, "source": "huggingface",
                    "day": RELEASED + timedelta(days=n),
                    "cumulative": 100 * n, "downloads": 100, "correction": 0, "basis": basis,
                    "known_at": AT, "withdrawn": 0, "version": 1,
                }
                for n in range(5)
            ]  # fmt: skip
            insert(client, "daily_log", *days)
    with (
        serving(tmp_path_factory.mktemp("missing"), settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client_of_api,
    ):
        yield client_of_api, settings


def reasons(client: httpx.Client, **asked: Any) -> dict[str, Reasons]:
    response = client.get("/v1/ram/missing", params={"limit": 1000, **asked})
    assert response.status_code == 200, response.text
    return {
        row["model_id"]: (row["reason"], row["detail"], row["curve_reason"], row["curve_detail"])
        for row in response.json()["data"]
    }


@pytest.mark.parametrize("model_id", FACTS)
def test_reason(api_of_missing: tuple[httpx.Client, Settings], model_id: str) -> None:
    client, _ = api_of_missing
    assert reasons(client, model=model_id) == {model_id: EXPECTED[model_id]}
    assert reasons(client, org="no")[model_id] == EXPECTED[model_id]


@pytest.mark.parametrize("baseline", ["live", "live_fixed", "live_cutoff"])
def test_models_with_ram_are_not_missing(
    api_of_missing: tuple[httpx.Client, Settings], baseline: str
) -> None:
    client, settings = api_of_missing
    found = reasons(client, baseline=baseline)
    with closing(reader_client(settings)) as sql:
        asked = {"baseline": baseline}
        now = sql.query(
            "SELECT model_id FROM ram_now WHERE baseline = {baseline:String} AND ram IS NOT NULL",
            parameters=asked,
        ).result_columns
        by_age = sql.query(
            "SELECT DISTINCT model_id FROM ram "
            "WHERE baseline = {baseline:String} AND ram IS NOT NULL",
            parameters=asked,
        ).result_columns
        models = {row[0] for row in sql.query("SELECT model_id FROM models").result_rows}
    without_now = {model_id for model_id, (reason, *_) in found.items() if reason}
    without_curve = {model_id for model_id, (_, _, reason, _) in found.items() if reason}
    assert without_now == models - set(now[0] if now else ())
    assert without_curve == models - set(by_age[0] if by_age else ())


def test_ram_of_too_few_peers_says_how_many(
    api_of_missing: tuple[httpx.Client, Settings],
) -> None:
    client, settings = api_of_missing
    with closing(reader_client(settings)) as sql:
        rows = sql.query(
            "SELECT model_id, peers FROM ram_now WHERE baseline = 'live' AND ram IS NULL"
        ).result_rows
    assert rows
    found = reasons(client)
    for model_id, number in rows:
        assert found[model_id][:2] == ("too_few_peers", f"{number} of 10 peers")
