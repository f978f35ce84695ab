"""The figures of every chart equal plain sums over the seed data."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from fractions import Fraction
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from click.testing import CliRunner

from breakout.cli.chart import chart as command
from breakout.clickhouse.charts import ChartError, load_chart, load_charts
from breakout.clickhouse.client import reader_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.support.download_rows import download_rows
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

CHARTS = load_charts()
Row = dict[str, Any]
Ask = Callable[..., list[Row]]
Observed = Callable[[date, date], Settings]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("charts")) as server:
        yield server


def database(server: ClickHouseServer, name: str, tables: dict[str, list[Row]]) -> Settings:
    """Create a database with these rows."""
    settings = Settings(clickhouse_url=f"{server.url}/{name}")
    migrate(settings)
    client = clickhouse_connect.get_client(host="127.0.0.1", port=server.port, database=name)
    for table, rows in tables.items():
        insert(client, table, *rows)
    client.close()
    return settings


@pytest.fixture(scope="module")
def world(server: ClickHouseServer) -> Settings:
    return database(server, "breakout", seeds.rows())


@pytest.fixture(scope="module")
def nothing(server: ClickHouseServer) -> Settings:
    return database(server, "nothing", {})


@pytest.fixture(scope="module")
def observed(server: ClickHouseServer) -> Observed:
    """Return a function that creates a database with the observations of a range of days."""

    @cache
    def between(first: date, last: date) -> Settings:
        some = [one for one in seeds.observations() if first <= one.at.date() <= last]
        tables = {"models_log": seeds.rows()["models_log"], **download_rows(some)}
        return database(server, f"observed_{first:%m%d}_{last:%m%d}", tables)

    return between


def answers(settings: Settings, name: str, **chosen: str) -> list[Row]:
    chart = load_chart(name)
    with closing(reader_client(settings)) as client:
        return list(client.query(chart.sql, parameters=chart.values(chosen)).named_results())


@pytest.fixture
def ask(world: Settings) -> Ask:
    return partial(answers, world)


@pytest.mark.parametrize("name", CHARTS)
def test_columns_and_parameters_are_documented(name: str, ask: Ask) -> None:
    chart = CHARTS[name]
    found = ask(name)
    assert found, "no rows with default parameters"
    assert list(found[0]) == list(chart.columns)
    assert all(isinstance(row["whole"], bool) for row in found if "whole" in row)
    used = set(re.findall(r"\{(\w+):([\w()]+)\}", chart.sql))
    assert used == {(one.name, one.type) for one in chart.parameters}


@pytest.mark.parametrize("name", CHARTS)
def test_sources_are_known(name: str, world: Settings) -> None:
    with closing(reader_client(world)) as client:
        known = {source for (source,) in client.query("SELECT source FROM sources").result_rows}
    assert set(CHARTS[name].sources) <= known


@pytest.mark.parametrize("name", CHARTS)
def test_chart_of_an_empty_database_is_empty(name: str, nothing: Settings) -> None:
    assert answers(nothing, name) == []


GRID = seeds.grid()
TRACKED = {model_id: facts for model_id, facts in seeds.MODELS.items() if facts[3]}
LAST = seeds.LAST - timedelta(days=1)
"""The last day of the grid: the counters of its end are known at noon of the next."""
DAYS = [seeds.FIRST + timedelta(days=n) for n in range((LAST - seeds.FIRST).days + 1)]


def total(model_id: str, day: date) -> int:
    """Return the downloads until the end of a day, the last of a model that is observed no more."""
    return max((count for at, count in GRID[model_id].items() if at <= day), default=0)


def new(model_id: str, month: date) -> int:
    """Return the new downloads of a month, without the first count of a model."""
    days = [day for day in GRID[model_id] if day.replace(day=1) == month]
    first = min(GRID[model_id], default=None)
    return sum(
        GRID[model_id][day] - GRID[model_id][day - timedelta(days=1)]
        for day in days
        if day != first
    )


def cumulative(group: int, day: date) -> dict[Any, int]:
    """Return downloads until the end of a day by organisation (0) or region (1)."""
    found: dict[Any, int] = defaultdict(int)
    for model_id, facts in TRACKED.items():
        found[facts[group]] += total(model_id, day)
    return {name: count for name, count in found.items() if count}


def test_cumulative_downloads_by_region(ask: Ask) -> None:
    rows = ask("cumulative_downloads_by_region")
    found = {(row["day"], row["region"]): row["downloads"] for row in rows}
    assert all(row["whole"] for row in rows)
    assert found == {
        (day, region or "unreviewed"): count
        for day in DAYS
        for region, count in cumulative(1, day).items()
    }


def test_cumulative_downloads_by_organisation(ask: Ask) -> None:
    found = {
        (row["day"], row["org"]): row["downloads"]
        for row in ask("cumulative_downloads_by_organisation", top="2")
    }
    latest = cumulative(0, LAST)
    greatest = sorted(latest, key=lambda org: -latest[org])[:2]
    assert found == {
        (day, org): count
        for day in DAYS
        for org, count in cumulative(0, day).items()
        if org in greatest
    }


def test_unobserved_organisation_keeps_its_last_count(ask: Ask) -> None:
    found = [row for row in ask("cumulative_downloads_by_organisation") if row["org"] == "old"]
    assert len(found) == len(DAYS)
    assert found[-1]["downloads"] == max(GRID["old/Gone-300B"].values())


MONTHS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)]
# Observed from the middle of January until the first of April.
WHOLE = dict(zip(MONTHS, (False, True, True, False), strict=True))


def monthly(month: date, size_bin: str | None = None) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for model_id, (org, _, own_bin, _) in TRACKED.items():
        if size_bin in (None, own_bin):
            found[org] += new(model_id, month)
    return {org: count for org, count in found.items() if count}


def test_monthly_downloads_by_organisation(ask: Ask) -> None:
    found: dict[date, dict[str, int]] = defaultdict(dict)
    whole = {}
    for row in ask("monthly_downloads_by_organisation"):
        found[row["month"]][row["org"]] = row["downloads"]
        whole[row["month"]] = row["whole"]
    assert found == {month: monthly(month) for month in MONTHS[:3]}
    assert whole == {month: WHOLE[month] for month in MONTHS[:3]}


def ranked(month: date, *size_bins: str | None) -> list[tuple[int, str, int]]:
    counts = {
        model_id: new(model_id, month)
        for model_id, facts in TRACKED.items()
        if not size_bins or facts[2] in size_bins
    }
    order = sorted((one for one in counts if counts[one]), key=lambda one: -counts[one])
    return [(rank, one, counts[one]) for rank, one in enumerate(order, start=1)]


def test_top_models_of_a_month(ask: Ask) -> None:
    found = ask("top_models_of_a_month")
    assert [(row["rank"], row["model_id"], row["downloads"]) for row in found] == ranked(MONTHS[2])
    assert {(row["month"], row["whole"]) for row in found} == {(MONTHS[2], True)}
    labels = {row["model_id"]: (row["org"], row["region"], row["size_bin"]) for row in found}
    assert labels["nowhere/New-300B"] == ("nowhere", "unreviewed", "250B+")
    assert labels["am/Sizeless"] == ("am", "us", "unknown")
    (best,) = ask("top_models_of_a_month", month="2026-02-11", size_bin="1-5B", top="1")
    assert (best["rank"], best["model_id"], best["downloads"]) == ranked(MONTHS[1], "1-5B")[0]


@pytest.mark.parametrize("month", MONTHS[:3])
def test_incomplete_month_is_marked(ask: Ask, month: date) -> None:
    found = ask("top_models_of_a_month", month=str(month))
    assert [(row["rank"], row["model_id"], row["downloads"]) for row in found] == ranked(month)
    assert {row["whole"] for row in found} == {WHOLE[month]}


@pytest.mark.parametrize("name", ["top_models_of_a_month", "organisation_against_catalogues"])
def test_latest_month_is_shown_if_none_is_complete(name: str, observed: Observed) -> None:
    found = answers(observed(seeds.FIRST, date(2026, 1, 29)), name)
    assert {(row["month"], row["whole"]) for row in found} == {(MONTHS[0], False)}


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        (date(2026, 1, 31), date(2026, 3, 1), True),
        # Its first day has nothing to compare with.
        (date(2026, 2, 1), date(2026, 3, 1), False),
        # Its last day may not be over.
        (date(2026, 1, 31), date(2026, 2, 28), False),
    ],
)
def test_month_is_complete_if_observed_beyond_both_ends(
    first: date, last: date, whole: bool, observed: Observed
) -> None:
    settings = observed(first, last)
    for name, chosen in (
        ("monthly_downloads_by_organisation", {}),
        ("size_bin_share_by_organisation", {}),
        ("top_models_of_a_month", {"month": "2026-02-01"}),
        ("organisation_against_catalogues", {"month": "2026-02-01"}),
    ):
        found = answers(settings, name, **chosen)
        said = {row["whole"] for row in found if row["month"] == MONTHS[1]}
        assert (name, said) == (name, {whole})


def test_size_bin_share_by_organisation(ask: Ask) -> None:
    big = {one: facts[0] for one, facts in TRACKED.items() if facts[2] == "250B+"}
    expected = {}
    for month in MONTHS[:3]:
        end = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        own, of_all = monthly(month, "250B+"), sum(total(one, end) for one in big)
        for org in set(big.values()):
            until_then = sum(total(one, end) for one in big if big[one] == org)
            if until_then:
                downloads = own.get(org)
                expected[month, org] = {
                    "downloads": downloads,
                    "share": None if downloads is None else downloads / sum(own.values()),
                    "cumulative": until_then,
                    "cumulative_share": until_then / of_all,
                    "whole": WHOLE[month],
                }
    found = {
        (row.pop("month"), row.pop("org")): row for row in ask("size_bin_share_by_organisation")
    }
    assert found == expected
    # Nobody has seen it since January: that is not zero downloads.
    assert found[MONTHS[1], "old"]["downloads"] is None


def derived(group: int) -> dict[date, dict[str, int]]:
    """Return derivatives by month of creation and organisation (0) or region (1) of the base."""
    found: dict[date, dict[str, int]] = {month: defaultdict(int) for month in MONTHS}
    for parents, _, day, downloads in seeds.DERIVED.values():
        for _, facts in sorted(
            {seeds.MODELS[one][0]: seeds.MODELS[one] for one in parents}.items()
        ):
            if downloads > 5:
                found[day.replace(day=1)][str(facts[group] or "unreviewed")] += 1
    return found


@pytest.mark.parametrize(
    ("name", "column", "group"),
    [("derivative_share_by_organisation", "org", 0), ("derivative_share_by_region", "region", 1)],
)
def test_derivative_shares(ask: Ask, name: str, column: str, group: int) -> None:
    born, until_then = derived(group), Counter[str]()
    everybody = {one for month in born.values() for one in month}
    expected = {}
    for month, counts in born.items():
        until_then.update(counts)
        for one in everybody:
            expected[month, one] = {
                "new": counts.get(one, 0),
                "share_of_new": counts.get(one, 0) / sum(counts.values()) if counts else None,
                "cumulative": until_then[one],
                "share_of_cumulative": until_then[one] / until_then.total(),
                "whole": month != MONTHS[3],
            }
    found = {(row.pop("month"), row.pop(column)): row for row in ask(name)}
    assert found == expected
    # A merge of models of two organisations counts for both.
    assert sum(born[MONTHS[2]].values()) == 4


def test_share_of_top_organisations_is_of_all_derivatives(ask: Ask) -> None:
    found = ask("derivative_share_by_organisation", top="1")
    # As many as of qi: of equals the first by name.
    assert {row["org"] for row in found} == {"am"}
    assert found[-1]["share_of_cumulative"] == 3 / 8


def month_tokens(month: date, *slugs: str) -> int:
    return sum(
        count
        for (day, slug), count in seeds.tokens().items()
        if slug in slugs and day.replace(day=1) == month
    )


ALL_OPEN = {
    "china": ("qi/big", "qi/big:free"),
    "us": ("am/huge",),
    "unreviewed": ("loose/weights", *seeds.LITTLE_USED),
}


def test_inference_shares(ask: Ask) -> None:
    for row in ask("open_inference_share"):
        is_open = month_tokens(row["month"], *chain(*ALL_OPEN.values()))
        closed = month_tokens(row["month"], seeds.CLOSED)
        assert (row["open_tokens"], row["closed_tokens"]) == (is_open, closed)
        assert row["whole"] == (row["month"] != MONTHS[3])
        assert row["open_share"] == pytest.approx(float(Fraction(is_open, is_open + closed)))
        unknown = Fraction(month_tokens(row["month"], seeds.UNKNOWN), is_open + closed)
        bound = unknown * max(1 - Fraction(closed, is_open + closed), Fraction(1, 2))
        assert row["error_bound"] == pytest.approx(float(bound / (1 + unknown)))


def test_inference_of_top_ten_by_region(ask: Ask) -> None:
    # Both names of qi are one model, so the two least used of twelve models are excluded.
    ten = ALL_OPEN | {"unreviewed": ("loose/weights", *list(seeds.LITTLE_USED)[-7:])}
    expected = {}
    for month in MONTHS[1:]:
        of_all = month_tokens(month, *chain(*ten.values()))
        for region, slugs in ten.items():
            own = month_tokens(month, *slugs)
            expected[month, region] = {
                "models": {"china": 1, "us": 1, "unreviewed": 8}[region],
                "tokens": own,
                "share": pytest.approx(float(Fraction(own, of_all))),
                "whole": WHOLE[month],
            }
    found = ask("inference_share_by_region_of_top_models")
    assert {(row.pop("month"), row.pop("region")): row for row in found} == expected


def test_inference_by_organisation(ask: Ask) -> None:
    orgs = {"qi": "china", "am": "us", "unreviewed": "unreviewed"}
    expected = {}
    for month in MONTHS[1:]:
        of_open = month_tokens(month, *chain(*ALL_OPEN.values()))
        classified = of_open + month_tokens(month, seeds.CLOSED)
        for org, region in orgs.items():
            own = month_tokens(month, *ALL_OPEN[region])
            expected[month, org] = {
                "tokens": own,
                "share_of_open": pytest.approx(float(Fraction(own, of_open))),
                "share_of_classified": pytest.approx(float(Fraction(own, classified))),
                "whole": WHOLE[month],
            }
    found = ask("inference_share_by_organisation")
    assert {(row.pop("month"), row.pop("org")): row for row in found} == expected
    greatest = ask("inference_share_by_organisation", top="1")
    assert [(row["month"], row["org"]) for row in greatest] == [
        (month, "qi") for month in MONTHS[1:]
    ]


@pytest.mark.parametrize("name", ["best_rating_by_region", "best_index_by_region"])
def test_best_ratings(ask: Ask, name: str) -> None:
    versions = 1 if name == "best_rating_by_region" else 2
    found = ask(name)
    assert len(found) == 3 * 3 * versions
    best = {"china": ("qi/big", 0), "us": ("am/huge", 1), "unreviewed": ("loose/weights", 2)}
    for row in found:
        expected, number = best[row["region"]]
        week = (row["published_on"] - seeds.FIRST).days // 7
        assert (row["name"], row["rating"]) == (expected, 1000 + 10 * week + number)


def test_ram_curves(ask: Ask) -> None:
    breakout = ask("ram_curves")
    assert {row["model_id"] for row in breakout} == {"qi/Big-300B"}
    assert [row["ram"] for row in breakout] == [1.5] * 9
    both = ask("ram_curves", models="qi/Big-300B, am/Huge-400B")
    assert {(row["model_id"], row["ram"]) for row in both} == {
        ("qi/Big-300B", 1.5),
        ("am/Huge-400B", 0.5),
    }


def against(org: str, top: int, *months: date) -> list[tuple[str, int, int | None]]:
    """Return organisation, downloads, and the running total of the others."""
    counts = {one: sum(new(one, month) for month in months) for one in TRACKED}
    own = sorted((counts[one] for one in TRACKED if TRACKED[one][0] == org), reverse=True)
    catalogues = Counter[str]()
    for one, count in counts.items():
        if TRACKED[one][0] != org and count:
            catalogues[TRACKED[one][0]] += count
    found: list[tuple[str, int, int | None]] = [(org, sum(own[:top]), None)]
    together = 0
    for other, count in catalogues.most_common():
        together += count
        found.append((other, count, together))
    return found


def compared(rows: list[Row]) -> list[tuple[str, int, int | None]]:
    assert [row["catalogue"] for row in rows] == [
        "top models",
        *["whole catalogue"] * (len(rows) - 1),
    ]
    return [(row["who"], row["downloads"], row["together"]) for row in rows]


def test_top_models_against_whole_catalogues(ask: Ask) -> None:
    march = ask("organisation_against_catalogues", org="qi", top="1")
    assert compared(march) == against("qi", 1, MONTHS[2])
    assert {(row["month"], row["whole"]) for row in march} == {(MONTHS[2], True)}
    greatest = max(monthly(MONTHS[2]).items(), key=lambda item: item[1])[0]
    assert compared(ask("organisation_against_catalogues")) == against(greatest, 5, MONTHS[2])


def test_catalogues_over_several_months(ask: Ask) -> None:
    name = "organisation_against_catalogues"
    latest = ask(name, org="qi", top="1", months="2")
    assert compared(latest) == against("qi", 1, *MONTHS[1:3])
    assert {(row["month"], row["months"], row["whole"]) for row in latest} == {(MONTHS[1], 2, True)}
    begun = ask(name, org="qi", months="2", month="2026-03-01")
    assert compared(begun) == against("qi", 5, *MONTHS[2:])
    assert {row["whole"] for row in begun} == {False}


def test_catalogues_of_chosen_organisations(ask: Ask) -> None:
    name = "organisation_against_catalogues"
    found = ask(name, org="qi", against="nowhere, am", others="0")
    assert compared(found) == against("qi", 5, MONTHS[2])
    (own, other) = ask(name, org="qi", against="nowhere")
    assert (own["who"], other["who"]) == ("qi", "nowhere")
    assert ask(name, org="Qi") == []


def test_family_totals(ask: Ask) -> None:
    found = ask("family_totals", top="100")
    assert {row["model_id"] for row in found} == set(TRACKED)
    for row in found:
        added: dict[str | None, int] = defaultdict(int)
        counted = 0
        for parents, relation, _, downloads in seeds.DERIVED.values():
            # Five downloads are not more than five.
            if row["model_id"] in parents and downloads > 5:
                added[relation] += downloads
                counted += 1
        own = max(seeds.counters()[row["model_id"]].values(), default=None)
        for relation in ("quantized", "finetune", "adapter", "merge", None):
            assert row[f"{relation or 'unknown'}_downloads"] == added[relation]
        family = None if own is None else own + sum(added.values())
        assert (row["own_downloads"], row["family_downloads"]) == (own, family)
        assert row["derivatives"] == counted
        share = None if family is None else sum(added.values()) / family
        assert row["share_of_derivatives"] == share
    # Its derivatives are known, its own downloads are not: that has no rank.
    assert found[-1]["model_id"] == seeds.MODELSCOPE_ONLY
    sizes = [row["family_downloads"] for row in found[:-1]]
    assert sizes == sorted(sizes, reverse=True)


def test_downloads_by_source(ask: Ask) -> None:
    order = ("qi/Small-1B", seeds.MODELSCOPE_ONLY, "qi/Big-300B")
    assert ask("downloads_by_source") == [
        {
            "model_id": one,
            "huggingface": (own := max(seeds.counters()[one].values(), default=None)),
            "modelscope": seeds.ON_MODELSCOPE[one],
            "ratio": None if own is None else seeds.ON_MODELSCOPE[one] / own,
        }
        for one in order
    ]


def run(world: Settings, *arguments: str, columns: int = 200) -> Any:
    environment = {
        "CLICKHOUSE_URL": world.clickhouse_url,
        "BREAKOUT_LOG_FORMAT": "json",
        "COLUMNS": str(columns),
    }
    return CliRunner(env=environment).invoke(command, arguments)


def test_command_shows_a_chart_with_citations(world: Settings) -> None:
    shown = run(world, "family_totals", "--set", "top=1")
    assert shown.exit_code == 0, shown.output
    assert "am/Sizeless" in shown.output
    assert "qi/" not in shown.output
    assert "Interconnects-AI/tracked-models, as of 2026-04-01T12:00:00Z" in shown.output
    as_json = json.loads(run(world, "open_inference_share", "--format", "json").output)
    assert as_json["sources"] == [
        "Source: OpenRouter (openrouter.ai/rankings), as of 2026-04-01T12:00:00Z."
    ]
    assert as_json["rows"][0]["open_tokens"] == month_tokens(MONTHS[1], *chain(*ALL_OPEN.values()))
    as_csv = run(world, "top_models_of_a_month", "--format", "csv")
    assert (
        as_csv.stdout.splitlines()[0] == "rank,model_id,org,region,size_bin,downloads,month,whole"
    )


def test_command_cites_a_chart_in_every_format(world: Settings) -> None:
    chosen = ("open_inference_share", "--format")
    table, as_csv, as_json = (run(world, *chosen, style) for style in ("table", "csv", "json"))
    cited = json.loads(as_json.output)["citation"]
    assert "chart open_inference_share, definitions 1, as of 2026-04-01T12:00:00.000Z" in cited
    assert "OpenRouter rankings (CC BY 4.0)" in cited
    assert json.loads(as_json.output)["bibtex"].startswith("@misc{breakout-chart-open-")
    assert as_csv.stderr.strip() == cited
    assert "Breakout" not in as_csv.stdout
    assert f"Cite as: {cited}" in table.output
    chosen_values = run(world, "family_totals", "--set", "top=1", "--format", "csv").stderr
    assert "chart family_totals (top=1)" in chosen_values


def test_table_shows_the_latest_days_and_the_first_ranks(world: Settings) -> None:
    over_time = run(world, "cumulative_downloads_by_region").output
    assert str(LAST) in over_time
    assert str(seeds.FIRST) not in over_time
    rows = 4 * len(DAYS) - (seeds.STARTS["nowhere/New-300B"] - seeds.FIRST).days
    assert f"The last 40 of {rows} rows; --format csv prints all of them." in over_time
    ranking = run(world, "ram_curves", "--set", "models=qi/Big-300B,am/Huge-400B").output
    assert ranking.index("am/Huge-400B") < ranking.index("qi/Big-300B")


def test_long_ranking_shows_its_first_ranks(
    world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breakout.cli.chart.MAX_TABLE_ROWS", 2)
    shown = run(world, "top_models_of_a_month").output
    places = ranked(MONTHS[2])
    assert [one in shown for _, one, _ in places] == [True, True, *[False] * (len(places) - 2)]
    assert f"The first 2 of {len(places)} rows" in shown


def test_table_writes_numbers_as_the_leaderboard_does(world: Settings) -> None:
    share = run(world, "open_inference_share").output.splitlines()
    assert share[1].split()[:3] == ["month", "open_share", "error_bound"]
    assert re.fullmatch(r"2026-02-01 +[\d.]+% +[\d.]+% +0\.\d+ +[\d,]+ +[\d,]+ +yes *", share[2])
    curve = run(world, "ram_curves", "--set", "models=qi/Big-300B").output
    assert "  1.50x  " in curve


def test_narrow_table_truncates_nothing(world: Settings) -> None:
    shown = run(world, "family_totals", columns=70).output
    assert "…" not in shown
    assert "..." not in shown


def test_empty_chart_shows_the_chosen_parameters(world: Settings, nothing: Settings) -> None:
    none = run(world, "top_models_of_a_month", "--set", "month=2020-01-01")
    assert none.exit_code == 0
    assert "No rows for month=2020-01-01 (first day of the month; " in none.output
    assert "No rows yet." in run(nothing, "size_bin_share_by_organisation").output


def test_command_lists_all_charts() -> None:
    listed = CliRunner().invoke(command, []).output
    for name, one in CHARTS.items():
        assert re.search(rf"^{name} +{re.escape(one.title)}$", listed, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nonsense"], 'Unknown chart "nonsense". Choose one of: best_index_by_region, '),
        (
            ["family_totals", "--set", "bottom=3"],
            'Unknown parameter of family_totals "bottom". Choose one of: top',
        ),
        (
            ["best_rating_by_region", "--set", "top=3"],
            'Unknown parameter "top": best_rating_by_region has none',
        ),
        (["family_totals", "--set", "3"], "must be NAME=VALUE, got '3'"),
        (["family_totals", "--set", "top=1", "--set", "top=2"], "top is set twice: '1' and '2'"),
        (["family_totals", "--set", "top=-1"], "invalid top '-1': use a whole number from 0"),
        (["family_totals", "--set", "top=4294967296"], "invalid top '4294967296'"),
        (["family_totals", "--set", "top="], "invalid top '': use a whole number from 0"),
        # ClickHouse would take it as a day of another year.
        (["top_models_of_a_month", "--set", "month=2026-13-45"], "use a day, YYYY-MM-DD"),
        (["top_models_of_a_month", "--set", "month=20260301"], "use a day, YYYY-MM-DD"),
        (["top_models_of_a_month", "--set", "month=1969-12-31"], "invalid month '1969-12-31'"),
        (
            ["size_bin_share_by_organisation", "--set", "size_bin=250b"],
            'Unknown size bin "250b". Did you mean "250B+", ',
        ),
        (
            ["ram_curves", "--set", "models=qi/Big-300B,foo/bar"],
            'models: Unknown model "foo/bar".',
        ),
        (["ram_curves", "--set", "models=qi/big-300b"], 'Did you mean "qi/Big-300B"?'),
        (
            ["ram_curves", "--set", "baseline=lively"],
            'baseline: Unknown baseline "lively". Did you mean "live"? Choose one of: live, ',
        ),
        (
            ["organisation_against_catalogues", "--set", "against=am,Qi"],
            'against: Unknown organisation "Qi". Did you mean "qi"?',
        ),
    ],
)
def test_invalid_arguments_list_the_valid_ones(
    world: Settings, arguments: list[str], why: str
) -> None:
    refused = run(world, *arguments)
    assert refused.exit_code == 2
    assert why in refused.output


HEAD = "-- title: T\n-- description: D\n-- sources: arena\n"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("-- title: T\n-- description: D\n", "missing line '-- sources: ...'"),
        (HEAD + "-- parameter top: places\n", "cannot parse the line '-- parameter top: places'"),
        (HEAD + "-- colum day: UTC day\n", "cannot parse the line '-- colum day: UTC day'"),
        (HEAD + "-- just words\n", "cannot parse the line '-- just words'"),
    ],
)
def test_invalid_header_is_named(head: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "odd.sql").write_text(f"{head}SELECT 1\n")
    with pytest.raises(ChartError, match=re.escape(f"odd.sql: {why}")):
        load_charts(tmp_path)


def test_comment_within_the_query_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text(f"{HEAD}-- parameter n UInt32 = 7: N\nSELECT\n-- why\n1\n")
    chart = load_charts(tmp_path)["one"]
    assert chart.sql == "SELECT\n-- why\n1"
    assert chart.values({}) == {"n": "7"}
