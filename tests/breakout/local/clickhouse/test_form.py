"""Arguments in the body, external tables, roles, and what clients read of the answer's headers."""

import struct

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.external import ExternalData

ROWS = b"1\tone\n2\ttw\\to\n"


def form(
    client: httpx.Client,
    fields: dict[str, str],
    tables: dict[str, bytes] | None = None,
    **arguments: str,
) -> httpx.Response:
    parts: list[tuple[str, tuple[str | None, str | bytes]]] = [
        (name, (None, value)) for name, value in fields.items()
    ]
    parts += [(name, (f"{name}.data", data)) for name, data in (tables or {}).items()]
    return client.post("/", files=parts, params=arguments)


def test_arguments_in_the_body(http: httpx.Client, reader: httpx.Client, database: str) -> None:
    for client in (http, reader):
        answer = form(
            client,
            {
                "query": "SELECT {s:String}, {n:UInt64}, currentDatabase(), queryID(), "
                "getSetting('max_block_size')",
                "param_s": "it's \\\\ ü",
                "param_n": "18446744073709551615",
                "database": database,
                "query_id": f"of {client.auth}",
                "max_block_size": "17",
            },
        )
        assert answer.status_code == 200, answer.text
        ours = answer.text.rstrip("\n").split("\t")
        assert ours[:3] == ["it\\'s \\\\ ü", str(2**64 - 1), database]
        assert ours[4] == "17"


def test_arguments_in_the_address_and_the_body(http: httpx.Client) -> None:
    answer = form(http, {"param_b": "2"}, query="SELECT {a:Int8} + {b:Int8}", param_a="1")
    assert answer.text == "3\n"


def test_login_is_not_taken_from_the_body(http: httpx.Client) -> None:
    url = httpx.URL(http.base_url)
    answer = httpx.post(url, files={"query": (None, "SELECT 1"), "user": (None, "default")})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "516"


@pytest.mark.parametrize("described_in", ["address", "body"])
def test_external_tables(http: httpx.Client, reader: httpx.Client, described_in: str) -> None:
    described = {
        "rows_structure": "id UInt8, `the text` Nullable(String)",
        "more_types": "Array(UInt8), DateTime64(3, 'UTC')",
        "more_format": "JSONCompactEachRow",
    }
    tables = {"rows": ROWS, "more": b'[[1, 2], "2026-11-23 12:00:00.123"]'}
    fields = {"query": "SELECT rows.*, has(_1, rows.id), _2 FROM rows, more ORDER BY id FORMAT CSV"}
    for client in (http, reader):
        if described_in == "address":
            answer = form(client, fields, tables, **described)
        else:
            answer = form(client, fields | described, tables)
        assert answer.status_code == 200, answer.text
        assert answer.text.splitlines() == [
            '1,"one",1,"2026-11-23 12:00:00.123"',
            '2,"tw\to",1,"2026-11-23 12:00:00.123"',
        ]


def test_external_parquet(reader: httpx.Client) -> None:
    rows = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": pa.array(range(100_000), pa.uint64())}), rows)
    answer = form(
        reader,
        {"query": "SELECT sum(n) FROM given", "given_structure": "n UInt64"},
        {"given": rows.getvalue().to_pybytes()},
        given_format="Parquet",
    )
    assert answer.text == f"{sum(range(100_000))}\n"


def test_external_tables_live_as_long_as_their_query(reader: httpx.Client, database: str) -> None:
    fields = {"query": "SELECT count() FROM gone", "gone_structure": "id UInt8, t String"}
    for _ in range(2):
        answer = form(reader, fields, {"gone": ROWS}, session_id="external", database=database)
        assert answer.text == "2\n"
    answer = reader.post(
        "/",
        content="SELECT count() FROM gone",
        params={"session_id": "external", "database": database},
    )
    assert answer.headers["X-ClickHouse-Exception-Code"] == "60"


