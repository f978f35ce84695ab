"""The ids that clients give their queries: shown, killed, and never twice at once."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.breakout.local.conftest import ADMIN_PASSWORD, READER_PASSWORD
from tests.support.embedded_servers import ClickHouseServer
from tests.support.waiting import wait_until

# Of readers the engine ends what it expects to last too long, unless told not to look ahead
LONG = (
    "SELECT sum(sleepEachRow(0.1)) FROM numbers(3000) "
    "SETTINGS max_block_size = 1, timeout_before_checking_execution_speed = 0"
)


def text(http: httpx.Client, query: str, **arguments: str) -> str:
    answer = http.post("/", content=query, params=arguments)
    assert answer.status_code == 200, answer.text
    return answer.text


def running(http: httpx.Client, query_id: str) -> bool:
    asked = "SELECT count() FROM system.processes WHERE query_id = {id:String}"
    return text(http, asked, param_id=query_id) == "1\n"


@contextmanager
def under_way(
    server: ClickHouseServer, http: httpx.Client, user: str, query: str = LONG
) -> Iterator[tuple[str, list[httpx.Response]]]:
    """A long query of a user: its id, and its answer once it has ended."""
    query_id = f"it's {user} ü {uuid.uuid4()}"
    password = ADMIN_PASSWORD if user == "default" else READER_PASSWORD
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(
            httpx.post(
                server.url,
                params={"query_id": query_id},
                content=query,
                auth=(user, password),
                timeout=120,
            )
        )

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        wait_until("the query runs", lambda: running(http, query_id))
        yield query_id, answers
    finally:
        text(http, "KILL QUERY WHERE query_id = {id:String}", param_id=query_id)
        thread.join()


@pytest.mark.parametrize(
    "function",
    ["queryID", "query_id", "currentQueryID", "current_query_id", "initialQueryID"],
)
def test_functions_give_the_id(http: httpx.Client, reader: httpx.Client, function: str) -> None:
    for client in (http, reader):
        query_id = f"it's \\ {uuid.uuid4()}"
        answer = text(
            client,
            f"SELECT {function}() AS a, '{function}()', length( {function} ( ) ) > 40 FORMAT JSON",
            query_id=query_id,
        )
        row = httpx.Response(200, text=answer).json()["data"][0]
        assert row["a"] == query_id
        assert row[f"'{function}()'"] == f"{function}()"
        named = text(client, f"SELECT {function}() FORMAT TSVWithNames", query_id=query_id)
        assert named.splitlines()[0] == f"{function}()"


def test_id_in_a_header_and_without_one(http: httpx.Client) -> None:
    answer = http.post("/", content="SELECT queryID()", headers={"X-ClickHouse-Query-Id": "mine"})
    assert answer.text == "mine\n"
    answer = http.post("/", content="SELECT queryID()")
    assert answer.text.strip() == answer.headers["X-ClickHouse-Query-Id"]


def test_insert_select_writes_the_id(http: httpx.Client, database: str) -> None:
    text(http, f"CREATE TABLE {database}.t (id String) ENGINE = Memory")
    text(http, f"INSERT INTO {database}.t SELECT queryID()", query_id="of the insert")
    assert text(http, f"SELECT id FROM {database}.t") == "of the insert\n"


def test_a_view_does_not_keep_the_id_of_its_maker(http: httpx.Client, database: str) -> None:
    text(http, f"CREATE VIEW {database}.v AS SELECT queryID() AS id", query_id="maker")
    assert "maker" not in text(http, f"SHOW CREATE TABLE {database}.v")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT user, query FROM system.processes WHERE query_id = {id:String}",
        "SELECT p.user, p.query FROM `system`.processes AS p WHERE p.query_id = {id:String}",
        "SELECT user, query FROM system.processes p WHERE p.initial_query_id = {id:String}",
        "SELECT processes.user, query FROM system.processes WHERE processes.query_id = {id:String}",
        "SELECT user, query FROM system.one JOIN system.processes ON 1 WHERE query_id={id:String}",
    ],
)
def test_processes_show_id_user_and_query(
    server: ClickHouseServer, http: httpx.Client, query: str
) -> None:
    with under_way(server, http, "reader") as (query_id, _):
        # The engine is told the format of the answer in the statement
        shown = f"reader\t{LONG} FORMAT TabSeparated\n"
        assert text(http, query, param_id=query_id) == shown


def test_show_processlist(server: ClickHouseServer, http: httpx.Client) -> None:
    with under_way(server, http, "reader") as (query_id, _):
        rows = httpx.Response(200, text=text(http, "SHOW PROCESSLIST FORMAT JSON")).json()["data"]
        assert query_id in [row["query_id"] for row in rows]


@pytest.mark.parametrize("user", ["default", "reader"])
@pytest.mark.parametrize("killer", ["default", "reader"])
def test_kill(
    server: ClickHouseServer, http: httpx.Client, reader: httpx.Client, user: str, killer: str
) -> None:
    client = http if killer == "default" else reader
    with under_way(server, http, user) as (query_id, answers):
        answer = text(
            client,
            "KILL QUERY WHERE query_id = {id:String} SYNC FORMAT JSON",
            param_id=query_id,
        )
        rows = httpx.Response(200, text=answer).json()["data"]
        if (killer, user) == ("reader", "default"):
            assert rows == []
            assert running(http, query_id)
            return
        assert rows[0].pop("query").startswith(LONG)
        assert rows == [{"kill_status": "finished", "query_id": query_id, "user": user}]
        wait_until("the query ends", lambda: answers)
        assert answers[0].headers["X-ClickHouse-Exception-Code"] == "394"


def test_kill_by_any_condition_of_the_admin(server: ClickHouseServer, http: httpx.Client) -> None:
    with under_way(server, http, "reader") as (query_id, answers):
        text(http, f"kill query where user = 'reader' and query like '%{LONG[-20:]}%' test")
        assert running(http, query_id)
        killed = text(http, "/* by user */ KILL QUERY WHERE user = 'reader' ASYNC")
        assert killed.startswith("waiting\t")
        wait_until("the query ends", lambda: answers)


@pytest.mark.parametrize(
    "condition", ["1", "user = 'default'", "query_id = 'a' OR 1", "query_id = currentUser()"]
)
def test_reader_kills_by_id_alone(reader: httpx.Client, condition: str) -> None:
    answer = reader.post("/", content=f"KILL QUERY WHERE {condition}")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
    assert "query_id = '...'" in answer.text


@pytest.mark.parametrize("query_id", [b"\xff", rb"\xff"])
def test_kill_of_an_id_that_is_not_utf8(reader: httpx.Client, query_id: bytes) -> None:
    answer = reader.post("/", content=b"KILL QUERY WHERE query_id = '" + query_id + b"'")
    assert (answer.status_code, answer.text) == (200, "")


def test_comments_in_a_kill(http: httpx.Client) -> None:
    query = "/* it's */ KILL QUERY WHERE query = '--' /* a */ OR 0 TEST FORMAT JSON; -- it's over"
    assert text(http, query).startswith("{")


def test_get_does_not_kill_others(server: ClickHouseServer, http: httpx.Client) -> None:
    with under_way(server, http, "default") as (query_id, _):
        answer = http.get("/", params={"query": "KILL QUERY WHERE 1"})
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
        assert running(http, query_id)


def test_a_long_statement_is_found_too(server: ClickHouseServer, http: httpx.Client) -> None:
    padded = f"/* {'x' * 200_000} */ {LONG}"
    with under_way(server, http, "default", padded) as (query_id, answers):
        text(http, "KILL QUERY WHERE query_id = {id:String} SYNC", param_id=query_id)
        wait_until("the query ends", lambda: answers)


def test_an_id_is_not_used_twice_at_once(server: ClickHouseServer, http: httpx.Client) -> None:
    with under_way(server, http, "reader") as (query_id, _):
        answer = http.post("/", content="SELECT 1", params={"query_id": query_id})
        assert answer.headers["X-ClickHouse-Exception-Code"] == "216"
    assert text(http, "SELECT 1", query_id=query_id) == "1\n"


def test_what_looks_like_a_call_is_left_alone(http: httpx.Client) -> None:
    query = (
        "SELECT 'queryID()', \"queryID()\", `queryID()`, $a$queryID()$a$ /* queryID() */ "
        "FROM (SELECT 1 AS `queryID()`) -- queryID()"
    )
    assert text(http, query, query_id="id") == "queryID()\t1\t1\tqueryID()\n"


def test_an_id_is_data_and_never_sql(reader: httpx.Client) -> None:
    for query_id in ("'), currentUser() --", "\\', 1) /*", "*/ SELECT 2 /*"):
        assert text(reader, "SELECT queryID() FORMAT TSVRaw", query_id=query_id) == f"{query_id}\n"


@pytest.mark.parametrize(
    "query",
    [
        "/**/" * 20_000 + "SELECT query_id",
        "KILL QUERY WHERE" + " " * 200_000 + "x",
        "SELECT query_id" + "'" * 199_999 + "\\",
        "SELECT query_id FROM" + " " * 200_000,
        "SELECT query_id " + "$" * 200_001,
        "SELECT query_id " + "/*" * 100_000,
    ],
)
def test_a_statement_is_looked_at_once(reader: httpx.Client, query: str) -> None:
    """Whatever it is made of, and whatever the engine makes of it: in time for this client."""
    assert reader.post("/", content=query).status_code != 200


def test_a_listing_is_a_statement_of_its_own(http: httpx.Client) -> None:
    assert text(http, "SELECT 'SHOW PROCESSLIST'") == "SHOW PROCESSLIST\n"
