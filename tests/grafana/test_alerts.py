"""Alert rules: whole, and each evaluated on data that must fire it and on data that must not."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
import yaml
from prometheus_client.registry import CollectorRegistry

from breakout.clickhouse.client import reader_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS
from tests.grafana.files import DASHBOARDS
from tests.grafana.messages import TEXT, TITLE, needs_promtool, run_promtool
from tests.grafana.provisioned import PROVISIONING, queries, read, rules
from tests.support import busy_models
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse
from tools.reference.metrics import all_metrics, series_name

RULES = {rule["uid"]: rule for rule in rules()}
each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
EXPRESSION = "__expr__"
SHOWN_BY = {
    "breakout-crossed": "RAM of the chosen models by day",
    "breakout-counters": "Busy models held or fallen, by creation",
    "breakout-stale": "Time since each source's latest scrape",
    "breakout-no-data": "Observations by what they were",
    "breakout-clickhouse": "Time of inserts",
    "breakout-silent": "Running parts",
    "breakout-lag": "From published to queryable",
    "breakout-dead-letters": "Dead letters, by topic",
    "breakout-insert-failures": "Failed inserts, by table",
}
"""How the title of a rule's panel begins."""
Instances = dict[frozenset[tuple[str, str]], float]
"""Value by labels."""
Rows = dict[str, list[dict[str, Any]]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


@each_rule
def test_a_rule_is_whole(rule: dict[str, Any]) -> None:
    assert len(rule["uid"]) <= 40
    assert rule["group"]["folder"] == "Breakout"
    assert re.fullmatch(r"\d+[sm]", rule["for"])
    assert rule["noDataState"] in {"OK", "Alerting"}
    assert rule["dashboardUid"] in {one["uid"] for one in DASHBOARDS.values()}
    assert {"summary", "description", "resolved", "gone", "dashboard"} <= set(rule["annotations"])
    found = queries(rule)
    assert len(found) == len(rule["data"])
    assert found[rule["condition"]]["datasourceUid"] == EXPRESSION
    for ref, query in found.items():
        assert query["model"]["refId"] == ref
        assert query["datasourceUid"] in {CLICKHOUSE, PROMETHEUS, EXPRESSION}
        if query["datasourceUid"] == EXPRESSION:
            assert query["model"]["expression"] in found
        else:
            assert query["relativeTimeRange"]["from"] > query["relativeTimeRange"]["to"]


def test_uids_and_titles_are_each_once() -> None:
    assert len(RULES) == len(rules()) == len({rule["title"] for rule in RULES.values()})


@each_rule
def test_a_rule_goes_to_the_contact_point_and_touches_no_policy(rule: dict[str, Any]) -> None:
    assert rule["notification_settings"]["receiver"] == "Breakout"
    # Grafana refuses another grouping for a rule.
    assert {"grafana_folder", "alertname"} <= set(rule["notification_settings"]["group_by"])
    for file in PROVISIONING.rglob("*.yaml"):
        assert not {"policies", "resetPolicies"} & set(yaml.safe_load(file.read_text()))


@each_rule
def test_dollars_are_single_where_grafana_takes_text_as_it_stands(rule: dict[str, Any]) -> None:
    raw = [*rule["annotations"].values(), *(str(one["model"]) for one in rule["data"])]
    for text in raw:
        assert "$$" not in text, "Grafana would keep both"
        assert "${" not in text, "Grafana 13 expands braces in annotations"
    assert "$" not in str({**rule, "annotations": {}, "data": []}), "Grafana would expand it"


def test_environment_variables_are_expanded_where_grafana_does(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(
        "title: $A ${A} $$A\n"
        "labels: {team: $A}\n"
        "annotations: {summary: '$A $$A {{ $labels.a }}'}\n"
        "data: [{refId: $A, model: {rawSql: '$__timeFilter(t) $A'}}]\n"
        "receivers: [{settings: {url: $A, more: [{deep: $A}]}}]\n"
        "template: '{{ $a }}'\n"
    )
    assert read(file, {"A": "x"}) == {
        "title": "x x $A",
        "labels": {"team": "x"},
        "annotations": {"summary": "$A $$A {{ $labels.a }}"},
        "data": [{"refId": "x", "model": {"rawSql": "$__timeFilter(t) $A"}}],
        "receivers": [{"settings": {"url": "x", "more": [{"deep": "x"}]}}],
        "template": "{{ $a }}",
    }


@each_rule
def test_only_one_rule_fires_when_its_source_cannot_be_asked(rule: dict[str, Any]) -> None:
    if rule["uid"] != "breakout-clickhouse":
        assert rule["execErrState"] == "KeepLast"
        return
    # After an error there are neither values nor labels of a row: its text needs none.
    assert rule["execErrState"] == "Alerting"
    assert not re.findall(r"\$(labels|values?)\b", " ".join(rule["annotations"].values()))
    assert rule["for"] == "0s"
    assert rule["group"]["interval"] == "1m"


@each_rule
def test_a_rule_leads_to_a_panel_that_exists(rule: dict[str, Any]) -> None:
    uid, panel = rule["dashboardUid"], rule["panelId"]
    # Grafana draws states and links by the annotations; the fields alone make neither.
    assert rule["annotations"]["__dashboardUid__"] == uid
    assert rule["annotations"]["__panelId__"] == str(panel)
    (dashboard,) = [one for one in DASHBOARDS.values() if one["uid"] == uid]
    (found,) = [one for one in dashboard["panels"] if one["id"] == panel]
    assert found["title"].startswith(SHOWN_BY[rule["uid"]])


@each_rule
def test_annotations_name_labels_and_values_that_exist(
    rule: dict[str, Any], database: Settings
) -> None:
    text = " ".join(rule["annotations"].values())
    assert text.count("{{") == text.count("}}")
    assert set(re.findall(r"\$values\.(\w+)\.Value", text)) <= set(queries(rule))
    labels = set(re.findall(r"\$labels\.(\w+)", text))
    first = rule["data"][0]
    if first["datasourceUid"] == PROMETHEUS:
        grouped = re.findall(r"sum by \(([\w, ]+)\)", first["model"]["expr"])
        there = {name for names in grouped for name in re.split(r", *", names)} - {"le"}
    else:
        there = set(columns(database, first["model"]["rawSql"])[:-1])
    assert labels <= there
    for link in re.findall(r"d/([\w-]+)", rule["annotations"]["dashboard"]):
        assert link in {one["uid"] for one in DASHBOARDS.values()}


def test_every_rule_is_documented() -> None:
    page = (PROVISIONING.parents[1] / "docs" / "alerts.md").read_text()
    for rule in RULES.values():
        assert f"## {rule['title']}\n" in page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("alerts")) as server:
        yield server


@pytest.fixture(scope="module")
def database(server: ClickHouseServer) -> Settings:
    settings = Settings(clickhouse_url=f"{server.url}/breakout")
    migrate(settings)
    return settings


@pytest.fixture
def fill(database: Settings, server: ClickHouseServer) -> Iterator[Callable[[Rows], None]]:
    """Puts rows into tables that are empty again afterwards."""
    client = clickhouse_connect.get_client(host="127.0.0.1", port=server.port, database="breakout")
    filled = set()

    def put(rows: Rows) -> None:
        for table, some in rows.items():
            filled.add(table)
            names = list(some[0])
            client.insert(table, [[row[name] for name in names] for row in some], names)

    with closing(client):
        yield put
        for table in filled:
            client.command(f"TRUNCATE TABLE {table}")


def columns(database: Settings, sql: str) -> list[str]:
    with closing(reader_client(database)) as client:
        return [row[0] for row in client.query(f"DESCRIBE ({sql})").result_rows]


def instances(database: Settings, sql: str) -> Instances:
    """Ask as Grafana does of a table without time: text is labels, the one number the value."""
    with closing(reader_client(database)) as client:
        answer = client.query(sql)
        if not answer.result_rows:
            return {}
        kinds = [kind.name for kind in answer.column_types]
        assert kinds[-1] in {"Float64", "Nullable(Float64)"}, "one number, the last column"
        assert set(kinds[:-1]) <= {"String", "LowCardinality(String)"}
        found: Instances = {}
        for *labels, value in answer.result_rows:
            key = frozenset(zip(answer.column_names, labels, strict=False))
            assert key not in found, "Grafana refuses two values with the same labels"
            found[key] = value
        return found


def firing(database: Settings, uid: str) -> list[dict[str, str]]:
    """Return the labels of the instances that a rule fires for."""
    rule = RULES[uid]
    threshold = queries(rule)[rule["condition"]]["model"]
    values = instances(database, queries(rule)[threshold["expression"]]["model"]["rawSql"])
    evaluator = threshold["conditions"][0]["evaluator"]
    (limit,) = evaluator["params"]
    beyond = {"gt": lambda value: value > limit, "lt": lambda value: value < limit}
    return sorted(
        (dict(labels) for labels, value in values.items() if beyond[evaluator["type"]](value)),
        key=lambda labels: sorted(labels.items()),
    )


def breakout(model: str, *, crossed: timedelta, ended: bool = False, **more: Any) -> dict[str, Any]:
    row = {
        "baseline": "live", "size_bin": "7-9B", "model_id": model, "crossed_at": now() - crossed,
        "age_days": 9, "ram": 1.25, "ended_at": now() if ended else None,
        "confirmed_at": now() - crossed, "ram_capped": 1.2, "top_day_share": 0.2,
        "retracted": False, "version": 1,
    }  # fmt: skip
    return row | more


def alerts(database: Settings) -> dict[str, dict[str, Any]]:
    """Return the values of breakout-crossed by model; they are all of the same instances."""
    found: dict[frozenset[tuple[str, str]], dict[str, Any]] = {}
    for ref, query in queries(RULES["breakout-crossed"]).items():
        if query["datasourceUid"] == CLICKHOUSE:
            for labels, value in instances(database, query["model"]["rawSql"]).items():
                found.setdefault(labels, {})[ref] = value
    assert {len(one) for one in found.values()} <= {5}, "each value is of the same alert"
    return {dict(labels)["model"]: values for labels, values in found.items()}


def own(model: str) -> dict[str, str]:
    """Labels of a crossing that has a message of its own."""
    return {"model": model, "org": model.partition("/")[0], "message": model}


def test_a_breakout_fires_for_its_model(database: Settings, fill: Callable[[Rows], None]) -> None:
    fill(
        {
            "breakouts_log": [
                breakout("a/new", crossed=DAY),
                breakout("a/over", crossed=5 * DAY, ended=True),
                breakout("a/never", crossed=DAY, retracted=True),
                breakout("a/burst", crossed=DAY, confirmed_at=None, ram_capped=0.4),
                breakout("a/frozen", crossed=DAY, baseline="2026-Q4"),
                breakout("a/long-ago", crossed=101 * DAY),
                breakout("a/forgotten", crossed=108 * DAY),
            ]
        }
    )
    assert firing(database, "breakout-crossed") == [own("a/new")]
    found = alerts(database)
    assert {model: one["ongoing"] for model, one in found.items()} == {
        "a/new": 1, "a/over": 0, "a/long-ago": -1,
    }  # fmt: skip
    assert (found["a/new"]["crossed"], found["a/new"]["ram"], found["a/new"]["age"]) == (
        1.25, None, None,
    )  # fmt: skip
    assert found["a/new"]["crossed_on"] == pytest.approx((now() - DAY).timestamp(), abs=600)


def test_a_breakout_tells_its_present_ram_and_age(
    database: Settings, fill: Callable[[Rows], None]
) -> None:
    released = (now() - 20 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    common = {"size_bin": "7-9B", "model_id": "a/new", "version": 1}
    baseline = {"baseline": "live", "size_bin": "7-9B", "peers": 10, "version": 1}
    fill(
        {
            "breakouts_log": [breakout("a/new", crossed=DAY)],
            "models_log": [
                {
                    "model_id": "a/new", "org": "a", "size_bin": "7-9B", "tracked": True,
                    "released_at": released.date(), "observed_at": now(), "base_models": [],
                }
            ],
            "latest_log": [
                {
                    **common, "released_at": released.date(), "tracked": True, "known": 1,
                    "observed_at": released + 20.4 * DAY, "cumulative": 3000,
                    "registry_changed_at": now(),
                }
            ],
            "baselines_log": [
                {**baseline, "age_days": age, "downloads": 1000.0, "as_of": now()}
                for age in (20, 21)
            ],
        }
    )  # fmt: skip
    (found,) = alerts(database).values()
    assert (found["ram"], found["age"], found["crossed"]) == (3.0, 20, 1.25)


def test_crossings_that_are_old_when_found_share_one_message(
    database: Settings, fill: Callable[[Rows], None]
) -> None:
    grouped = RULES["breakout-crossed"]["notification_settings"]["group_by"]
    assert set(grouped) == {"grafana_folder", "alertname", "message"}
    fill(
        {
            "breakouts_log": [
                breakout("b/new", crossed=6 * DAY),
                breakout("b/old", crossed=8 * DAY),
                breakout("b/older", crossed=30 * DAY),
            ]
        }
    )
    new, *old = firing(database, "breakout-crossed")
    assert new == own("b/new")
    assert [one["model"] for one in old] == ["b/old", "b/older"]
    (message,) = {one["message"] for one in old}
    assert re.fullmatch(r"crossings found on \d{4}-\d\d-\d\d", message)
    # Labels are what an alert is: no later row of the crossing may change them.
    fill(
        {
            "breakouts_log": [
                breakout("b/new", crossed=20 * DAY, version=2),
                breakout("b/old", crossed=DAY, version=2),
            ]
        }
    )
    assert firing(database, "breakout-crossed") == [new, *old]


def test_a_breakout_fires_once_and_resolves_when_it_ends(
    database: Settings, fill: Callable[[Rows], None]
) -> None:
    crossed = breakout("a/new", crossed=DAY)
    told = []
    before: set[str] = set()
    # Evaluations: nothing, crossed, twice the same, another RAM, the same, ended, the same.
    for step in (
        None,
        crossed,
        None,
        None,
        crossed | {"ram": 1.3, "version": 2},
        None,
        crossed | {"ended_at": now(), "version": 3},
        None,
    ):
        if step:
            fill({"breakouts_log": [step]})
        after = {str(labels) for labels in firing(database, "breakout-crossed")}
        told += [("fires", one) for one in after - before]
        told += [("resolves", one) for one in before - after]
        before = after
    assert [what for what, _ in told] == ["fires", "resolves"]


def observed(model: str, ago: timedelta) -> dict[str, Any]:
    return {
        "model_id": model, "observed_at": now() - ago, "source": "huggingface", "origin": "live",
        "downloads_all_time": 50_000, "state": "rise", "version": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("some", "alarm"), [({"held": 12}, "held"), ({"fallen": 3}, "fallen")])
def test_held_and_fallen_counters_fire(
    some: dict[str, int], alarm: str, database: Settings, fill: Callable[[Rows], None]
) -> None:
    fill(busy_models.rows(24, **some))
    labels = {"source": "huggingface", "age_band": "2025 and after", "alarm": alarm}
    assert firing(database, "breakout-counters") == [labels]
    values = {
        ref: instances(database, query["model"]["rawSql"])[frozenset(labels.items())]
        for ref, query in queries(RULES["breakout-counters"]).items()
        if query["datasourceUid"] == CLICKHOUSE
    }
    share, hours = {"held": (50, 31), "fallen": (12.5, None)}[alarm]
    assert values == {"firing": 1, "share": share, "hours": hours}


def test_few_held_and_fallen_counters_keep_quiet(
    database: Settings, fill: Callable[[Rows], None]
) -> None:
    fill(busy_models.rows(24, held=11, fallen=2))
    assert firing(database, "breakout-counters") == []


def test_counters_of_few_models_are_not_judged(
    database: Settings, fill: Callable[[Rows], None]
) -> None:
    fill(busy_models.rows(19, held=19))
    assert (
        instances(database, queries(RULES["breakout-counters"])["firing"]["model"]["rawSql"]) == {}
    )


def test_a_stale_source_fires(database: Settings, fill: Callable[[Rows], None]) -> None:
    scrape = {"scrape_id": "1", "slice": 0, "models": 1, "complete": True}
    token = {"source": "openrouter", "day": now().date(), "slug": "other", "tokens": 1}
    fill(
        {
            "scrapes_log": [
                {"source": "huggingface", "observed_at": now() - 4 * HOUR, **scrape},
                {"source": "modelscope", "observed_at": now() - 4 * HOUR, **scrape},
            ],
            "inference_log": [{**token, "as_of": now() - 73 * HOUR}],
        }
    )
    assert firing(database, "breakout-stale") == [
        {"source": "huggingface"},
        {"source": "openrouter"},
    ]


def test_no_observation_fires(database: Settings, fill: Callable[[Rows], None]) -> None:
    assert firing(database, "breakout-no-data") == [{}]
    fill({"downloads_log": [observed("a/b", 7 * HOUR)]})
    assert firing(database, "breakout-no-data") == [{}]
    fill({"downloads_log": [observed("a/b", 5 * HOUR)]})
    assert firing(database, "breakout-no-data") == []
    assert RULES["breakout-no-data"]["noDataState"] == "Alerting"


def test_a_clickhouse_that_answers_is_quiet(database: Settings) -> None:
    assert firing(database, "breakout-clickhouse") == []


def test_a_part_that_fell_silent_is_told_within_minutes() -> None:
    rule = RULES["breakout-silent"]
    assert rule["group"]["interval"] == "1m"
    assert rule["for"] == "1m"


def test_a_silent_part_fires(database: Settings, fill: Callable[[Rows], None]) -> None:
    beat = {"interval_seconds": 10.0, "state": "running"}
    fill(
        {
            "heartbeats": [
                {"component": "worker", "instance": "a:1", "at": now() - HOUR / 60, **beat},
                {"component": "worker", "instance": "b:1", "at": now(), **beat},
                {
                    "component": "worker", "instance": "c:1", "at": now() - HOUR,
                    **beat, "state": "stopped",
                },
            ]
        }
    )  # fmt: skip
    assert firing(database, "breakout-silent") == [{"component": "worker", "instance": "a:1"}]


PROMQL = {
    uid: rule for uid, rule in RULES.items() if rule["data"][0]["datasourceUid"] == PROMETHEUS
}
LATE = {
    f'breakout_queryable_latency_seconds_bucket{{processor="ram", le="{le}"}}': values
    for le, values in {"60.0": "0x30", "120.0": "0x30", "300.0": "0+9x30", "+Inf": "0+9x30"}.items()
}
IN_TIME = {
    f'breakout_queryable_latency_seconds_bucket{{processor="ram", le="{le}"}}': "0+9x30"
    for le in ("60.0", "120.0", "300.0", "+Inf")
}
LETTERS, FAILURES = "breakout_dead_letters_total", "breakout_insert_failures_total"
SERIES: dict[str, list[tuple[dict[str, str], dict[str, str] | None]]] = {
    "breakout-lag": [(LATE, {"processor": "ram"}), (IN_TIME, None)],
    "breakout-dead-letters": [
        ({f'{LETTERS}{{topic="breakout.models"}}': "_x20 1x10"}, {"topic": "breakout.models"}),
        ({f'{LETTERS}{{topic="breakout.models"}}': "_x20 0x10"}, None),
        ({f'{LETTERS}{{topic="breakout.models"}}': "5x20 6x10"}, {"topic": "breakout.models"}),
        ({f'{LETTERS}{{topic="breakout.models"}}': "5x30"}, None),
    ],
    "breakout-insert-failures": [
        ({f'{FAILURES}{{table="downloads_log"}}': "0+1x30"}, {"table": "downloads_log"}),
        ({f'{FAILURES}{{table="downloads_log"}}': "0x25 1x5"}, None),
        # A worker that started when ClickHouse was away had failed before it was first scraped.
        ({f'{FAILURES}{{table="downloads_log"}}': "_x25 4x5"}, {"table": "downloads_log"}),
        ({f'{FAILURES}{{table="downloads_log"}}': "_x22 0x3 3x5"}, None),
        # Started over with what it counted before: only what is new counts.
        ({f'{FAILURES}{{table="downloads_log"}}': "9x24 0x2 3x4"}, None),
    ],
}


@needs_promtool
@pytest.mark.parametrize("uid", PROMQL)
def test_metrics_fire_and_keep_quiet(uid: str, tmp_path: Path) -> None:
    rule = PROMQL[uid]
    threshold = queries(rule)[rule["condition"]]["model"]
    (limit,) = threshold["conditions"][0]["evaluator"]["params"]
    expression = queries(rule)[threshold["expression"]]["model"]["expr"]
    alert = {"alert": "fires", "expr": f"({expression}) > {limit}"}
    (tmp_path / "rules.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "g", "rules": [alert]}]})
    )
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [
                {
                    "eval_time": "30m",
                    "alertname": "fires",
                    "exp_alerts": [{"exp_labels": labels}] if labels else [],
                }
            ],
        }
        for series, labels in SERIES[uid]
    ]
    run_promtool(tmp_path, tests)


