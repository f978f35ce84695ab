"""Every query of the dashboards on the real schema: it runs, and gives what its panel draws."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import clickhouse_connect
import pytest

from breakout.clickhouse.client import reader_client, writer_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.grafana import world
from tests.grafana.expand import Chosen, interpolate, sql
from tests.grafana.files import DASHBOARDS, Place, annotations, overrides, panels, variables
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

CHOICES: dict[str, Chosen] = {
    "baseline": Chosen(("live",)),
    "models": Chosen((world.MODEL, "am/Huge-400B")),
    "model": Chosen((world.MODEL,)),
    "org": Chosen(("qi",)),
    "leaders_bin": Chosen(("250B+",)),
    "share_bin": Chosen(("250B+",)),
}
ALL_MODELS = {**CHOICES, "models": Chosen((), all_value="''")}
SQL = [
    (place, target) for place in panels() for target in place.panel["targets"] if "rawSql" in target
]
each_query = pytest.mark.parametrize(
    ("place", "target"), SQL, ids=[f"{place} {target['refId']}" for place, target in SQL]
)
DRAWN = re.compile(
    r"(LowCardinality\()?(Nullable\()?"
    r"(String|U?Int(8|16|32|64)|Float64|Bool|Date|DateTime(64\(3, 'UTC'\)|\('UTC'\))?)\)*"
)
"""What the plugin turns into a field of Grafana."""
NUMBER = re.compile(r"(Nullable\()?(U?Int(8|16|32|64)|Float64)\)?")
MOMENT = re.compile(r"Date(Time(64\(3, 'UTC'\)|\('UTC'\))?)?")
OF_A_RUNNING_PART = {"pipeline: Running parts and their latest errors"}

Answer = tuple[dict[str, str], list[dict[str, Any]]]
"""Types by column, and rows."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("dashboards")) as server:
        yield server


@pytest.fixture(scope="module")
def filled(server: ClickHouseServer) -> Settings:
    settings = Settings(clickhouse_url=f"{server.url}/breakout")
    migrate(settings)
    client = clickhouse_connect.get_client(host="127.0.0.1", port=server.port, database="breakout")
    with closing(client):
        for table, rows in world.rows().items():
            insert(client, table, *rows)
        client.command(
            "INSERT INTO heartbeats"
            " (component, instance, at, interval_seconds, state, last_error, last_error_at)"
            " VALUES ('worker', 'here:1', now64(3), 10, 'running', 'oops', now64(3))"
        )
    return settings


@pytest.fixture(scope="module")
def empty(server: ClickHouseServer) -> Settings:
    settings = Settings(clickhouse_url=f"{server.url}/nothing")
    migrate(settings)
    return settings


def ask(settings: Settings, text: str, choices: dict[str, Chosen] = CHOICES) -> Answer:
    with closing(reader_client(settings)) as client:
        answer = client.query(sql(text, choices, world.SINCE, world.UNTIL))
        types = {
            name: kind.name
            for name, kind in zip(answer.column_names, answer.column_types, strict=True)
        }
        return types, list(answer.named_results())


@each_query
def test_a_query_gives_what_its_panel_draws(
    place: Place, target: dict[str, Any], filled: Settings
) -> None:
    types, rows = ask(filled, target["rawSql"])
    assert rows, "nothing to draw"
    for name, kind in types.items():
        assert DRAWN.fullmatch(kind), f"{name} is {kind}"
    _DRAW[place.panel["type"] if target["format"] else "series"](place.panel, types, rows)


@each_query
def test_a_query_runs_without_any_data(
    place: Place, target: dict[str, Any], empty: Settings
) -> None:
    _, rows = ask(empty, target["rawSql"])
    if place.panel["type"] == "stat":
        assert len(rows) <= 1
        assert not rows or all(value in {None, 0} for value in rows[0].values())
    if place.panel["type"] == "trend":
        assert rows == []


@pytest.mark.parametrize(
    "title", ["RAM of the chosen models by age", "RAM of the chosen models by day"]
)
def test_all_models_stands_for_the_latest_confirmed_breakouts(title: str, filled: Settings) -> None:
    ((_, target),) = [one for one in SQL if one[0].panel["title"].startswith(title)]
    _, rows = ask(filled, target["rawSql"], ALL_MODELS)
    assert {row.get("model_id", row.get("label")) for row in rows} == {world.MODEL}


