"""What the embedded ClickHouse's reader must not get at by way of settings and system tables.

What its statements may do is tried in tests/breakout/local/clickhouse/test_users.py.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from breakout.local.clickhouse.config import ADMIN_SETTINGS, ADMIN_TABLES
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

SECRET = "what-nobody-may-read"
CONSTRAINT = "452"
# Facts of the engine itself, and of tables the reader may read anyway.
SHOWN = """
aggregate_function_combinators build_options codecs collations columns completions contributors
current_roles dashboards data_skipping_index_types data_skipping_indices data_type_families
database_engines databases dictionary_layouts dictionary_sources disk_types documentation
enabled_roles events fail_points formats functions histogram_metrics jemalloc_arena_bins
jemalloc_bins jemalloc_stats keywords licenses merge_tree_settings metrics numbers numbers_mt
one primes privileges replicated_merge_tree_settings settings settings_changes statements
table_engines table_functions tables time_zones tokenizers unicode zeros zeros_mt
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    with running_clickhouse(
        tmp_path_factory.mktemp("clickhouse"), admin_password="admin", reader_password="reader"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def admin(server: ClickHouseServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=("default", "admin"), timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def reader(server: ClickHouseServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=("reader", "reader"), timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of this machine; a name within it makes it a template too."""
    file = tmp_path_factory.mktemp("secret") / "secret.txt"
    file.write_text(f"{SECRET} ${{x:CSV}}\n")
    return file


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS x FORMAT Template SETTINGS format_template_row = '{file}'",
        "SELECT 1 AS x FORMAT Template SETTINGS format_template_resultset = '{file}'",
        "SELECT formatRow('Template', 1 AS x) SETTINGS format_template_row = '{file}'",
        "SELECT 1 AS x FORMAT Protobuf SETTINGS format_schema = '{file}:Message'",
        "SELECT formatRow('Protobuf', 1 AS x) SETTINGS format_schema = '{file}:Message'",
        "SELECT 1 AS x SETTINGS additional_result_filter = 'file(''{file}'') LIKE ''what%'''",
        "SELECT 1 SETTINGS additional_table_filters = {{'system.one': 'length(file(''{file}''))'}}",
        "SELECT 1 AS x SETTINGS select = 'file(''{file}'')'",
        "SELECT 1 AS x SETTINGS filter = 'file(''{file}'') LIKE ''what%'''",
        "SELECT 1 AS x SETTINGS order = 'file(''{file}'')'",
    ],
)
def test_no_setting_opens_a_file(
    admin: httpx.Client, reader: httpx.Client, secret: Path, query: str
) -> None:
    query = query.format(file=secret)
    answer = reader.post("/", content=query)
    assert answer.status_code >= 400, answer.text
    assert SECRET not in answer.text
    assert answer.headers["X-ClickHouse-Exception-Code"] in (CONSTRAINT, "497")


def test_a_schema_is_written_nowhere(reader: httpx.Client, tmp_path: Path) -> None:
    target = tmp_path / "written.proto"
    answer = reader.post(
        "/", content=f"SELECT 1 AS x FORMAT Protobuf SETTINGS output_format_schema = '{target}'"
    )
    assert answer.headers["X-ClickHouse-Exception-Code"] == CONSTRAINT
    assert not target.exists()


@pytest.mark.parametrize("setting", ADMIN_SETTINGS)
def test_settings_of_the_admin(admin: httpx.Client, reader: httpx.Client, setting: str) -> None:
    value = {"additional_table_filters": "{'a':'b'}", "dialect": "kusto"}.get(setting, "dummy")
    written = value if value.startswith("{") else f"'{value}'"
    session = {"session_id": setting}
    for answer in (
        reader.post("/", content="SELECT dummy FROM system.one", params={setting: value}),
        reader.get("/", params={setting: value, "query": "SELECT dummy FROM system.one"}),
        reader.post("/", content=f"SET {setting} = {written}", params=session),
    ):
        code = answer.headers["X-ClickHouse-Exception-Code"]
        assert code == CONSTRAINT, (code, answer.text)
    changed = "SELECT count() FROM system.settings WHERE changed AND name = {name:String}"
    shown = reader.post("/", content=changed, params={**session, "param_name": setting})
    assert shown.text == "0\n"
    known = "SELECT count() FROM system.settings WHERE name = {name:String}"
    assert admin.post("/", content=known, params={"param_name": setting}).text == "1\n"


def test_a_reader_reads_system_tables_of_no_ones_business(
    admin: httpx.Client, reader: httpx.Client
) -> None:
    """A table that a newer engine brings is looked at before a reader sees it."""
    admin.post("/", content="SELECT an_error_with_words_of_mine")
    listed = "SELECT name FROM system.tables WHERE database = 'system' FORMAT TSV"
    names = admin.post("/", content=listed).text.split()
    assert {"processes", "errors"} <= set(names)
    seen = []
    for name in names:
        answer = reader.post("/", content=f"SELECT * FROM system.`{name}` LIMIT 1 FORMAT TSV")
        if answer.status_code == 200 and answer.text:
            seen.append(name)
    assert set(seen) - set(SHOWN.split()) == set()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT query FROM system.processes",
        "SELECT query FROM processes",
        "SELECT count() FROM system.processes HAVING count() > 0",
        "SELECT query FROM merge('system', '^processes$')",
        "SELECT query FROM view(SELECT * FROM system.processes)",
        "SELECT query FROM breakout_view",
        "SELECT last_error_message FROM system.errors",
        "SHOW PROCESSLIST",
    ],
)
def test_others_queries_are_not_shown(
    admin: httpx.Client, reader: httpx.Client, query: str
) -> None:
    admin.post("/", content="SELECT an_error_with_words_of_mine")
    view = "CREATE VIEW IF NOT EXISTS system_view AS SELECT query FROM system.processes"
    admin.post("/", content=view).raise_for_status()
    in_system = {"database": "system"}
    query = query.replace("breakout_view", "default.system_view")
    assert reader.post("/", content=query, params=in_system).text == ""
    assert admin.post("/", content=query, params=in_system).text != ""


def test_what_is_hidden_is_a_table_or_will_be_one(admin: httpx.Client) -> None:
    """A misspelt name would hide nothing."""
    listed = "SELECT name FROM system.tables WHERE database = 'system' FORMAT TSV"
    names = set(admin.post("/", content=listed).text.split())
    assert set(ADMIN_TABLES) - names <= {"crash_log", "query_log", "text_log"}


@pytest.mark.parametrize(
    "query",
    [
        "KILL QUERY WHERE 1",
        "KILL QUERY WHERE user = 'default' SYNC",
        "KILL QUERY WHERE query_id != 'x' SYNC",
        "KILL QUERY WHERE query_id = 'x' OR user = 'default' SYNC",
        "SYSTEM RELOAD CONFIG",
        "SELECT dictGet('x', 'y', 1)",
        "SELECT * FROM dictionary('x')",
        "SHOW USERS",
        "SHOW ACCESS",
        "SHOW CREATE USER default",
        "SELECT * FROM system.users",
        "SELECT * FROM system.grants",
        "SELECT addressToLine(1) SETTINGS allow_introspection_functions = 1",
    ],
)
def test_a_reader_neither_stops_others_nor_learns_who_they_are(
    reader: httpx.Client, query: str
) -> None:
    answer = reader.post("/", content=query)
    assert answer.status_code >= 400, answer.text
    code = answer.headers["X-ClickHouse-Exception-Code"]
    # 36: there is no such dictionary
    assert code in ("497", "164", "36"), answer.text
