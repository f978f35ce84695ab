"""The rows of every operation equal those of the public SQL views."""

import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from breakout.clickhouse.client import reader_client
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.support.embedded_servers import ClickHouseServer

TEXT = {"output_format_json_quote_64bit_integers": 0, "date_time_output_format": "iso"}
Case = tuple[str, dict[str, Any], str]

SEED_CASES: list[Case] = [
    ("models", {"org": ["qi", "old"]}, "SELECT * FROM models WHERE org IN ('qi', 'old')"),
    ("models", {"tracked": False}, "SELECT * FROM models WHERE NOT tracked"),
    ("models", {"search": "300b"}, "SELECT * FROM models WHERE model_id ILIKE '%300b%'"),
    ("models", {"size_bin": "unknown"}, "SELECT * FROM models WHERE size_bin IS NULL"),
    ("models", {"region": "unreviewed"}, "SELECT * FROM models WHERE region IS NULL"),
    (
        "downloads",
        {},
        (
            "SELECT model_id AS group, day AS period, downloads, cumulative, correction, "
            "1 AS models, 1. AS covered, toBool(day > '2026-01-15') AS whole FROM downloads_daily "
            "WHERE model_id IN (SELECT model_id FROM models WHERE tracked)"
        ),
    ),
    (
        "inference/share",
        {"interval": "day"},
        "SELECT *, day AS period, 1 AS days, true AS whole FROM inference_share",
    ),
    (
        "inference/share",
        {},
        "SELECT * REPLACE (toBool(whole) AS whole), month AS period FROM inference_share_monthly",
    ),
    (
        "inference/tokens",
        {"top": 3},
        "SELECT *, month AS period, model AS group FROM inference_models_monthly WHERE rank <= 3",
    ),
    ("derivatives", {}, "SELECT *, base_org AS org FROM derivatives_monthly"),
    ("families", {}, "SELECT * FROM families"),
    ("leaderboards", {}, "SELECT * FROM scores"),
    ("leaderboards", {"open": True}, "SELECT * FROM scores WHERE open"),
    (
        "leaderboards",
        {"best": True, "region": ["us", "china"]},
        "SELECT * FROM best_scores WHERE region IN ('us', 'china')",
    ),
    ("sources", {}, "SELECT * FROM sources"),
    ("organisations", {}, "SELECT * FROM organisations"),
]
RAM_CASES: list[Case] = [
    ("ram", {"baseline": name}, f"SELECT * FROM ram_now WHERE baseline = '{name}'")
    for name in ("live", "live_fixed")
] + [
    ("ram", {"min_age": 50.5, "tracked": True}, ("SELECT * FROM ram_now WHERE baseline = 'live' "
     "AND age_days >= 50.5 AND tracked")),
    ("ram/curves", {"org": "org1"}, ("SELECT * FROM ram WHERE baseline = 'live' AND model_id IN "
     "(SELECT model_id FROM models WHERE org = 'org1')")),
    ("ram/curves", {"age_days": [7, 8]}, ("SELECT * FROM ram WHERE baseline = 'live' "
     "AND age_days IN (7, 8)")),
    ("ram/milestones", {}, "SELECT * FROM ram_milestones WHERE baseline = 'live'"),
    ("baselines", {"baseline": ["live", "live_cutoff"]}, ("SELECT * FROM baselines "
     "WHERE baseline IN ('live', 'live_cutoff')")),
    ("breakouts", {}, "SELECT * FROM breakouts WHERE baseline = 'live'"),
    ("scrapes", {}, "SELECT * FROM scrapes"),
    ("scrapes", {"since": "2026-02-01", "source": "huggingface"}, ("SELECT * FROM scrapes "
     "WHERE toDate(observed_at) >= '2026-02-01'")),
    ("breakouts", {"status": "confirmed"}, ("SELECT * FROM breakouts WHERE baseline = 'live' "
     "AND status = 'confirmed'")),
    ("breakouts", {"lasting": False}, ("SELECT * FROM breakouts WHERE baseline = 'live' "
     "AND ended_at IS NOT NULL")),
    ("ram/curves", {"baseline": "live_cutoff"}, "SELECT * FROM ram WHERE baseline = 'live_cutoff'"),
    ("breakouts", {"baseline": "live_fixed"}, ("SELECT * FROM breakouts "
     "WHERE baseline = 'live_fixed'")),
]  # fmt: skip


