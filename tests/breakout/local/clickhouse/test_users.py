"""Logins, and what the reader may do."""

import base64

import httpx
import pytest

from tests.breakout.local.conftest import ADMIN_PASSWORD, READER_PASSWORD
from tests.support.embedded_servers import ClickHouseServer, running_clickhouse

READONLY = "164"
ACCESS_DENIED = "497"
CONSTRAINT = "452"


def code(answer: httpx.Response) -> str | None:
    found = answer.headers.get("X-ClickHouse-Exception-Code")
    return None if found is None else str(found)


@pytest.fixture
def table(http: httpx.Client, database: str) -> str:
    """A table with one row that the reader must neither change nor lose."""
    name = f"{database}.t"
    http.post("/", content=f"CREATE TABLE {name} (a UInt64) ENGINE = MergeTree ORDER BY a")
    http.post("/", content=f"INSERT INTO {name} VALUES (42)").raise_for_status()
    return name


@pytest.mark.parametrize(
    ("name", "password"), [("default", ADMIN_PASSWORD), ("reader", READER_PASSWORD)]
)
def test_every_way_to_log_in(server: ClickHouseServer, name: str, password: str) -> None:
    arguments = {"user": name, "password": password}
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    with httpx.Client(base_url=server.url) as http:
        for answer in (
            http.post("/", content="SELECT 1", params=arguments),
            http.post("/", content="SELECT 1", headers={"Authorization": f"Basic {basic}"}),
            http.post(
                "/",
                content="SELECT 1",
                headers=[
                    (b"X-ClickHouse-User", name.encode()),
                    (b"X-ClickHouse-Key", password.encode()),
                ],
            ),
        ):
            assert answer.text == "1\n"
        answer = http.post(
            "/", content="SELECT 1", params=arguments, headers={"Authorization": f"Basic {basic}"}
        )
        assert code(answer) == "516"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("default", ""),
        ("default", READER_PASSWORD),
        ("default", ADMIN_PASSWORD + " "),
        ("reader", ""),
        ("nobody", ""),
        ("nobody", ADMIN_PASSWORD),
    ],
)
def test_wrong_logins_are_all_answered_alike(
    server: ClickHouseServer, name: str, password: str
) -> None:
    answer = httpx.post(server.url, content="SELECT 1", params={"user": name, "password": password})
    assert (answer.status_code, code(answer)) == (403, "516")
    assert answer.text.startswith(
        f"Code: 516. DB::Exception: {name}: Authentication failed: password is incorrect, "
        "or there is no user with such name."
    )


@pytest.mark.parametrize("header", ["Bearer x", "Basic !!!", "Basic /w=="])
def test_malformed_authorization(server: ClickHouseServer, header: str) -> None:
    answer = httpx.post(server.url, content="SELECT 1", headers={"Authorization": header})
    assert (answer.status_code, code(answer)) == (403, "516")


def test_without_passwords_both_users_are_open(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_clickhouse(tmp_path_factory.mktemp("open")) as server:
        assert httpx.post(server.url, content="SELECT 1").text == "1\n"
        create = "CREATE TABLE x (a UInt8) ENGINE = Memory"
        answer = httpx.post(server.url, content=create, params={"user": "reader"})
        assert code(answer) == READONLY
        assert httpx.post(server.url, content=create).status_code == 200


def test_no_reader_without_password_where_the_admin_has_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("closed")
    with running_clickhouse(directory, admin_password="x") as server:
        for user in ("reader", "default"):
            answer = httpx.post(server.url, content="SELECT 1", params={"user": user})
            assert code(answer) == "516"
        assert code(httpx.post(server.url, content="SELECT 1")) == "516"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sum(a) FROM {t}",
        "WITH x AS (SELECT a FROM {t}) SELECT sum(a) FROM x",
        "SELECT sum(a) FROM {t} SETTINGS max_threads = 1, readonly = 2",
        "SELECT sum(a) FROM {t} WHERE a IN (SELECT number FROM numbers(100)) FORMAT TSV",
        "SELECT sum(a) FROM merge(currentDatabase(), '^t$')",
        "SELECT sum(a) FROM view(SELECT a FROM {t})",
        "SELECT 42 AS file, 'url(''x'')' AS s FROM numbers(1) FORMAT JSONColumns",
        "SELECT formatRow('CSV', 42)",
        "DESCRIBE TABLE {t}",
        "SHOW TABLES",
        "EXPLAIN SELECT 42 FROM {t}",
        "SET max_threads = 42",
    ],
)
def test_reader_reads(reader: httpx.Client, database: str, table: str, query: str) -> None:
    answer = reader.post("/", content=query.format(t=table), params={"database": database})
    assert answer.status_code == 200, answer.text
    assert "42" in answer.text or not query.startswith(("SELECT", "WITH"))