def test_bursts_are_marked_and_not_counted(filled: Settings) -> None:
    queries = {place.panel["title"]: target["rawSql"] for place, target in SQL}
    _, rows = ask(filled, queries["First crossings of 1.0x, latest first"])
    shown = {row["model_id"]: (row["status"], row["ram"], row["ram_capped"]) for row in rows}
    assert shown == {world.MODEL: ("confirmed", 1.5, 1.5), world.BURST: ("burst", 1.2, 0.4)}
    _, rows = ask(filled, queries["Breakouts in the time shown"])
    assert rows == [{"crossings": 1}]


def test_days_are_shown_by_what_they_rest_on(filled: Settings) -> None:
    queries = {place.panel["title"]: target["rawSql"] for place, target in SQL}
    _, rows = ask(filled, queries["Downloads by day"])
    assert {row["label"] for row in rows} == {"observed", "held", "gap", "correction"}
    (correction,) = [row["Value"] for row in rows if row["label"] == "correction"]
    assert correction == 7


def test_counter_health_is_of_the_time_shown(filled: Settings) -> None:
    queries = {place.panel["title"]: target["rawSql"] for place, target in SQL}
    _, rows = ask(filled, queries["Busy models held or fallen, by creation"])
    days = {(row["label"], (row["time"].date() - seeds.FIRST).days) for row in rows if row["Value"]}
    assert days == {("held, unknown", 40), ("fallen, unknown", 20), ("fallen, unknown", 30)}


def _series(panel: dict[str, Any], types: dict[str, str], rows: list[dict[str, Any]]) -> None:
    time, *labels, value = types
    assert time == "time"
    assert value == "Value", "or Grafana calls the series by more than its label"
    assert MOMENT.fullmatch(types[time])
    assert types[value] == "Nullable(Float64)", "or a missing value becomes zero"
    assert len(labels) == 1, "or its name is not the label alone"
    assert types[labels[0]] in {"String", "LowCardinality(String)"}
    keys = [(row[time], row[labels[0]]) for row in rows]
    assert len(keys) == len(set(keys)), "two values at one moment"
    assert [one for one, _ in keys] == sorted(one for one, _ in keys)
    assert all(label for _, label in keys)
    ranks = [
        int(label.partition(".")[0])
        for label in _sorted_labels(rows, labels[0])
        if "." in label[:3]
    ]
    assert ranks == sorted(ranks), "Grafana sorts series by their names"
    assert any(row[value] is not None for row in rows)


def _sorted_labels(rows: list[dict[str, Any]], label: str) -> list[str]:
    return sorted({row[label] for row in rows})


def _by_age(panel: dict[str, Any], types: dict[str, str], rows: list[dict[str, Any]]) -> None:
    # The table of no rows, and then what the panel draws.
    merged, matrix = panel["transformations"]
    assert merged == {"id": "merge", "options": {}}
    assert matrix["id"] == "groupingToMatrix"
    assert matrix["options"] == {
        "rowField": "age_days", "columnField": "label", "valueField": "value", "emptyValue": "null",
    }  # fmt: skip
    assert panel["options"]["xField"] == "age_days\\label"
    assert types == {"age_days": "UInt32", "label": "String", "value": "Nullable(Float64)"}
    assert [row["age_days"] for row in rows] == sorted(row["age_days"] for row in rows)
    first = [row["label"] for row in rows if row["age_days"] == rows[0]["age_days"]]
    assert first == _sorted_labels(rows, "label"), (
        "or colours differ from those of the panel by day"
    )
    assert len(rows) == len({(row["age_days"], row["label"]) for row in rows})
    assert any(row["value"] is not None for row in rows)


def _table(panel: dict[str, Any], types: dict[str, str], rows: list[dict[str, Any]]) -> None:
    named = overrides(panel)
    titles = [one["displayName"] for one in named.values()]
    assert len(titles) == len(set(titles))
    made = {name for name in named if name.startswith("Trend #")}
    assert set(named) - made == set(types), "each column has its title and unit"
    for name, properties in named.items():
        if name in types and properties["unit"] != "string":
            kind = types[name].removeprefix("Nullable(").removesuffix(")")
            moment = properties["unit"].startswith(("dateTime", "time:"))
            assert (MOMENT if moment else NUMBER).match(kind), f"{name} is {kind}"
    for sort in panel["options"].get("sortBy", []):
        assert sort["displayName"] in titles


