"""Statements of a reader in which a function that reads files stands wherever a name can stand.

Each names a file of this machine, or a port of it, in every position of a statement and in
every text that the engine reads as SQL. With the kernel's confinement and without it, neither
what is in the file nor a connection to the port may come of it.
"""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from hypothesis import strategies as st

from tests.fuzz.effort import efforts, explore
from tests.support.embedded_servers import ClickHouseServer
from tests.support.server_process import free_port

SECRET = "what-nobody-may-read"
EXAMPLES = 250

# A function as a name is written; {f} is it, {a} a text argument for it.
NAMES = [
    "{f}",
    "`{f}`",
    '"{f}"',
    "/* x */ {f} /* ( */",
    "{f} -- x\n",
    '"{e}"',
    "{{fn:Identifier}}",
    "F{f}",
]
# Statements around a function by its name alone.
BY_NAME = [
    "SELECT arrayMap({n}, ['{a}'])",
    "SELECT arrayFilter(y -> 1, arrayMap({n}, ['{a}']))",
    "SELECT arrayFold({n}, ['{a}'], '')",
    "SELECT mapApply({n}, map('{a}', '{a}'))",
    "SELECT arraySort({n}, ['{a}'])",
    "SELECT arrayFirst({n}, ['{a}'])",
    "SELECT * APPLY({n}) FROM (SELECT '{a}' AS q)",
    "SELECT * APPLY {n} FROM (SELECT '{a}' AS q)",
    "SELECT COLUMNS('q') APPLY({n}) FROM (SELECT '{a}' AS q)",
    "SELECT q.* APPLY({n}) FROM (SELECT '{a}' AS z) AS q",
    "SELECT * EXCEPT z APPLY({n}) FROM (SELECT '{a}' AS q, 1 AS z)",
    "WITH {n} AS g SELECT arrayMap(g, ['{a}'])",
    "WITH (y -> {n}(y)) AS g SELECT g('{a}')",
    "SELECT 1 ORDER BY arrayMap({n}, ['{a}'])",
    "SELECT throwIf(1, toString(arrayMap({n}, ['{a}'])))",
]
# Statements around an expression.
EXPRESSIONS = ["{n}('{a}')", "{n} ('{a}')", "({n}('{a}'))", "concat('', {n}('{a}'))"]
AROUND = [
    "SELECT {x}",
    "SELECT 1 WHERE length({x}) > 0",
    "WITH {x} AS y SELECT y",
    "SELECT 1 IN (SELECT {x})",
    "SELECT * FROM view(SELECT {x} AS y)",
    "SELECT * FROM (SELECT {x})",
    "SELECT [{x}]",
    "SELECT (1, {x}).2",
    "SELECT map('a', {x})",
    "SELECT {x} AS y GROUP BY y HAVING y != '' ORDER BY y",
    "SELECT y FROM (SELECT 1 AS z) ARRAY JOIN [{x}] AS y",
    "SELECT * FROM (SELECT 1 AS z) AS l JOIN (SELECT 1 AS z, {x} AS y) AS r USING z",
    "SELECT * REPLACE ({x} AS z) FROM (SELECT '' AS z)",
    "SELECT any({x}) OVER (ORDER BY 1)",
    "SELECT 1 UNION ALL SELECT {x}",
    "EXPLAIN SELECT {x}",
    "EXPLAIN PIPELINE SELECT {x}",
    "DESCRIBE TABLE (SELECT {x})",
    "SELECT * FROM numbers(length({x}))",
    "SELECT CASE {x} WHEN '' THEN 1 ELSE throwIf(1, {x}) END",
    "SELECT 1 LIMIT length({x})",
    "SELECT 1 SETTINGS max_threads = length({x})",
    "SET max_threads = length({x})",
    "SELECT 1 FORMAT {n}",
]
# Texts that the engine reads as SQL; {s} is a structure with an expression.
STRUCTURES = [
    "y UInt8, x String ALIAS {q}",
    "x String DEFAULT {q}",
    "x String MATERIALIZED {q}, y UInt8",
    "x String /* */ alias {q}, y UInt8",
    "y UInt8 EPHEMERAL 1, x String DEFAULT {q}",
]
OF_STRUCTURES = [
    "SELECT x FROM generateRandom('{s}') LIMIT 1",
    "SELECT * FROM generateRandom('{s}') LIMIT 1",
    "SELECT x FROM generateRandom(concat('', '{s}')) LIMIT 1",
    "SELECT x FROM generateRandom({{text:String}}) LIMIT 1",
    "SELECT x FROM values('{s}', (1))",
    "SELECT x, y FROM values('{s}', (1, 'a'))",
    "SELECT x FROM VALUES(concat('', '{s}'), (1))",
    "SELECT x FROM values({{text:String}}, (1))",
    "SELECT x FROM null('{s}')",
    "SELECT x FROM format(JSONEachRow, '{s}', '{{}}')",
    "SELECT * FROM format(Values, 'x String', '({q})')",
    "SELECT * FROM input('{s}')",
    "SELECT * FROM eval('SELECT {q}')",
    "SELECT x FROM fuzzJSON('{s}')",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT {q}))",
]
TABLES = [
    "SELECT * FROM {n}('{a}', 'LineAsString')",
    "SELECT * FROM {n}('{a}')",
    "SELECT 1 IN {n}('{a}', 'LineAsString')",
    "DESCRIBE TABLE {n}('{a}')",
    "SELECT * FROM `{a}`",
    "SELECT * FROM default.`{a}`",
    "SELECT * FROM loop(default, '{a}')",
    "SELECT * FROM url('http://127.0.0.1:{port}/', 'LineAsString', 'x String')",
    "SELECT * FROM remote('127.0.0.1:{port}', system.one)",
    "SELECT * FROM s3('http://127.0.0.1:{port}/b/k', 'LineAsString')",
    "SELECT * FROM mysql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM postgresql('127.0.0.1:{port}', 'a', 'b', 'c', 'd')",
    "SELECT * FROM `http://127.0.0.1:{port}/x.csv`",
]


