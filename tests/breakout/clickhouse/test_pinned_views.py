"""Views and charts answer alike whatever a profile of the server says."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.charts import load_charts
from breakout.clickhouse.client import PINNED, READ_SETTINGS, migration_client
from breakout.clickhouse.migrations import migrate
from breakout.settings import Settings
from tests.api import ram_world
from tests.api.conftest import serving
from tests.breakout.cli.forked import run_breakout
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds
from tests.breakout.clickhouse.profile_proxy import with_profile
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

MOMENT = "2026-02-10 12:00:00"
OTHERWISE: dict[str, Any] = {
    "aggregate_functions_null_for_empty": 1,
    "join_algorithm": "full_sorting_merge",
    "join_default_strictness": "",
    "join_use_nulls": 1,
    "prefer_column_name_to_alias": 1,
    "transform_null_in": 1,
}
PROFILES: dict[str, dict[str, Any]] = {
    "pinned": OTHERWISE,
    "switches": {
        "group_by_use_nulls": 1,
        "cast_keep_nullable": 1,
        "any_join_distinct_right_table_keys": 1,
        "joined_subquery_requires_alias": 0,
        "data_type_default_nullable": 1,
        "enable_positional_arguments": 0,
        "extremes": 1,
        "final": 1,
        "short_circuit_function_evaluation": "disable",
    },
    "formats": {
        "session_timezone": "America/New_York",
        "date_time_input_format": "best_effort",
        "date_time_output_format": "unix_timestamp",
        "bool_true_representation": "yes",
        "union_default_mode": "DISTINCT",
        "count_distinct_implementation": "uniq",
        "max_threads": 1,
    },
}
REFUSED = ("readonly", "dialect", "implicit_", "allow_ddl")
"""They decide what a statement is or may, not what it means."""


KNOWN = {"analyzer_inline_views": "experimental: a view's columns lose their declared types"}
"""What does change answers to people's own queries; our clients send it."""


Question = tuple[str, str, Mapping[str, Any], Mapping[str, Any]]
"""Database, what is asked, parameters, and settings that the client sends."""


class Worlds:
    """Two databases, and every question about them."""

    def __init__(self, http: httpx.Client, views: list[str]) -> None:
        self._http = http
        self.questions: dict[str, Question] = {
            f"{database}.{view}": (
                database,
                _called(view),
                {},
                {},
            )
            for database in ("breakout", "ram_world")
            for view in views
        }
        for chart in load_charts().values():
            # As `breakout chart` asks; a dashboard's user has them from `breakout migrate`.
            database = "ram_world" if chart.name == "ram_curves" else "breakout"
            values = {f"param_{name}": _text(value) for name, value in chart.values({}).items()}
            self.questions[f"chart {chart.name}"] = (
                database,
                f"({chart.sql})",
                values,
                READ_SETTINGS,
            )
        self.usual = self.answers({})

    def answers(self, profile: Mapping[str, Any]) -> dict[str, str]:
        """Return a figure of each question's answer, with settings as a profile gives them."""
        return {name: self._ask(*asked, profile) for name, asked in self.questions.items()}

    def differences_by_view(self, profile: Mapping[str, Any]) -> dict[str, str]:
        """Return the answers that are not the usual ones."""
        answers = self.answers(profile)
        return {name: text for name, text in answers.items() if text != self.usual[name]}

    def _ask(
        self,
        database: str,
        what: str,
        values: Mapping[str, Any],
        sent: Mapping[str, Any],
        profile: Mapping[str, Any],
    ) -> str:
        answer = self._http.post(
            "/",
            params={"database": database, **profile, **sent, **values},
            # The figure has settings of its own: an empty sum is 0, and a moment one text.
            content=(
                f"SELECT count(), toString(ifNull(sum(cityHash64(toString(tuple(*)))), 0)) "
                f"FROM {what} FORMAT TSVRaw "
                "SETTINGS date_time_output_format = 'simple', extremes = 0, "
                "bool_true_representation = 'true', session_timezone = ''"
            ),
        )
        return answer.text


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else str(value)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(tmp_path_factory.mktemp("pinned")) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: ClickHouseServer) -> Iterator[Client]:
    settings = Settings(clickhouse_url=f"{server.url}/breakout")
    migrate(settings)
    with clickhouse_connect.get_client(dsn=settings.clickhouse_url) as client:
        for table, rows in seeds.rows().items():
            insert(client, table, *rows)
        ram_world.load(Settings(clickhouse_url=f"{server.url}/ram_world"), ram_world.LAST, 1)
        yield client


@pytest.fixture(scope="module")
def worlds(server: ClickHouseServer, client: Client) -> Iterator[Worlds]:
    with httpx.Client(base_url=server.url, timeout=120) as http:
        worlds = Worlds(http, _views(client))
        assert not [text for text in worlds.usual.values() if "Code:" in text]
        yield worlds


def _made(client: Client) -> dict[str, str]:
    rows = client.query(
        "SELECT name, create_table_query FROM system.tables WHERE database = 'earlier' "
        "AND name IN ('ram_now', 'baselines_as_of', 'own')"
    ).result_rows
    return {str(name): str(text) for name, text in rows}