@pytest.mark.parametrize(
    ("place", "target"),
    [
        (place, target)
        for place, target in SQL
        if place.panel["fieldConfig"]["defaults"]["unit"] == "percentunit"
        and "stacking" in place.panel["fieldConfig"]["defaults"]["custom"]
    ],
    ids=str,
)
def test_stacked_shares_add_up_to_all(
    place: Place, target: dict[str, Any], filled: Settings
) -> None:
    _, rows = ask(filled, target["rawSql"])
    months: dict[Any, float] = {}
    for row in rows:
        months[row["time"]] = months.get(row["time"], 0) + (row["Value"] or 0)
    assert months
    assert all(total == pytest.approx(1) or total == 0 for total in months.values()), months


def _stat(panel: dict[str, Any], types: dict[str, str], rows: list[dict[str, Any]]) -> None:
    assert len(types) == 1
    assert len(rows) == 1
    (value,) = rows[0].values()
    assert value is not None


_DRAW = {"series": _series, "trend": _by_age, "table": _table, "stat": _stat}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_variables_offer_something(name: str, filled: Settings) -> None:
    for variable in variables(name).values():
        if variable["type"] != "query":
            assert variable["options"]
            continue
        types, rows = ask(filled, variable["query"])
        assert len(types) == 1, variable["name"]
        values = [next(iter(row.values())) for row in rows]
        assert values, variable["name"]
        assert all(isinstance(value, str) and value for value in values)
        assert len(values) == len(set(values))
        if variable.get("current"):
            chosen = variable["current"]["value"]
            assert chosen in values or chosen == ["$__all"]
        if variable["name"] == "model":
            assert values[0] == world.MODEL, "the latest confirmed breakout"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_dashboard_says_whether_its_data_are_invented(name: str, filled: Settings) -> None:
    variable = variables(name)["data"]
    assert not variable.get("hide"), "it stands on top of the dashboard"

    def said() -> list[Any]:
        _, rows = ask(filled, variable["query"])
        return [value for row in rows for value in row.values()]

    assert said() == ["observed"]
    with closing(writer_client(filled)) as client:
        for mark, says in (
            ("invented", "INVENTED: no such models exist"),
            ("season", "REPLAY: real counters of July 2024 to February 2025"),
        ):
            client.command(f"INSERT INTO simulated VALUES ('{mark}', now64(3))")
            try:
                assert said() == [says]
            finally:
                client.command("TRUNCATE TABLE simulated")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_annotations_mark_moments(name: str, filled: Settings) -> None:
    for one in annotations(name):
        types, rows = ask(filled, one["target"]["rawSql"])
        assert list(types) == ["time", "title", "text", "tags"], one["name"]
        assert MOMENT.fullmatch(types["time"]), types
        assert rows, one["name"]
        assert all(row["text"] for row in rows)


def test_descriptions_name_licence_and_moment(filled: Settings) -> None:
    _, rows = ask(filled, variables("ecosystem")["sources"]["query"])
    (text,) = rows[0].values()
    assert len(text.split(" · ")) >= 6
    for one in text.split(" · "):
        assert re.fullmatch(r".+: .+; as of (\d{4}-\d\d-\d\d \d\d:\d\d UTC|never read)", one)
    (place,) = [
        one for one in panels() if one.panel["title"] == "Best open model on Arena by region"
    ]
    shown = interpolate(place.panel["description"], {"sources": Chosen((text,))})
    assert "Sources: Arena leaderboard." in shown
    assert "Arena leaderboard: CC BY 4.0; as of 2026-04-01 12:00 UTC" in shown


def test_a_part_whose_heartbeat_is_late_is_silent(filled: Settings) -> None:
    ((_, target),) = [one for one in SQL if one[0].panel["title"].startswith("Running parts")]
    with closing(writer_client(filled)) as client:
        client.command(
            "INSERT INTO heartbeats (component, instance, at, interval_seconds, state) VALUES"
            " ('worker', 'killed:1', now64(3) - INTERVAL 1 MINUTE, 10, 'running'),"
            " ('worker', 'fresh:1', now64(3), 100, 'running'),"
            " ('worker', 'told:1', now64(3) - INTERVAL 1 MINUTE, 10, 'stopped')"
        )
    _, rows = ask(filled, target["rawSql"])
    states = {row["instance"]: row["state"] for row in rows}
    assert states["killed:1"] == "silent"
    assert states["told:1"] == "stopped"
    assert states["fresh:1"] == "running"