def test_reader_changes_settings_of_a_request(reader: httpx.Client) -> None:
    answer = reader.post(
        "/", content="SELECT getSetting('max_threads')", params={"max_threads": "3"}
    )
    assert answer.text == "3\n"


WRITES = [
    "INSERT INTO {t} VALUES (1)",
    "INSERT INTO {t} SELECT 1",
    "insert into {t} FORMAT CSV\n1\n",
    "WITH x AS (SELECT 1) INSERT INTO {t} SELECT * FROM x",
    "INSERT INTO FUNCTION file('/tmp/breakout-reader', 'CSV', 'a UInt8') VALUES (1)",
    "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a UInt8') VALUES (1)",
    "CREATE TABLE {t}2 (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE x (a UInt8) ENGINE = File(CSV)",
    "CREATE VIEW {t}2 AS SELECT 1",
    "CREATE DATABASE breakout_reader",
    "CREATE FUNCTION breakout_reader AS x -> x",
    "CREATE USER breakout_reader",
    "GRANT ALL ON *.* TO breakout_reader",
    "ATTACH DATABASE breakout_reader ENGINE = Filesystem('/')",
    "DROP TABLE {t}",
    "TRUNCATE TABLE {t}",
    "ALTER TABLE {t} DELETE WHERE 1",
    "DELETE FROM {t} WHERE 1",
    "UPDATE {t} SET a = 1 WHERE 1",
    "RENAME TABLE {t} TO {t}2",
    "DETACH TABLE {t}",
    "OPTIMIZE TABLE {t} FINAL",
    "SYSTEM FLUSH LOGS",
    "SYSTEM SHUTDOWN",
    "KILL QUERY WHERE 1",
    "BACKUP TABLE {t} TO File('/tmp/breakout-reader')",
    "SET ROLE breakout_admin",
    "SET ROLE ALL",
    "set/**/role/**/all",
    "SET DEFAULT ROLE ALL TO default",
    "EXECUTE AS default SELECT 1",
    "BEGIN TRANSACTION",
]


@pytest.mark.parametrize("statement", WRITES)
def test_reader_does_not_write(
    http: httpx.Client, reader: httpx.Client, table: str, statement: str
) -> None:
    answer = reader.post("/", content=statement.format(t=table))
    assert code(answer) == READONLY, answer.text
    assert http.post("/", content=f"SELECT * FROM {table}").text == "42\n"