def test_metrics_of_alerts_exist_and_reach_their_thresholds() -> None:
    known = {series_name(one): one for one in all_metrics()}
    for rule in PROMQL.values():
        for name in re.findall(r"\bbreakout_\w+", rule["data"][0]["model"]["expr"]):
            assert name.removesuffix("_bucket") in known
    latency: Any = known["breakout_queryable_latency_seconds"]
    registry = CollectorRegistry()
    registry.register(latency)
    bounds = [bound for bound in latency._kwargs["buckets"] if bound != float("inf")]
    (evaluator,) = RULES["breakout-lag"]["data"][1]["model"]["conditions"]
    assert max(bounds) > evaluator["evaluator"]["params"][0], "a quantile never passes the last"


ADDRESSES = {
    "BREAKOUT_ALERT_CHAT_URL": "https://chat.example/hook",
    "BREAKOUT_ALERT_WEBHOOK_URL": "https://hook.example/a?b=c",
    "BREAKOUT_ALERT_EMAIL": "one@example.org;two@example.org",
}


@pytest.mark.parametrize(
    "chosen", [set(), {"CHAT"}, {"EMAIL"}, {"CHAT", "WEBHOOK", "EMAIL"}], ids=sorted
)
def test_alerts_go_to_the_addresses_that_are_set(chosen: set[str], tmp_path: Path) -> None:
    address = dict.fromkeys(ADDRESSES, "")
    address |= {name: url for name, url in ADDRESSES.items() if name.split("_")[2] in chosen}
    target = tmp_path / "target"
    for _ in range(2):  # a restart does the same again
        answer = subprocess.run(
            ["sh", str(PROVISIONING.parent / "provision.sh"), str(PROVISIONING), str(target)],
            env={**os.environ, **address}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = read(target / "alerting" / "rules.yaml", {})
    settings = [
        rule.get("notification_settings") for group in found["groups"] for rule in group["rules"]
    ]
    points = target / "alerting" / "contact-points.yaml"
    if not chosen:
        assert not points.exists()
        assert not any(settings)
        assert "alerts follow Grafana's notification policies" in answer.stdout
        return
    assert all(settings)
    (point,) = read(points, address)["contactPoints"]
    assert {one["uid"].removeprefix("breakout-").upper() for one in point["receivers"]} == chosen
    for one in point["receivers"]:
        addresses = set(one["settings"].values()) - {TITLE, TEXT}
        assert len(addresses) == 1, "one address, and what the message says"
        assert addresses <= set(ADDRESSES.values())
        assert {TITLE, TEXT} < set(one["settings"].values())
    assert (target / "datasources" / "breakout.yaml").exists()
    assert (target / "alerting" / "templates.yaml").exists()
    assert (target / "plugins").is_dir()