def test_insert_select_of_an_external_table(http: httpx.Client, database: str) -> None:
    http.post("/", content=f"CREATE TABLE {database}.t (id UInt8, t String) ENGINE = Memory")
    fields = {"query": f"INSERT INTO {database}.t SELECT * FROM given"}
    answer = form(http, fields, {"given": ROWS}, given_structure="id UInt8, t String")
    assert answer.status_code == 200, answer.text
    assert http.post("/", content=f"SELECT count() FROM {database}.t").text == "2\n"


@pytest.mark.parametrize(
    "structure",
    [
        "a String DEFAULT file('/etc/passwd')",
        "a String ALIAS file('/etc/passwd')",
        "a String MATERIALIZED hostName()",
        "a String) ENGINE = File('TSV', '/etc/passwd') --",
        "a String) AS SELECT file('/etc/passwd') /*",
        "a String CODEC(ZSTD)",
        "a Enum8('\\'' = 1)",
        "a Tuple(b String, c file('/etc/passwd'))",
        "a, b",
        "a String,",
        "a String b",
        "",
        "a `String`",
        "(SELECT 1) a",
    ],
)
def test_a_structure_names_columns_and_types_alone(reader: httpx.Client, structure: str) -> None:
    fields = {"query": "SELECT * FROM given", "given_structure": structure}
    answer = form(reader, fields, {"given": b"x\n"})
    assert answer.headers["X-ClickHouse-Exception-Code"] in {"36", "50", "62"}, answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("data_format", ["Values", "SQLInsert", "MySQLDump", "Template", "X; DROP"])