FILES_AND_OTHER_MACHINES = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM FILE('/etc/passwd', 'LineAsString')",
    "SELECT * FROM/**/file/**/('/etc/passwd', 'LineAsString')",
    "SELECT * FROM `file`('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT FILE('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT /* harmless */ file /* really */ ('/etc/passwd')",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "SELECT 1 WHERE 'x' IN (SELECT file('/etc/passwd'))",
    "SELECT 1 IN file('/etc/passwd', 'LineAsString')",
    "WITH file('/etc/passwd') AS x SELECT x",
    "SELECT * FROM view(SELECT file('/etc/passwd'))",
    "EXPLAIN SELECT file('/etc/passwd')",
    "EXPLAIN ESTIMATE SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "DESCRIBE TABLE file('/etc/passwd')",
    "SELECT * FROM `/etc/passwd`",
    "SELECT * FROM default.`/etc/passwd`",
    "SELECT * FROM default.`http://127.0.0.1:1/x.csv`",
    "SELECT 1 IN default.`/etc/passwd`",
    "DESCRIBE TABLE default.`/etc/passwd`",
    "SELECT * FROM loop(default, '/etc/passwd')",
    "SELECT * FROM filesystem('/etc')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/a.csv', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM input('a String')",
    "SELECT * FROM Python(os)",
    "SELECT * FROM eval('SELECT file(''/etc/passwd'')')",
    "SELECT * FROM eval('SELECT 1') SETTINGS allow_experimental_eval_table_function = 1",
    "SELECT aiGenerate('x')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT arrayMap(`file`, ['/etc/passwd'])",
    "SELECT arrayMap(\"f\\x69le\", ['/etc/passwd'])",
    "SELECT arrayMap({f:Identifier}, ['/etc/passwd'])",
    "WITH file AS f SELECT arrayMap(f, ['/etc/passwd'])",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS a)",
    "SELECT * APPLY file FROM (SELECT '/etc/passwd' AS a)",
    "SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd' AS a)",
    "SELECT COLUMNS('a') APPLY(file) FROM (SELECT '/etc/passwd' AS a)",
    "SELECT x FROM generateRandom('y UInt8, x String ALIAS file(''/etc/passwd'')') LIMIT 1",
    "SELECT x FROM generateRandom(concat('y UInt8, x String ALIAS fi', 'le(''/etc/passwd'')'))",
    "SELECT x FROM values('y UInt8, x String ALIAS file(''/etc/passwd'')', (1))",
    "SELECT x FROM values(concat('y UInt8, x String ALIAS fi', 'le(''/etc/passwd'')'), (1))",
    "SELECT x FROM values({s:String}, (1))",
    "SELECT * FROM format(Values, 'x String', '(file(''/etc/passwd''))')",
    "SELECT * FROM null('x String DEFAULT file(''/etc/passwd'')')",
]


@pytest.mark.parametrize("query", FILES_AND_OTHER_MACHINES)
def test_reader_reaches_no_files_and_no_other_machines(reader: httpx.Client, query: str) -> None:
    structure = "y UInt8, x String ALIAS file('/etc/passwd')"
    params = {"param_f": "file", "param_s": structure}
    answer = reader.post("/", content=query, params=params)
    # 62 where the engine's own parser knows no such form
    assert code(answer) in (ACCESS_DENIED, "62"), answer.text
    assert "root:" not in answer.text


def test_admin_may(http: httpx.Client, server: ClickHouseServer) -> None:
    """Of its own folder: what lies outside is tried in tests/security/test_confinement.py."""
    answer = http.post("/", content=f"SELECT position(file('{server.path}/users.xml'), 'role') > 0")
    assert answer.text == "1\n"


@pytest.mark.parametrize(
    "query",
    [
        # Where the FORMAT clause is looked for, a comment or string must not end otherwise
        "SELECT 1 // FORMAT CSV SETTINGS max_threads = 1; SET ROLE ALL",
        "SELECT 1 -- FORMAT CSV\n; SET ROLE ALL",
        "SELECT '\\' FORMAT CSV SETTINGS a = 1; SET ROLE ALL; --'",
        "SELECT 1 FORMAT CSV; SET ROLE ALL",
        "SELECT $a$ FORMAT CSV SETTINGS x = 1; SET ROLE ALL; $a$; SET ROLE ALL",
        "SELECT 1 /* /* */ FORMAT CSV SETTINGS x = 1; SET ROLE ALL -- */",
        "SELECT 1; INSERT INTO {t} VALUES (1)",
        "SELECT 1 INTO OUTFILE '/tmp/breakout-reader'",
        "SELECT 1 INTO/**/OUTFILE '/tmp/breakout-reader'",
    ],
)
def test_reader_can_not_smuggle(
    http: httpx.Client, reader: httpx.Client, table: str, query: str
) -> None:
    session = {"session_id": f"smuggler-{table}"}
    reader.post("/", content=query.format(t=table), params=session)
    roles = reader.post("/", content="SELECT currentRoles()", params=session)
    assert roles.text == "['breakout_reader']\n"
    answer = reader.post("/", content=f"INSERT INTO {table} VALUES (1)", params=session)
    assert code(answer) == READONLY
    assert http.post("/", content=f"SELECT * FROM {table}").text == "42\n"


