"""ClickHouse's HTTP interface, spoken by hand."""

import collections
import json

import httpx
import pytest


def post(http: httpx.Client, body: str | bytes, **arguments: str) -> httpx.Response:
    return http.post("/", content=body, params=arguments)


def test_ping_needs_no_login(http: httpx.Client) -> None:
    answer = http.get("/ping", auth=None)
    assert (answer.status_code, answer.text) == (200, "Ok.\n")


def test_query_in_the_address_the_body_or_both(http: httpx.Client) -> None:
    assert http.get("/", params={"query": "SELECT 1"}).text == "1\n"
    assert post(http, "SELECT 2").text == "2\n"
    # As ClickHouse does, the body follows the address after a line end
    assert post(http, "3, 'x'", query="SELECT").text == "3\tx\n"


def test_format_of_the_query_wins_over_argument_and_header(http: httpx.Client) -> None:
    header = {"X-ClickHouse-Format": "CSV"}
    query = "SELECT 'a' AS x, 18446744073709551615 AS y"
    assert post(http, query).text == "a\t18446744073709551615\n"
    assert http.post("/", content=query, headers=header).text == '"a",18446744073709551615\n'
    answer = http.post(
        "/", content=query, headers=header, params={"default_format": "JSONCompactEachRow"}
    )
    assert answer.headers["X-ClickHouse-Format"] == "JSONCompactEachRow"
    answer = post(http, query + " FORMAT JSONEachRow -- FORMAT CSV", default_format="CSV")
    assert answer.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert json.loads(answer.text)["x"] == "a"


def test_headers(http: httpx.Client) -> None:
    answer = post(http, "SELECT number FROM numbers(10)", query_id="my-query")
    assert answer.headers["X-ClickHouse-Query-Id"] == "my-query"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    summary = json.loads(answer.headers["X-ClickHouse-Summary"])
    assert summary["read_rows"] == "10"
    assert summary["result_rows"] == "10"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("it's; DROP TABLE x --", "it's; DROP TABLE x --"),
        (r"a\tb\\c\n", "a\tb\\c\n"),
        ("Größe 模型", "Größe 模型"),
    ],
)
def test_parameters_are_values_never_sql(http: httpx.Client, written: str, value: str) -> None:
    answer = post(http, "SELECT {x:String} FORMAT TSVRaw", param_x=written)
    assert answer.text == value + "\n"


def test_parameters_of_an_insert(http: httpx.Client, database: str) -> None:
    post(http, f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    answer = post(http, "INSERT INTO {d:Identifier}.t FORMAT CSV\n7\n8\n", param_d=database)
    assert answer.status_code == 200
    assert post(http, f"SELECT sum(a) FROM {database}.t").text == "15\n"


def test_long_parameters(http: httpx.Client) -> None:
    ids = [f"org/model-{number}" for number in range(1500)]
    answer = post(http, "SELECT length({ids:Array(String)})", param_ids=str(ids))
    assert answer.text == "1500\n", answer.status_code


def test_settings_and_database_as_arguments(http: httpx.Client, database: str) -> None:
    answer = post(
        http,
        "SELECT getSetting('max_threads'), currentDatabase()",
        max_threads="3",
        database=database,
    )
    assert answer.text == f"3\t{database}\n"
    # They end with the request
    assert post(http, "SELECT getSetting('max_threads') = 3").text == "0\n"


@pytest.mark.parametrize(
    ("body", "data_format"),
    [
        (b'1,"a"\n2,\\N\n', "CSV"),
        (b'{"a":1,"b":"a"}\n{"a":2,"b":null}\n', "JSONEachRow"),
        (b"1\ta\n2\t\\N\n", "TabSeparated"),
        (b"(1,'a'),(2,NULL)", "Values"),
    ],
)
def test_insert_formats(http: httpx.Client, database: str, body: bytes, data_format: str) -> None:
    post(
        http,
        f"CREATE TABLE {database}.t (a UInt64, b Nullable(String)) ENGINE = MergeTree ORDER BY a",
    )
    insert = f"INSERT INTO {database}.t (a, b) FORMAT {data_format}"
    for answer in (
        post(http, body, query=insert),
        post(http, insert.encode() + b"\n" + body),
    ):
        assert answer.status_code == 200, answer.text
        assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert post(http, f"SELECT * FROM {database}.t ORDER BY a FORMAT CSV").text == (
        '1,"a"\n1,"a"\n2,\\N\n2,\\N\n'
    )


def test_native_round_trip_keeps_every_byte(http: httpx.Client, database: str) -> None:
    columns = "m LowCardinality(String), t DateTime64(3, 'UTC'), n Nullable(UInt64), s String"
    for table in ("a", "b"):
        post(http, f"CREATE TABLE {database}.{table} ({columns}) ENGINE = MergeTree ORDER BY t")
    post(
        http,
        f"INSERT INTO {database}.a SELECT 'model ' || number % 7,"
        " toDateTime64(number, 3, 'UTC'), if(number % 3 = 0, NULL, 18446744073709551615 - number),"
        " unhex('00FF0A') FROM numbers(5000)",
    )
    rows = post(http, f"SELECT * FROM {database}.a ORDER BY t FORMAT Native").content
    answer = post(http, rows, query=f"INSERT INTO {database}.b FORMAT Native")
    assert answer.status_code == 200, answer.text
    assert post(http, f"SELECT * FROM {database}.b ORDER BY t FORMAT Native").content == rows


@pytest.mark.parametrize("data_format", ["Parquet", "ORC", "Arrow", "ArrowStream", "RowBinary"])
def test_binary_formats_round_trip(http: httpx.Client, database: str, data_format: str) -> None:
    post(http, f"CREATE TABLE {database}.t (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    rows = "SELECT number AS a, toString(number) AS b FROM numbers(1000)"
    data = post(http, f"{rows} FORMAT {data_format}").content
    answer = post(http, data, query=f"INSERT INTO {database}.t FORMAT {data_format}")
    assert answer.status_code == 200, answer.text
    assert post(http, f"SELECT * FROM {database}.t ORDER BY a").text == post(http, rows).text


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("INSERT INTO {}.t VALUES ('2026-01-01', 9)", "469"),
        ("INSERT INTO {}.t SETTINGS max_threads = 1 FORMAT TSV\n2026-01-01\t9\n", "469"),
        ("INSERT INTO {}.t FORMAT TSV\n" + "2026-01-01\t1\n" * 300_000 + "2026-01-01\t9\n", "469"),
        (
            "INSERT INTO {}.t FORMAT CSV\n"
            + "\n".join(f"{year}-01-01,1" for year in range(1980, 2100)),
            "252",
        ),
    ],
    ids=["constraint", "settings", "late", "partitions"],
)
def test_an_insert_that_fails_after_its_data_were_read_says_so(
    http: httpx.Client, database: str, statement: str, code: str
) -> None:
    post(
        http,
        f"CREATE TABLE {database}.t (d Date, a UInt64, CONSTRAINT small CHECK a < 9)"
        " ENGINE = MergeTree PARTITION BY d ORDER BY a",
    ).raise_for_status()
    answer = post(http, statement.format(database))
    assert answer.headers.get("X-ClickHouse-Exception-Code") == code, answer.text
    assert post(http, f"SELECT count() FROM {database}.t").text == "0\n"


