"""SQL in whatever people and sources may name: it stays a text, and nothing else runs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from breakout.clickhouse.charts import load_charts
from breakout.contract import (
    DerivativesSlice,
    InferenceDay,
    LeaderboardSlice,
    NameRecord,
)
from breakout.contract.topics import DOWNLOADS
from breakout.contract.topics import NAMES as NAMES_TOPIC
from breakout.settings import SettingsError, read_settings
from tests.breakout.cli.forked import run_breakout
from tests.security.hostile import SQL
from tests.support.events import model, observed
from tests.support.pipeline import Pipeline, running_pipeline

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = sorted(f"org/{name}" for name in ("NULL", "a--", "N_x.--", "default", "模型", "modèle"))
NO_IDS = sorted(f"org/{text}" for text in SQL if f"org/{text}" not in IDS)
NAMES = sorted([*SQL, "' OR 1=1 --"])
NO_NAMES = ["line\nend", "tab\t", "nothing\0", "back\bspace", "\x1b[2J", "\u202ekcab"]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline whose worker has worked off hostile names from every source."""
    with running_pipeline(tmp_path_factory.mktemp("pipeline")) as pipeline:
        pipeline.start_worker()
        pipeline.publish([*(model(one) for one in IDS), observed(["org/sound"], 1.0, [7])])
        pipeline.publish(observed(IDS, age, [1000 * (age + 1)] * len(IDS)) for age in (1, 3))
        pipeline.publish(_other_signals())
        slice_ = observed(["org/none"], 1.0, [7])
        pipeline.publish(slice_.model_copy(update={"models": [one]}) for one in NO_IDS)
        pipeline.publish(
            NameRecord.model_construct(source="openrouter", name=one, observed_at=NOW, open=None)
            for one in NO_NAMES
        )
        pipeline.wait_caught_up()
        # A worker that begins anew reads back what is known of them, and a late observation is
        # cleaned together with the rows around it: both name models in queries.
        pipeline.workers[0].stop()
        pipeline.start_worker()
        pipeline.publish([observed(IDS, 2, [2500] * len(IDS)), observed(IDS, 4, [5000] * len(IDS))])
        pipeline.wait_caught_up()
        yield pipeline


def _other_signals() -> Iterator[NameRecord | InferenceDay | LeaderboardSlice | DerivativesSlice]:
    yield InferenceDay(
        source="openrouter",
        day=date(2026, 2, 28),
        as_of=NOW,
        observed_at=NOW,
        names=NAMES,
        tokens=[1] * len(NAMES),
    )
    for name in NAMES:
        yield NameRecord(source="openrouter", name=name, observed_at=NOW, open=True, org=name)
    yield DerivativesSlice(
        source="huggingface",
        scrape_id="' OR 1=1 --",
        observed_at=NOW,
        models=IDS,
        parents=[["org/sound"]] * len(IDS),
        relation=["finetune"] * len(IDS),
        created_at=[None] * len(IDS),
        downloads_all_time=[1] * len(IDS),
        downloads_30d=[None] * len(IDS),
    )


def test_model_ids_arrive_as_they_are(pipeline: Pipeline) -> None:
    rows = pipeline.rows(
        "SELECT model_id, groupArray(cumulative) AS counts, groupArray(delta) AS deltas FROM "
        "(SELECT * FROM downloads ORDER BY model_id, observed_at) GROUP BY model_id "
        "ORDER BY model_id"
    )
    assert [row["model_id"] for row in rows] == sorted([*IDS, "org/sound"])
    for row in rows:
        sound = row["model_id"] == "org/sound"
        assert list(row["counts"]) == ([7] if sound else [2000, 2500, 4000, 5000])
        # Of a first observation there is no delta.
        assert list(row["deltas"]) == ([] if sound else [500, 1500, 1000])


def test_every_other_name_arrives_as_it_is(pipeline: Pipeline) -> None:
    told = pipeline.rows("SELECT name FROM names ORDER BY name")
    assert sorted(row["name"] for row in told) == NAMES
    tokens = pipeline.rows("SELECT slug FROM inference_log FINAL")
    assert sorted(row["slug"] for row in tokens) == NAMES
    children = pipeline.rows("SELECT model_id FROM derivatives_log FINAL")
    assert sorted(row["model_id"] for row in children) == IDS