def test_external_data_are_values_alone(reader: httpx.Client, data_format: str) -> None:
    fields = {"query": "SELECT * FROM given", "given_structure": "a String"}
    answer = form(reader, fields, {"given": b"(file('/etc/passwd'))"}, given_format=data_format)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "73"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--b\r\n\r\nno name\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"", "multipart/form-data"),
        (
            b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\ncut",
            "multipart/form-data; boundary=b",
        ),
        (
            b"--b\r\nContent-Disposition: form-data; name=a\r\n" + b"X: 1\r\n" * 1000,
            "multipart/form-data; boundary=b",
        ),
        (
            b"--b\r\nContent-Disposition: form-data; name=_charset_\r\n\r\n"
            + b"a" * 100
            + b"\r\n--b--\r\n",
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_a_form_that_cannot_be_read(http: httpx.Client, body: bytes, content_type: str) -> None:
    answer = http.post("/", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 400, answer.text
    assert "X-ClickHouse-Exception-Code" in answer.headers


@pytest.mark.parametrize(
    "part",
    [
        b"name=param_a\r\n\r\n\xff",
        b"name=max_threads\r\n\r\n\xff",
        b"name=session_id\r\n\r\n\xff",
        b"name=query_id\r\n\r\n\xff",
        b"name=role\r\n\r\n\xff",
        b'name="\xff"\r\n\r\n1',
        b'name="\xff"; filename=a\r\n\r\n1',
    ],
)
def test_fields_are_utf8(reader: httpx.Client, part: bytes) -> None:
    body = b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = reader.post("/", content=body, headers=kind, params={"query": "SELECT 1"})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "36", answer.text
    assert "is not UTF-8" in answer.text


def test_a_statement_may_hold_any_bytes(http: httpx.Client, reader: httpx.Client) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=query\r\n\r\nSELECT hex('\xff')"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    for client in (http, reader):
        answer = client.post("/", content=body + b"\r\n--b--\r\n", headers=kind)
        assert answer.text == "FF\n"
        assert client.post("/", content=b"SELECT hex('\xff')").text == "FF\n"


def test_a_broken_external_table_says_so(http: httpx.Client) -> None:
    answer = form(http, {"query": "SELECT 1"}, {"t": b"x\n"}, t_structure="a UInt8")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "27"


def test_clickhouse_connect_external_data(client: Client) -> None:
    data = ExternalData(
        file_name="wanted.csv",
        fmt="CSV",
        structure=["id UInt64", "name String"],
        data=b"1,a\n7,b\n",
    )
    answer = client.query(
        "SELECT number, name FROM numbers(5) n JOIN wanted ON number = id WHERE number < {n:UInt8}",
        parameters={"n": 3},
        external_data=data,
    )
    assert answer.result_rows == [(1, "a")]


def test_roles(http: httpx.Client, reader: httpx.Client, database: str) -> None:
    def asked(client: httpx.Client, query: str, *roles: str) -> httpx.Response:
        return client.post("/", content=query, params=[("role", role) for role in roles])

    reading = asked(http, "SELECT currentRoles()", "breakout_reader")
    assert reading.text == "['breakout_reader']\n"
    create = f"CREATE TABLE {database}.t (a UInt8) ENGINE = Memory"
    assert asked(http, create, "breakout_reader").headers["X-ClickHouse-Exception-Code"] == "497"
    assert asked(http, create, "breakout_reader", "breakout_admin").status_code == 200
    assert asked(reader, "SELECT 1", "breakout_reader").text == "1\n"
    for client, role, code in (
        (http, "nosuch", "511"),
        (reader, "nosuch", "511"),
        (reader, "breakout_admin", "512"),
    ):
        refused = asked(client, "SELECT 1", role)
        assert refused.headers["X-ClickHouse-Exception-Code"] == code
        assert refused.status_code == {"511": 404, "512": 403}[code]


def test_a_role_of_a_request_does_not_stay_in_its_session(http: httpx.Client) -> None:
    session = {"session_id": "roles"}
    query = "SELECT length(currentRoles())"
    assert (
        http.post("/", content=query, params={**session, "role": "breakout_reader"}).text == "1\n"
    )
    assert http.post("/", content=query, params=session).text == "2\n"


def test_a_format_is_named_where_there_is_a_result(http: httpx.Client, database: str) -> None:
    for statement, name in (
        (f"CREATE TABLE {database}.t (a UInt8) ENGINE = Memory", None),
        (f"INSERT INTO {database}.t FORMAT CSV 1", None),
        (f"INSERT INTO {database}.t SELECT 1", None),
        ("SET max_threads = 1", None),
        (f"SELECT * FROM {database}.t WHERE 0 FORMAT JSONEachRow", "JSONEachRow"),
        ("SHOW TABLES", "TabSeparated"),
        ("EXPLAIN SELECT 1", "TabSeparated"),
        ("KILL QUERY WHERE 0 FORMAT JSON", "JSON"),
        ("SELECT nosuch FORMAT JSON", None),
        ("SYSTEM FLUSH LOGS", None),
    ):
        answer = http.post("/", content=statement)
        assert answer.headers.get("X-ClickHouse-Format") == name, statement
        if name is None:
            assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"


@pytest.mark.parametrize("revision", [54453, 54454, 54460])
def test_the_first_answer_to_clickhouse_go(http: httpx.Client, revision: int) -> None:
    """Its block is framed as of the asked version, and says that all others are not."""
    version = http.post("/", content="SELECT version()").text.strip().encode()
    answer = http.post(
        "/",
        content="SELECT displayName(), version(), revision(), timezone()",
        params={"default_format": "Native", "client_protocol_version": revision},
    )
    gap = b"\0" if revision >= 54454 else b""

    def column(name: bytes, kind: bytes, value: bytes) -> bytes:
        return bytes([len(name)]) + name + bytes([len(kind)]) + kind + gap + value

    assert answer.content == (
        bytes.fromhex("010002ffffffff00 0401")
        + column(b"displayName()", b"String", b"\x11breakout embedded")
        + column(b"version()", b"String", bytes([len(version)]) + version)
        + column(b"revision()", b"UInt32", struct.pack("<I", 0))
        + column(b"timezone()", b"String", b"\3UTC")
    )
    other = http.post(
        "/",
        content="SELECT 1 AS a",
        params={"default_format": "Native", "client_protocol_version": revision},
    )
    assert other.content == b"\1\1\1a\5UInt8\1"