def of_sql(settings: Settings, sql: str) -> list[dict[str, Any]]:
    with closing(reader_client(settings)) as client:
        text = client.raw_query(sql, fmt="JSONEachRow", settings=TEXT)
    return [json.loads(line) for line in text.splitlines()]


def table_of(response: httpx.Response) -> pa.Table:
    """Return the rows of a file with their types."""
    file = io.BytesIO(response.content)
    match response.url.params["format"]:
        case "csv":
            return csv.read_csv(file)
        case "parquet":
            return parquet.read_table(file)
    return pa.ipc.open_stream(file).read_all()


def compare(client: httpx.Client, settings: Settings, case: Case) -> None:
    path, asked, sql = case
    response = client.get(f"/v1/{path}", params=asked | {"limit": 100_000})
    assert response.status_code == 200, response.text
    rows, expected = response.json()["data"], of_sql(settings, sql)
    assert rows, "no rows to compare"
    shared = sorted(set(rows[0]) & set(expected[0]))
    assert len(shared) >= min(4, len(expected[0]))

    def picked(row: dict[str, Any]) -> str:
        # A double's text may differ in its last digit, where it was divided in another order.
        return json.dumps(
            [round(v, 9) if isinstance(v, float) else v for v in (row[name] for name in shared)]
        )

    assert sorted(map(picked, rows)) == sorted(map(picked, expected))


@pytest.mark.parametrize("case", SEED_CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_rows_equal_the_views(api: httpx.Client, world: Settings, case: Case) -> None:
    compare(api, world, case)


@pytest.mark.parametrize("case", RAM_CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_ram_rows_equal_the_views(ram_api: tuple[httpx.Client, Settings], case: Case) -> None:
    compare(*ram_api, case)


def test_scrape_counts_missing_models(ram_api: tuple[httpx.Client, Settings]) -> None:
    client, settings = ram_api
    # Written again, as by a worker that restarts.
    ram_world.load(settings, ram_world.LAST, 1)
    rows = client.get("/v1/scrapes", params={"limit": 1000}).json()["data"]
    missing = {row["observed_at"]: row["missing"] for row in rows if row["missing"] != 0}
    assert missing == {"2026-02-10T06:00:00.000Z": len(ram_world.MISSING)}
    assert len(rows) > 1


CITED = [
    "/v1/downloads?by=model",
    "/v1/downloads?by=org&interval=week",
    "/v1/ram",
    "/v1/ram/curves?limit=10000",
    "/v1/ram/milestones",
    "/v1/baselines?limit=10000",
    "/v1/breakouts",
]


def test_cited_figures_are_returned_again_after_new_observations(
    clickhouse: ClickHouseServer, tmp_path: Path
) -> None:
    settings = Settings(clickhouse_url=f"{clickhouse.url}/cited")
    ram_world.load(settings, ram_world.THEN, 1)
    with (
        serving(tmp_path, settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        before = {path: client.get(path) for path in CITED}
        files = [
            client.get(path, params=httpx.URL(path).params.set("format", output))
            for path in CITED
            for output in ("csv", "arrow", "parquet")
        ]
        ram_world.load(settings, ram_world.LAST, 2)
        now = {path: client.get(path).json()["data"] for path in CITED}
        changed = {path for path in CITED if now[path] != before[path].json()["data"]}
        assert changed == set(CITED) - {"/v1/ram/milestones"}
        for path, response in before.items():
            again = client.get(response.json()["self"])
            assert again.json() == response.json(), path
            assert again.headers["etag"] == response.headers["etag"]
        for response in files:
            # The latest figures are stored ones, those of a past moment are computed.
            again = client.get(response.headers["content-location"])
            assert table_of(again).equals(table_of(response), check_metadata=True), response.url
        refused = client.get("/v1/ram?baseline=live_cutoff&as_of=2026-02-10")
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["parameter"] == "as_of"