@pytest.mark.parametrize(
    ("arguments", "headers", "code"),
    [
        ({"session_id": "a", "session_timeout": "9" * 5000}, {}, "374"),
        ({"query_id": "a\r\nX-Injected: 1"}, {}, "36"),
        ({}, {b"X-ClickHouse-User": b"\xff"}, "36"),
        ({}, {b"Content-Encoding": b"\xff"}, "36"),
    ],
    ids=["timeout", "line break", "user", "coding"],
)
def test_arguments_that_cannot_be_used_are_refused(
    http: httpx.Client, arguments: dict[str, str], headers: dict[bytes, bytes], code: str
) -> None:
    answer = http.post("/", content="SELECT 1", params=arguments, headers=headers)
    assert answer.headers["X-ClickHouse-Exception-Code"] == code
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_a_repeated_insert_with_its_token_writes_nothing(http: httpx.Client, database: str) -> None:
    post(
        http,
        f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a"
        " SETTINGS non_replicated_deduplication_window = 100",
    )
    for token in ("first", "first", "second"):
        post(
            http, f"INSERT INTO {database}.t VALUES (1)", insert_deduplication_token=token
        ).raise_for_status()
    assert post(http, f"SELECT count() FROM {database}.t").text == "2\n"


def test_a_large_insert_makes_few_parts(http: httpx.Client, database: str) -> None:
    post(http, f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    post(http, f"SYSTEM STOP MERGES {database}.t").raise_for_status()
    rows = b"".join(b"%d\n" % number for number in range(500_000))
    post(http, rows, query=f"INSERT INTO {database}.t FORMAT TSV").raise_for_status()
    shown = f"SELECT sum(rows), count() FROM system.parts WHERE active AND database = '{database}'"
    assert post(http, shown).text == "500000\t1\n"


def test_insert_select(http: httpx.Client, database: str) -> None:
    post(http, f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    post(http, f"INSERT INTO {database}.t SELECT number FROM numbers(10)").raise_for_status()
    assert post(http, f"SELECT sum(a) FROM {database}.t").text == "45\n"


@pytest.mark.parametrize("function", ["input", "/* */ `input`"])
def test_input_is_refused_since_it_would_lose_the_data(
    http: httpx.Client, database: str, function: str
) -> None:
    post(http, f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    query = f"INSERT INTO {database}.t SELECT a FROM {function}('a UInt64') FORMAT CSV\n1\n2\n"
    answer = post(http, query)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "48", answer.text


@pytest.mark.parametrize(
    ("query", "code", "status"),
    [
        ("SELEC 1", 62, 400),
        ("", 62, 400),
        ("SELECT 1; SELECT 2", 62, 400),
        ("SELECT * FROM no_such_table", 60, 404),
        ("SELECT no_such_column", 47, 404),
        ("SELECT no_such_function()", 46, 404),
        ("SELECT 1 FORMAT NoSuchFormat", 73, 404),
        ("SELECT * FROM no_such_database.t", 81, 404),
        ("SELECT 1 SETTINGS no_such_setting = 1", 115, 404),
        ("SELECT toUInt8('x')", 6, 400),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT {x:String}", 456, 500),
        ("INSERT INTO no_such_table VALUES (1)", 60, 404),
        ("INSERT INTO FUNCTION null('a UInt8') FORMAT CSV\nx\n", 117, 400),
        ("SELECT 1 INTO OUTFILE '/tmp/breakout-must-not-exist'", 358, 500),
        ("INSERT INTO FUNCTION null('a String') FROM INFILE '/etc/passwd' FORMAT CSV", 358, 500),
    ],
)
def test_errors(http: httpx.Client, query: str, code: int, status: int) -> None:
    answer = post(http, query)
    assert answer.headers.get("X-ClickHouse-Exception-Code") == str(code), answer.text
    assert answer.status_code == status
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert "INTO OUTFILE '/dev" not in answer.text
    assert "/*" not in answer.text


def test_codes_carry_the_names_the_engine_gives_them(http: httpx.Client) -> None:
    from breakout.local.clickhouse import errors as clickhouse_errors

    ours = clickhouse_errors._NAMES
    names = post(
        http,
        "SELECT toInt64(errorCodeToName(c) = n) FROM format(TSV, 'c Int32, n String', {x:String})",
        param_x="\\n".join(f"{code}\\t{name}" for code, name in ours.items()),
    )
    assert names.text == "1\n" * len(ours)


def test_unknown_argument_is_an_unknown_setting(http: httpx.Client) -> None:
    answer = post(http, "SELECT 1", no_such_setting="1")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "115"
    assert answer.status_code == 404


def test_a_format_argument_is_a_name_and_nothing_else(http: httpx.Client) -> None:
    answer = post(http, "SELECT 1", default_format="CSV; DROP DATABASE default")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (404, "73")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE default.x (a UInt8) ENGINE = Memory",
        "INSERT INTO FUNCTION null('a UInt8') VALUES (1)",
    ],
)
def test_get_only_reads(http: httpx.Client, statement: str) -> None:
    answer = http.get("/", params={"query": statement})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164", answer.text
    assert answer.status_code == 500


@pytest.mark.parametrize(
    "query",
    [
        "EXPLAIN SELECT 1",
        "EXPLAIN AST SELECT 1",
        "SHOW DATABASES",
        "DESCRIBE TABLE system.one",
        "EXISTS TABLE system.one",
        "SHOW CREATE TABLE INFORMATION_SCHEMA.tables",
        "WITH 1 AS x SELECT x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT 1;",
        "SELECT 'FORMAT CSV' -- FORMAT CSV",
        "/* FORMAT CSV */ SELECT 1 /* ; */ ;",
        "SELECT 1 SETTINGS max_threads = 1 FORMAT CSV SETTINGS max_block_size = 1",
    ],
)
def test_statements_that_answer(http: httpx.Client, query: str) -> None:
    answer = post(http, query)
    assert answer.status_code == 200, answer.text
    assert answer.text


def test_large_result_is_whole_and_streamed(http: httpx.Client) -> None:
    rows = 3_000_000
    with http.stream(
        "POST",
        "/",
        content=f"SELECT number, toString(number) AS s FROM numbers({rows}) FORMAT JSON",
    ) as answer:
        # Sent before its length is known
        assert "Content-Length" not in answer.headers
        body = answer.read()
    document = json.loads(body)
    assert document["rows"] == rows
    assert document["data"][-1] == {"number": rows - 1, "s": str(rows - 1)}


def test_wait_end_of_query_reports_a_late_error_by_status(http: httpx.Client) -> None:
    query = "SELECT throwIf(number = 2900000) FROM numbers(3000000) SETTINGS max_threads = 1"
    answer = post(http, query, wait_end_of_query="1")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "395")


def test_error_behind_rows_breaks_the_connection(http: httpx.Client) -> None:
    query = "SELECT throwIf(number = 2900000) FROM numbers(3000000) SETTINGS max_threads = 1"
    received = bytearray()
    with http.stream("POST", "/", content=query) as answer:
        assert answer.status_code == 200
        tag = answer.headers["X-ClickHouse-Exception-Tag"]
        with pytest.raises(httpx.RemoteProtocolError):
            collections.deque(map(received.extend, answer.iter_raw()), maxlen=0)
    assert f"__exception__\r\n{tag}\r\nCode: 395.".encode() in received


def test_requests_from_other_web_sites_are_refused(http: httpx.Client) -> None:
    answer = http.post("/", content="SELECT 1", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