@pytest.mark.parametrize(
    ("query", "allowed", "denied"),
    [
        ("SELECT arrayMap({p:Identifier}, ['/etc/passwd'])", "length", "file"),
        ("SELECT * FROM values({p:String}, 1)", "a UInt8", "a String DEFAULT file('/etc/passwd')"),
    ],
)
def test_reader_is_denied_other_values_of_an_allowed_statement(
    reader: httpx.Client, query: str, allowed: str, denied: str
) -> None:
    """Allowed statements are not checked again, but for those that depend on their parameters."""
    for _ in range(2):
        reader.post("/", content=query, params={"param_p": allowed})
        answer = reader.post("/", content=query, params={"param_p": denied})
        assert code(answer) == ACCESS_DENIED


def test_reader_repeats_a_statement_with_other_parameters(reader: httpx.Client) -> None:
    query = "SELECT {p:UInt64} + 1 /* queries of the API differ in their values only */"
    for value in (1, 2, 2):
        assert reader.post("/", content=query, params={"param_p": value}).text == f"{value + 1}\n"
    wrong = reader.post("/", content=query, params={"param_p": "x"})
    assert wrong.status_code != 200
    assert reader.post("/", content=query).status_code != 200
    assert code(reader.post("/", content=f"{query}; SET ROLE ALL", params={"param_p": 1})) == "62"


@pytest.mark.parametrize(
    ("setting", "value", "refused"),
    [
        ("readonly", "0", READONLY),
        ("readonly", "1", READONLY),
        ("max_execution_time", "0", CONSTRAINT),
        ("max_execution_time", "1000000", CONSTRAINT),
        ("max_memory_usage", "0", CONSTRAINT),
        ("max_rows_to_read", "0", CONSTRAINT),
        ("profile", "default", CONSTRAINT),
    ],
)
def test_reader_lifts_no_limit(
    reader: httpx.Client, setting: str, value: str, refused: str
) -> None:
    session = {"session_id": f"lifter-{setting}-{value}"}
    for answer in (
        reader.post("/", content="SELECT 1", params={setting: value}),
        reader.post("/", content=f"SELECT 1 SETTINGS {setting} = '{value}'"),
        reader.post("/", content=f"SET {setting} = '{value}'"),
        reader.post("/", content=f"SET {setting} = DEFAULT", params=session),
        reader.post("/", content="SELECT 1", params={setting: value, **session}),
    ):
        if setting == "profile" and answer.status_code == 200:
            # Naming the profile in a query, or its default, is allowed but changes nothing
            continue
        assert code(answer) == refused, answer.text
    shown = "SELECT getSetting('readonly'), getSetting('max_execution_time')"
    assert reader.post("/", content=shown, params=session).text == "2\t60\n"
    answer = reader.post("/", content="SET max_execution_time = 61", params=session)
    assert code(answer) == CONSTRAINT


def test_reader_limits_are_those_of_a_clickhouse_server() -> None:
    from breakout.clickhouse.readonly_user import LIMITS
    from breakout.local.clickhouse.config import READONLY_LIMITS

    assert READONLY_LIMITS == LIMITS


def test_views_of_the_admin_work_for_the_reader(
    http: httpx.Client, reader: httpx.Client, database: str, table: str
) -> None:
    http.post("/", content=f"CREATE VIEW {database}.v AS SELECT a + 1 AS b FROM {table}")
    assert reader.post("/", content=f"SELECT b FROM {database}.v").text == "43\n"


def test_passwords_are_in_no_process_table_and_no_log(server: ClickHouseServer) -> None:
    assert server.process is not None
    from pathlib import Path

    arguments = Path(f"/proc/{server.process.pid}/cmdline").read_text()
    httpx.post(server.url, content="SELECT 1", params={"user": "x", "password": ADMIN_PASSWORD})
    for text in (arguments, server.log.read_text(), (server.path / "users.xml").read_text()):
        assert ADMIN_PASSWORD not in text
        assert READER_PASSWORD not in text
