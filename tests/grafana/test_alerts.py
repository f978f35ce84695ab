"""Alert rules: whole, and each evaluated on data that must fire it and on data that must not."""

import os
import re
import shutil
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

from breakout.clickhouse import reader_client
from breakout.migrations import migrate
from breakout.settings import Settings
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS
from tests.embedded_servers import ClickHouseServer, running_clickhouse
from tests.grafana.files import DASHBOARDS
from tests.grafana.provisioned import PROVISIONING, queries, read, rules
from tools.reference.metrics import all_metrics, series_name

RULES = {rule["uid"]: rule for rule in rules()}
each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
EXPRESSION = "__expr__"
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
    assert rule["execErrState"] in {"Error", "Alerting"}
    assert rule["dashboardUid"] in {one["uid"] for one in DASHBOARDS.values()}
    assert {"summary", "description", "dashboard"} <= set(rule["annotations"])
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


def test_every_dollar_that_grafana_must_keep_is_doubled() -> None:
    text = (PROVISIONING / "alerting" / "rules.yaml").read_text()
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.findall(r"(?<!\$)\$(?!\$)", code), "Grafana would expand it"


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
        "age_days": 9, "ram": 1.25, "ended_at": now() if ended else None, "retracted": False,
        "version": 1,
    }  # fmt: skip
    return row | more


def test_a_breakout_fires_for_its_model(database: Settings, fill: Callable[[Rows], None]) -> None:
    fill(
        {
            "breakouts_log": [
                breakout("a/new", crossed=DAY),
                breakout("a/over", crossed=5 * DAY, ended=True),
                breakout("a/never", crossed=DAY, retracted=True),
                breakout("a/frozen", crossed=DAY, baseline="2026-Q4"),
                breakout("a/long-ago", crossed=101 * DAY),
            ]
        }
    )
    assert firing(database, "breakout-crossed") == [{"model": "a/new", "org": "a"}]
    found = {
        ref: instances(database, query["model"]["rawSql"])
        for ref, query in queries(RULES["breakout-crossed"]).items()
        if query["datasourceUid"] == CLICKHOUSE
    }
    assert len({frozenset(one) for one in found.values()}) == 1, "each value is of the same alert"
    new = frozenset({("model", "a/new"), ("org", "a")})
    assert {ref: one[new] for ref, one in found.items()} == {
        "lasts": 1, "ram": 1.25, "age": 9, "crossed": 1.25, "milestone": 0, "milestone_ram": 0,
    }  # fmt: skip


def test_a_breakout_tells_its_present_ram_and_latest_milestone(
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
                    "observed_at": released + 20 * DAY, "cumulative": 3000, "scored_since": now(),
                }
            ],
            "points_log": [
                {**common, "age_days": age, "cumulative": 100 * age, "as_of": released + age * DAY}
                for age in (7, 14)
            ],
            "baselines_log": [
                {**baseline, "age_days": age, "downloads": 1000.0, "as_of": now()}
                for age in (7, 14, 20, 21)
            ],
        }
    )  # fmt: skip
    values = {
        ref: list(instances(database, query["model"]["rawSql"]).values())
        for ref, query in queries(RULES["breakout-crossed"]).items()
        if query["datasourceUid"] == CLICKHOUSE
    }
    assert values == {
        "lasts": [1], "ram": [3.0], "age": [20.0], "crossed": [1.25],
        "milestone": [14], "milestone_ram": [1.4],
    }  # fmt: skip


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


def observed(model: str, ago: timedelta, **more: Any) -> dict[str, Any]:
    row = {
        "model_id": model, "observed_at": now() - ago, "source": "huggingface", "origin": "live",
        "downloads_all_time": 50_000, "cumulative": 50_000, "delta": 10, "revision": None,
        "jump": False, "version": 1,
    }  # fmt: skip
    return row | more


def test_anomalies_fire_when_they_are_worth_waking(
    database: Settings, fill: Callable[[Rows], None]
) -> None:
    fill(
        {
            "downloads_log": [
                observed("a/jumped", HOUR, jump=True),
                observed("a/fell", HOUR, revision=1000),
                observed("a/trifle", HOUR, revision=999),
                observed("a/large", HOUR, revision=1000, cumulative=10**8),
                observed("a/calm", HOUR),
                observed("a/earlier", 7 * HOUR, jump=True),
            ]
        }
    )
    assert firing(database, "breakout-anomaly") == [
        {"model": "a/jumped", "source": "huggingface", "anomaly": "jump"},
        {"model": "a/fell", "source": "huggingface", "anomaly": "rollback"},
    ]


def test_a_stale_source_fires(database: Settings, fill: Callable[[Rows], None]) -> None:
    scrape = {
        "partition": 0,
        "models": 1,
        "compared": 1,
        "standing": 0,
        "complete": True,
        "version": 1,
    }
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
    rule = RULES["breakout-no-data"]
    assert (rule["noDataState"], rule["execErrState"]) == ("Alerting", "Alerting")


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
    f'breakout_queryable_latency_seconds_bucket{{processor="scores", le="{le}"}}': values
    for le, values in {"60.0": "0x30", "120.0": "0x30", "300.0": "0+9x30", "+Inf": "0+9x30"}.items()
}
IN_TIME = {
    f'breakout_queryable_latency_seconds_bucket{{processor="scores", le="{le}"}}': "0+9x30"
    for le in ("60.0", "120.0", "300.0", "+Inf")
}
LETTERS, FAILURES = "breakout_dead_letters_total", "breakout_insert_failures_total"
SERIES: dict[str, list[tuple[dict[str, str], dict[str, str] | None]]] = {
    "breakout-lag": [(LATE, {"processor": "scores"}), (IN_TIME, None)],
    "breakout-dead-letters": [
        ({f'{LETTERS}{{topic="breakout.models"}}': "_x20 1x10"}, {"topic": "breakout.models"}),
        ({f'{LETTERS}{{topic="breakout.models"}}': "5x20 6x10"}, {"topic": "breakout.models"}),
        ({f'{LETTERS}{{topic="breakout.models"}}': "5x30"}, None),
    ],
    "breakout-insert-failures": [
        ({f'{FAILURES}{{table="downloads_log"}}': "0+1x30"}, {"table": "downloads_log"}),
        ({f'{FAILURES}{{table="downloads_log"}}': "0x25 1x5"}, None),
    ],
}


@pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="ALERTS ON PROMETHEUS NOT EVALUATED: no promtool (Debian: apt install prometheus)",
)
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
    (tmp_path / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests})
    )
    answer = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr


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
        assert set(one["settings"].values()) <= set(ADDRESSES.values())
    assert (target / "datasources" / "breakout.yaml").exists()
