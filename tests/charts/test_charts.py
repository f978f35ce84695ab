"""Every chart's numbers, against plain sums over the same small world."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import clickhouse_connect
import pytest
from click.testing import CliRunner

from breakout.charts import load_chart, load_charts
from breakout.cli.chart import chart as command
from breakout.migrations import migrate
from breakout.settings import Settings
from tests.charts import seeds
from tests.embedded_servers import running_clickhouse

CHARTS = load_charts()
Row = dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running_clickhouse(tmp_path_factory.mktemp("charts")) as server:
        settings = Settings(clickhouse_url=f"{server.url}/breakout")
        migrate(settings)
        client = clickhouse_connect.get_client(
            host="127.0.0.1", port=server.port, database="breakout"
        )
        for table, rows in seeds.rows().items():
            columns = list(rows[0])
            client.insert(table, [[row[name] for name in columns] for row in rows], columns)
        client.close()
        yield settings


@pytest.fixture
def ask(world: Settings) -> Iterator[Any]:
    address = world.clickhouse
    client = clickhouse_connect.get_client(
        host=address.host, port=address.port, database=address.database
    )

    def rows(name: str, **chosen: str) -> list[Row]:
        chart = load_chart(name)
        answer = client.query(chart.sql, parameters=chart.values(chosen))
        return list(answer.named_results())

    yield rows
    client.close()


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_the_columns_and_parameters_it_documents(name: str, ask: Any) -> None:
    chart = CHARTS[name]
    found = ask(name)
    assert found, "with its defaults it shows something"
    assert list(found[0]) == list(chart.columns)
    used = set(re.findall(r"\{(\w+):([\w()]+)\}", chart.sql))
    assert used == {(one.name, one.type) for one in chart.parameters}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_names_known_sources(name: str, world: Settings) -> None:
    address = world.clickhouse
    client = clickhouse_connect.get_client(
        host=address.host, port=address.port, database=address.database
    )
    known = {source for (source,) in client.query("SELECT source FROM sources").result_rows}
    client.close()
    assert set(CHARTS[name].sources) <= known


COUNTERS = seeds.counters()
TRACKED = {model_id: facts for model_id, facts in seeds.MODELS.items() if facts[3]}
DAYS = [seeds.FIRST + timedelta(days=n) for n in range((seeds.LAST - seeds.FIRST).days + 1)]


def total(model_id: str, day: date) -> int:
    """Return the downloads until the end of a day: what was counted last."""
    return max((count for at, count in COUNTERS[model_id].items() if at <= day), default=0)


def new(model_id: str, month: date) -> int:
    """Return the new downloads of a month; what a model came with is not new."""
    days = [day for day in COUNTERS[model_id] if day.replace(day=1) == month]
    first = min(COUNTERS[model_id])
    return sum(
        COUNTERS[model_id][day] - COUNTERS[model_id][day - timedelta(days=1)]
        for day in days
        if day != first
    )


def test_cumulative_downloads_by_region(ask: Any) -> None:
    found = {(row["day"], row["region"]): row["downloads"] for row in ask(
        "cumulative_downloads_by_region"
    )}  # fmt: skip
    for day in DAYS:
        for region in ("us", "china", None):
            own = [one for one, facts in TRACKED.items() if facts[1] == region]
            expected = sum(total(one, day) for one in own)
            last = max(max(COUNTERS[one]) for one in own)
            if expected and day <= last:
                assert found.pop((day, region or "unreviewed")) == expected
    assert found == {}


def test_cumulative_downloads_by_organisation(ask: Any) -> None:
    found = ask("cumulative_downloads_by_organisation", top="2")
    last = {row["org"]: row["downloads"] for row in found if row["day"] == seeds.LAST}
    expected = {
        org: sum(total(one, seeds.LAST) for one, facts in TRACKED.items() if facts[0] == org)
        for org in ("qi", "am", "nowhere")
    }
    greatest = sorted(expected, key=lambda org: -expected[org])[:2]
    assert last == {org: expected[org] for org in greatest}


MONTHS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def monthly(month: date, size_bin: str | None = None) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for model_id, (org, _, own_bin, _) in TRACKED.items():
        if size_bin in (None, own_bin):
            found[org] += new(model_id, month)
    return {org: count for org, count in found.items() if count}


def test_monthly_downloads_by_organisation(ask: Any) -> None:
    found: dict[date, dict[str, int]] = defaultdict(dict)
    whole = {}
    for row in ask("monthly_downloads_by_organisation"):
        found[row["month"]][row["org"]] = row["downloads"]
        whole[row["month"]] = bool(row["whole"])
    assert found == {month: monthly(month) for month in MONTHS}
    assert whole == {MONTHS[0]: False, MONTHS[1]: True, MONTHS[2]: True}


def test_top_models_of_a_month(ask: Any) -> None:
    counts = {model_id: new(model_id, MONTHS[2]) for model_id in TRACKED}
    ranked = sorted(counts, key=lambda one: -counts[one])
    found = ask("top_models_of_a_month")
    assert [(row["rank"], row["model_id"], row["downloads"]) for row in found] == [
        (rank, one, counts[one]) for rank, one in enumerate(ranked, start=1)
    ]
    assert {row["month"] for row in found} == {MONTHS[2]}
    small = ask("top_models_of_a_month", month="2026-02-01", size_bin="1-5B", top="1")
    (best,) = small
    assert best["downloads"] == max(
        new(one, MONTHS[1]) for one, facts in TRACKED.items() if facts[2] == "1-5B"
    )


def test_size_bin_share_by_organisation(ask: Any) -> None:
    for row in ask("size_bin_share_by_organisation"):
        end = row["month"] + timedelta(days=31)
        end = end.replace(day=1) - timedelta(days=1)
        own = monthly(row["month"], "250B+")
        assert row["downloads"] == own.get(row["org"], 0)
        assert row["share"] == pytest.approx(row["downloads"] / sum(own.values()))
        big = {one: facts[0] for one, facts in TRACKED.items() if facts[2] == "250B+"}
        cumulative = sum(total(one, end) for one, org in big.items() if org == row["org"])
        assert row["cumulative"] == cumulative
        everybody = sum(total(one, end) for one in big)
        assert row["cumulative_share"] == pytest.approx(cumulative / everybody)


def test_derivative_shares(ask: Any) -> None:
    by_region = {(row["month"], row["region"]): row for row in ask("derivative_share_by_region")}
    january = by_region[MONTHS[0], "china"]
    assert (january["new"], january["cumulative"]) == (2, 2)
    assert january["share_of_new"] == pytest.approx(2 / 3)
    assert by_region[MONTHS[1], "china"]["share_of_new"] is None
    march = {region: by_region[MONTHS[2], region] for region in ("us", "china", "unreviewed")}
    # A merge of both counts for both.
    assert {region: row["new"] for region, row in march.items()} == {
        "us": 1, "china": 1, "unreviewed": 1,
    }  # fmt: skip
    assert march["china"]["share_of_cumulative"] == pytest.approx(3 / 6)
    found = ask("derivative_share_by_organisation", top="1")
    assert {row["org"] for row in found} == {"qi"}
    assert found[-1]["share_of_cumulative"] == pytest.approx(3 / 6)


def month_tokens(month: date, *slugs: str) -> int:
    return sum(
        count
        for (day, slug), count in seeds.tokens().items()
        if slug in slugs and day.replace(day=1) == month
    )


def test_inference_shares(ask: Any) -> None:
    for row in ask("open_inference_share"):
        is_open = month_tokens(row["month"], *seeds.OPEN, "qi/big:free")
        closed = month_tokens(row["month"], seeds.CLOSED)
        assert (row["open_tokens"], row["closed_tokens"]) == (is_open, closed)
        assert row["open_share"] == pytest.approx(float(Fraction(is_open, is_open + closed)))
        unknown = Fraction(month_tokens(row["month"], seeds.UNKNOWN), is_open + closed)
        bound = unknown * max(1 - Fraction(closed, is_open + closed), Fraction(1, 2))
        assert row["error_bound"] == pytest.approx(float(bound / (1 + unknown)))
        assert row["whole"]


def test_inference_by_region_and_organisation(ask: Any) -> None:
    slugs = {"china": ("qi/big", "qi/big:free"), "us": ("am/huge",), "unreviewed": (
        "loose/weights",
    )}  # fmt: skip
    for row in ask("inference_share_by_region_of_top_models"):
        own = month_tokens(row["month"], *slugs[row["region"]])
        assert row["tokens"] == own
        ten = sum(month_tokens(row["month"], *some) for some in slugs.values())
        assert row["share"] == pytest.approx(own / ten)
    found = ask("inference_share_by_organisation")
    assert {row["org"] for row in found} == {"qi", "am", "unknown"}
    assert sum(row["share_of_open"] for row in found) == pytest.approx(2)


@pytest.mark.parametrize("name", ["best_rating_by_region", "best_index_by_region"])
def test_best_ratings(ask: Any, name: str) -> None:
    versions = 1 if name == "best_rating_by_region" else 2
    found = ask(name)
    assert len(found) == 3 * 2 * versions
    best = {"china": ("qi/big", 0), "us": ("am/huge", 1)}
    for row in found:
        expected, number = best[row["region"]]
        week = (row["published_on"] - seeds.FIRST).days // 7
        assert (row["name"], row["rating"]) == (expected, 1000 + 10 * week + number)


def test_ram_curves(ask: Any) -> None:
    breakout = ask("ram_curves")
    assert {row["model_id"] for row in breakout} == {"qi/Big-300B"}
    assert [row["ram"] for row in breakout] == [1.5] * 9
    both = ask("ram_curves", models="qi/Big-300B, am/Huge-400B")
    assert {(row["model_id"], row["ram"]) for row in both} == {
        ("qi/Big-300B", 1.5),
        ("am/Huge-400B", 0.5),
    }


def test_one_organisations_top_models_against_whole_catalogues(ask: Any) -> None:
    found = ask("organisation_against_catalogues", org="qi", top="1")
    best = max(new(one, MONTHS[2]) for one, facts in TRACKED.items() if facts[0] == "qi")
    catalogues = monthly(MONTHS[2])
    assert [(row["who"], row["catalogue"], row["downloads"]) for row in found] == [
        ("qi", "top models", best),
        *sorted(
            ((org, "whole catalogue", catalogues[org]) for org in ("am", "nowhere")),
            key=lambda row: -int(row[2]),
        ),
    ]


def test_family_totals(ask: Any) -> None:
    found = {row["model_id"]: row for row in ask("family_totals")}
    big = found["qi/Big-300B"]
    own = total("qi/Big-300B", seeds.LAST)
    assert (big["own_downloads"], big["derivatives"]) == (own, 3)
    assert (big["quantized_downloads"], big["finetune_downloads"]) == (50, 100)
    assert (big["adapter_downloads"], big["merge_downloads"]) == (0, 8)
    assert big["share_of_derivatives"] == pytest.approx(158 / (own + 158))
    # Five downloads are not more than five.
    assert found["qi/Small-1B"]["derivatives"] == 0


def test_downloads_by_source(ask: Any) -> None:
    found = {row["model_id"]: row for row in ask("downloads_by_source")}
    assert found.keys() == {"qi/Big-300B", "qi/Small-1B"}
    own = total("qi/Big-300B", seeds.LAST)
    assert (found["qi/Big-300B"]["huggingface"], found["qi/Big-300B"]["modelscope"]) == (
        own, own // 3,
    )  # fmt: skip


def run(world: Settings, *arguments: str) -> Any:
    environment = {"CLICKHOUSE_URL": world.clickhouse_url, "BREAKOUT_LOG_FORMAT": "json"}
    return CliRunner(env=environment).invoke(command, arguments)


def test_the_command_shows_a_chart_with_its_citations(world: Settings) -> None:
    shown = run(world, "family_totals", "--set", "top=1")
    assert shown.exit_code == 0, shown.output
    assert "am/Huge-400B" in shown.output or "qi/" in shown.output
    assert "Interconnects-AI/tracked-models, as of 2026-03-31T12:00:00Z" in shown.output
    as_json = json.loads(run(world, "open_inference_share", "--format", "json").output)
    assert as_json["sources"] == [
        "Source: OpenRouter (openrouter.ai/rankings), as of 2026-03-31T12:00:00Z."
    ]
    assert as_json["rows"][0]["open_tokens"] == month_tokens(MONTHS[1], *seeds.OPEN, "qi/big:free")
    as_csv = run(world, "top_models_of_a_month", "--format", "csv").output.splitlines()
    assert as_csv[0] == "rank,model_id,org,region,size_bin,downloads,month"


def test_the_command_lists_the_charts() -> None:
    listed = CliRunner().invoke(command, []).output
    for name, one in CHARTS.items():
        assert re.search(rf"^{name} +{re.escape(one.title)}$", listed, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nonsense"], "nonsense: no such chart; there are best_index_by_region, "),
        (["family_totals", "--set", "bottom=3"], "has no parameter bottom: it has top"),
        (["best_rating_by_region", "--set", "top=3"], "has no parameter top: it has none"),
        (["family_totals", "--set", "3"], "must be NAME=VALUE, got '3'"),
    ],
)
def test_a_wrong_choice_says_what_there_is(world: Settings, arguments: list[str], why: str) -> None:
    refused = run(world, *arguments)
    assert refused.exit_code == 2
    assert why in refused.output