_WITHOUT_CONFINEMENT = """
import breakout.local.clickhouse.server as server
server.confine = lambda **_: None
raise SystemExit(server.main())
"""


class Unconfined(ClickHouseServer):
    """The server on a kernel that confines nothing."""

    program: ClassVar[tuple[str, ...]] = (sys.executable, "-c", _WITHOUT_CONFINEMENT)


@pytest.fixture(scope="module", params=[ClickHouseServer, Unconfined])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClickHouseServer]:
    kind: type[ClickHouseServer] = request.param
    server = kind(tmp_path_factory.mktemp("clickhouse"), free_port(), "admin", "reader")
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secret") / "secret.csv"
    file.write_text(f"{SECRET}\n")
    return file


WRAPPED = [
    "{s}",
    "SELECT * FROM ({s})",
    "SELECT * FROM view({s})",
    "EXPLAIN {s}",
    "WITH cte AS ({s}) SELECT * FROM cte",
    "SELECT 1 UNION ALL {s}",
    "SELECT toString(({s}))",
    "/* {{ */ {s} -- }}",
]


@st.composite
def statements(draw: st.DrawFn, path: str, port: int) -> str:
    """A statement that names the file at `path`, or `port`, in one of the ways above."""

    def one_of(texts: list[str]) -> str:
        return draw(st.sampled_from(texts))

    escaped = "".join(f"\\x{ord(letter):02x}" for letter in "file")
    name = one_of(NAMES).replace("{f}", "file").replace("{e}", escaped).replace("{{", "{")
    name = name.replace("}}", "}")
    quoted = f"file(\\'{path}\\')"
    parts = {
        "{x}": one_of(EXPRESSIONS),
        "{s}": one_of(STRUCTURES),
        "{n}": name,
        "{a}": path,
        "{q}": quoted,
        "{port}": str(port),
        "{{": "{",
        "}}": "}",
    }
    statement = one_of([*BY_NAME, *AROUND, *OF_STRUCTURES, *TABLES])
    # Parts hold parts
    for _ in range(3):
        for mark, part in parts.items():
            statement = statement.replace(mark, part)
    return one_of(WRAPPED).replace("{s}", statement)


@efforts
def test_no_statement_of_a_reader_reaches_a_file_or_a_port(
    server: ClickHouseServer, secret: Path, effort: int
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        httpx.Client(base_url=server.url, auth=("reader", "reader"), timeout=60) as reader,
    ):
        listener.setblocking(False)
        params = {
            "param_fn": "file",
            "param_text": f"y UInt8, x String ALIAS file('{secret}')",
            "http_max_tries": "1",
        }

        def check(query: str) -> None:
            answer = reader.post("/", content=query, params=params)
            assert SECRET not in answer.text
            with pytest.raises(BlockingIOError):
                listener.accept()

        port = listener.getsockname()[1]
        explore(statements(str(secret), port), check, examples=EXAMPLES, effort=effort)
        assert reader.post("/", content="SELECT 1").text == "1\n"


def test_the_secret_is_there_to_be_found(secret: Path, tmp_path: Path) -> None:
    """The statements do reach the file where nothing keeps them from it."""
    server = Unconfined(tmp_path / "clickhouse", free_port(), "", "")
    server.start()
    found: set[str] = set()
    params = {
        "param_fn": "file",
        "param_text": f"x String ALIAS file('{secret}'), y UInt8",
        # Rows made at random have no end
        "max_result_rows": "1000",
    }

    def check(query: str) -> None:
        if "127.0.0.1" not in query:
            answer = httpx.post(server.url, content=query, params=params, timeout=60)
            if SECRET in answer.text:
                found.add(query)

    try:
        explore(statements(str(secret), 1), check, examples=EXAMPLES, effort=1)
    finally:
        server.close()
    assert len(found) >= 40
