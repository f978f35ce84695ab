"""Named sessions over plain HTTP."""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.support.waiting import wait_until


def post(http: httpx.Client, body: str, **arguments: str) -> httpx.Response:
    return http.post("/", content=body, params=arguments)


def test_state_belongs_to_its_session(http: httpx.Client) -> None:
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    post(http, "CREATE TEMPORARY TABLE x (a UInt8)", session_id=first).raise_for_status()
    post(http, "INSERT INTO x VALUES (5)", session_id=first).raise_for_status()
    post(http, "SET max_threads = 3", session_id=first).raise_for_status()
    assert post(http, "SELECT a FROM x", session_id=first).text == "5\n"
    assert post(http, "SELECT getSetting('max_threads')", session_id=first).text == "3\n"
    for other in ({"session_id": second}, {}):
        assert post(http, "SELECT a FROM x", **other).status_code == 404
        assert post(http, "SELECT getSetting('max_threads') = 3", **other).text == "0\n"


def test_arguments_of_a_request_do_not_stay_in_the_session(http: httpx.Client) -> None:
    session = uuid.uuid4().hex
    post(http, "SET max_threads = 3", session_id=session)
    shown = "SELECT getSetting('max_threads'), currentDatabase()"
    answer = post(http, shown, session_id=session, max_threads="2", database="system")
    assert answer.text == "2\tsystem\n"
    # Also when the request fails
    post(http, "SELECT throwIf(1)", session_id=session, max_threads="2", database="system")
    assert post(http, shown, session_id=session).text == "3\tdefault\n"


def test_session_check_and_close(http: httpx.Client) -> None:
    session = uuid.uuid4().hex
    answer = post(http, "SELECT 1", session_id=session, session_check="1")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "372"
    post(http, "SELECT 1", session_id=session)
    assert post(http, "SELECT 1", session_id=session, session_check="1").status_code == 200
    post(http, "SELECT 1", session_id=session, close_session="1")
    answer = post(http, "SELECT 1", session_id=session, session_check="1")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "372"


def test_session_times_out(http: httpx.Client) -> None:
    session = uuid.uuid4().hex
    post(http, "SELECT 1", session_id=session, session_timeout="0")
    deadline = time.monotonic() + 170
    while True:
        # Asking renews a session that is still there, hence the timeout of 0 here too
        answer = post(http, "SELECT 1", session_id=session, session_check="1", session_timeout="0")
        if answer.headers.get("X-ClickHouse-Exception-Code") == "372":
            break
        assert time.monotonic() < deadline
        time.sleep(1.5)
    for wrong in ("x", "3601", "-1"):
        answer = post(http, "SELECT 1", session_id=session, session_timeout=wrong)
        assert answer.headers["X-ClickHouse-Exception-Code"] == "374"


def test_one_request_at_a_time(http: httpx.Client) -> None:
    session = uuid.uuid4().hex
    started, release = threading.Event(), threading.Event()
    slow: list[httpx.Response] = []

    def endless_statement() -> Iterator[bytes]:
        yield b"SELECT"
        started.set()
        release.wait(30)
        yield b" 1"

    def ask() -> None:
        slow.append(http.post("/", content=endless_statement(), params={"session_id": session}))

    asking = threading.Thread(target=ask)
    asking.start()
    assert started.wait(170)
    deadline = time.monotonic() + 170
    while True:
        answer = post(http, "SELECT 1", session_id=session)
        if answer.headers.get("X-ClickHouse-Exception-Code") == "373":
            break
        assert time.monotonic() < deadline
    release.set()
    asking.join()
    assert slow[0].text == "1\n"
    assert post(http, "SELECT 1", session_id=session).text == "1\n"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1",
        "SELECT number FROM numbers(400000)",
        "SELECT throwIf(1)",
        "SELECT throwIf(number = 390000) FROM numbers(400000) SETTINGS max_block_size = 1000",
        "CREATE TEMPORARY TABLE IF NOT EXISTS x (a UInt8)",
        "INSERT INTO FUNCTION null('a UInt8') VALUES (1)",
        "KILL QUERY WHERE 0",
    ],
)
def test_session_and_query_id_are_free_once_the_answer_is_read(
    http: httpx.Client, query: str
) -> None:
    """Whoever has read an answer whole, or the error in it, may go on at once.

    The answer is read to its last byte over one connection, and each next statement takes another
    that is open already: nothing passes between the two.
    """
    session, query_id = uuid.uuid4().hex, uuid.uuid4().hex
    # What it changes is undone in a thread of the server
    arguments = {"session_id": session, "query_id": query_id, "max_threads": "2"}
    with httpx.Client(base_url=http.base_url, auth=http.auth, timeout=170) as other:
        other.get("/ping")
        for _ in range(20):
            for client in (http, other):
                with contextlib.suppress(httpx.RemoteProtocolError):
                    answer = client.post("/", content=query, params=arguments)
                    code = answer.headers.get("X-ClickHouse-Exception-Code")
                    assert code in (None, "395"), answer.text


def test_session_is_locked_while_a_statement_of_it_runs_for_nobody(http: httpx.Client) -> None:
    """As in ClickHouse, which lets a statement go when writing its result fails, not before."""
    session = uuid.uuid4().hex
    arguments = {"session_id": session, "default_format": "TSV"}
    with http.stream(
        "POST", "/", content="SELECT * FROM numbers(100000000000)", params=arguments
    ) as left:
        next(left.iter_raw())
        answer = post(http, "SELECT 1", session_id=session)
        assert answer.headers["X-ClickHouse-Exception-Code"] == "373"
    wait_until(
        "the session is free again",
        lambda: post(http, "SELECT 1", session_id=session).status_code == 200,
    )


def test_users_do_not_share_sessions(
    http: httpx.Client, reader: httpx.Client, database: str
) -> None:
    session = uuid.uuid4().hex
    post(http, "CREATE TEMPORARY TABLE x (a UInt8)", session_id=session).raise_for_status()
    answer = post(reader, "SELECT * FROM x", session_id=session, database=database)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "60"
    # Nor does the reader get the admin's rights that way
    answer = post(reader, "CREATE TABLE default.x (a UInt8) ENGINE = Memory", session_id=session)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