def _called(view: str) -> str:
    """Return a view with the parameters that it needs."""
    if view == "ram_missing_of":
        return f"{view}(baseline = 'live', models = [])"
    if view.endswith("_as_of"):
        return f"{view}(moment = '{MOMENT}')"
    return f"{view}(since = '2026-01-01')" if view.endswith("_since") else view


def _views(client: Client) -> list[str]:
    rows = client.query(
        "SELECT name FROM system.tables WHERE database = 'breakout' AND engine = 'View'"
    ).result_rows
    return sorted(name for (name,) in rows)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.slow
def test_a_profile_changes_no_answer(worlds: Worlds, profile: str) -> None:
    assert worlds.differences_by_view(PROFILES[profile]) == {}


def test_every_pinned_setting_is_tried() -> None:
    assert OTHERWISE.keys() == PINNED.keys()
    assert not OTHERWISE.items() & PINNED.items()


def test_the_figure_tells_a_difference(worlds: Worlds, client: Client) -> None:
    """What is not pinned does differ: the test would see it."""
    client.command(
        "CREATE VIEW loose AS SELECT l.model_id AS model_id, h.peers AS peers FROM "
        "latest_log AS l LEFT JOIN baselines_log AS h ON h.size_bin = l.model_id"
    )
    try:
        worlds.questions["loose"] = ("ram_world", "breakout.loose", {}, {})
        worlds.usual["loose"] = worlds.answers({})["loose"]
        assert "join_use_nulls" in worlds.differences_by_view({"join_use_nulls": 1})["loose"]
    finally:
        del worlds.questions["loose"], worlds.usual["loose"]
        client.command("DROP VIEW loose")


def test_a_view_that_somebody_replaced_is_pinned_again(server: ClickHouseServer) -> None:
    settings = Settings(clickhouse_url=f"{server.url}/earlier")
    migrate(settings)
    with migration_client(settings) as client:
        client.database = "earlier"
        made = _made(client)
        for name, text in made.items():
            select = text.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
            client.command(select.partition(" SETTINGS ")[0])
            assert "SETTINGS" not in _made(client)[name]
        client.command("CREATE VIEW own AS SELECT 1 AS x")
        assert migrate(settings).applied == ()
        again = _made(client)
        assert "SETTINGS" not in again.pop("own"), "people's own views are theirs"
        assert again == made


COMMANDS = (["top", "--format", "json"], ["chart", "ram_curves", "--format", "json"])


@pytest.mark.slow
def test_our_clients_overrule_a_profile(
    server: ClickHouseServer, client: Client, tmp_path: Path
) -> None:
    del client  # it has filled the database
    profile = {**OTHERWISE, "limit": 1, "extremes": 1, "final": 1}
    profile["date_time_output_format"] = "unix_timestamp"
    profile["output_format_json_quote_64bit_integers"] = 1
    with with_profile(server.url, profile) as strange:
        for command in COMMANDS:
            usual, other = (
                run_breakout(command, {**os.environ, "CLICKHOUSE_URL": f"{url}/ram_world"}, 120)
                for url in (server.url, strange)
            )
            assert (other.returncode, other.stdout) == (0, usual.stdout), other.stderr
        answers = []
        for number, url in enumerate((server.url, strange)):
            settings = Settings(clickhouse_url=f"{url}/ram_world")
            with serving(tmp_path / str(number), settings) as api:
                answers.append(
                    [
                        httpx.get(f"{api.url}/v1/{path}", timeout=60).json()["data"]
                        for path in ("ram", "ram/milestones", "breakouts", "models", "downloads")
                    ]
                )
        assert answers[0] == answers[1]
        assert all(answers[0])


def test_a_user_that_may_not_set_anything_is_told(server: ClickHouseServer) -> None:
    with with_profile(server.url, {"readonly": 1}) as url:
        shown = run_breakout(["top"], {**os.environ, "CLICKHOUSE_URL": f"{url}/ram_world"}, 120)
    assert shown.returncode == 1
    assert "its profile must have readonly = 0 or 2, not 1" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_switch_of_the_engine_changes_an_answer(worlds: Worlds, client: Client) -> None:
    """Every boolean setting the other way round: many at once, and halves where some differ."""
    rows = client.query(
        "SELECT name, value FROM system.settings WHERE type = 'Bool' AND NOT is_obsolete"
    ).result_rows
    other = {
        name: "0" if value in ("1", "true") else "1"
        for name, value in rows
        if not name.startswith(REFUSED) and name not in KNOWN
    }
    assert len(other) > 500
    guilty: dict[str, dict[str, str]] = {}
    waiting = [sorted(other)[start : start + 24] for start in range(0, len(other), 24)]
    while waiting:
        some = waiting.pop()
        differences_by_view = worlds.differences_by_view({name: other[name] for name in some})
        if differences_by_view and len(some) > 1:
            waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
        elif differences_by_view:
            guilty[some[0]] = differences_by_view
    assert {name: sorted(which)[:3] for name, which in guilty.items()} == {}