def test_what_is_no_name_is_a_dead_letter(pipeline: Pipeline) -> None:
    letters = pipeline.rows("SELECT topic, error FROM dead_letters FINAL")
    for topic, field, count in (
        (DOWNLOADS.name, "DownloadsSlice.models.0", len(NO_IDS)),
        (NAMES_TOPIC.name, "NameRecord.name", len(NO_NAMES)),
    ):
        errors = [str(one["error"]) for one in letters if one["topic"] == topic]
        assert len(errors) == count
        assert all(error.startswith(field) for error in errors), errors


def test_no_table_is_gone(pipeline: Pipeline) -> None:
    lacking = run_breakout(["migrate", "--dry-run"], pipeline.environment, 60)
    assert "0 migrations to apply" in lacking.stdout
    assert pipeline.rows("SELECT count() AS n FROM system.databases WHERE name = 'breakout'") == [
        {"n": 1}
    ]


@pytest.mark.parametrize("text", ["' OR 1=1 --", "\\' OR 1=1 --", "{x:String}", "%(a)s", "a\nb"])
def test_the_commands_parameters_are_values(pipeline: Pipeline, text: str) -> None:
    def run(*arguments: str) -> "tuple[int, str]":
        shown = run_breakout(list(arguments), pipeline.environment, 60)
        assert "Traceback" not in shown.stderr
        assert "Code:" not in shown.stderr
        return shown.returncode, shown.stdout + shown.stderr

    code, said = run("top", "--baseline", text)
    assert code == 2
    assert "--baseline: Unknown baseline" in said
    code, said = run("baseline", "freeze", text)
    assert code == 1
    assert "invalid name of a baseline" in said
    chart = load_charts()["organisation_against_catalogues"]
    parameter = next(one for one in chart.parameters if one.type == "String")
    code, said = run("chart", chart.name, "--set", f"{parameter.name}={text}", "--format", "json")
    if text in NAMES:
        # The organisation of a name.
        assert code == 0
        assert '"rows": []' in said
    else:
        assert code == 2
        assert f"{parameter.name}: Unknown organisation" in said


@pytest.mark.parametrize("chart", load_charts())
def test_every_charts_parameters_are_bound(chart: str) -> None:
    """A parameter whose type is no text cannot carry one."""
    for parameter in load_charts()[chart].parameters:
        assert parameter.type in ("String", "Array(String)", "UInt32", "Date")


@pytest.mark.parametrize(
    "database",
    [
        "b`; DROP DATABASE breakout --",
        "b'",
        "b%60",
        "a/b",
        "a b",
        "a.b",
        "-b",
        "b\\",
        "b?x=1",
        "b#x",
        "b;",
        "modèle",
    ],
)
def test_a_database_is_a_plain_name(database: str) -> None:
    expected = r"CLICKHOUSE_URL: .*(database|without \?query)"
    with pytest.raises(SettingsError, match=expected) as error:
        read_settings(clickhouse_url=f"http://me:hunter2@db:8123/{database}")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("name", ["breakout", "b-2", "_b", "B_2", "2026"])
def test_plain_names_are_taken(name: str) -> None:
    settings = read_settings(clickhouse_url=f"http://db:8123/{name}")
    assert settings.clickhouse.database == name


@pytest.mark.parametrize("name", ["a b", "a`", "a'", "a;b", "", "1a"])
def test_a_readers_name_is_a_plain_name(name: str) -> None:
    if not name:
        assert read_settings().reader_user == "reader"
        return
    with pytest.raises(SettingsError, match="BREAKOUT_READER_USER"):
        read_settings(reader_user=name)


def test_dashboards_put_variables_into_sql_as_strings_only() -> None:
    """A chosen value that went in bare would be SQL: `${name}` or `$name`."""
    import json
    import re

    folder = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
    bare = re.compile(r"\$(?!__)(?:\w+|\{\w+(?::(?!singlequote)\w+)?\})")
    queries = 0
    for file in folder.glob("*.json"):
        for sql in _values(json.loads(file.read_text()), "rawSql"):
            queries += 1
            assert bare.findall(sql) == [], (file.name, sql)
    assert queries > 20


def _values(node: object, name: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name and isinstance(value, str):
                yield value
            yield from _values(value, name)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item, name)
