"""Asks the embedded ClickHouse with polars, ibis and SQLAlchemy, in an environment of their own.

Prints what it got as one JSON object. Arguments: host:port, user, password, database.
"""

import json
import sys
import threading
import time
from typing import Any
from urllib.parse import quote

import clickhouse_connect
import ibis
import polars as pl
import sqlalchemy
from clickhouse_connect.driver.exceptions import DatabaseError

ADDRESS, USER, PASSWORD, DATABASE = sys.argv[1:5]
HOST, PORT = ADDRESS.rsplit(":", 1)
SLEEPING = "SELECT sum(sleepEachRow(0.1)) FROM numbers(3000) SETTINGS max_block_size = 1"
LOGIN: dict[str, Any] = {
    "host": HOST,
    "port": int(PORT),
    "password": PASSWORD,
    "database": DATABASE,
}
said: dict[str, Any] = {}


def with_polars() -> None:
    client = clickhouse_connect.get_client(username=USER, **LOGIN)
    frame = client.query_df_arrow("SELECT * FROM kinds ORDER BY id", dataframe_library="polars")
    said["polars types"] = {name: str(kind) for name, kind in frame.schema.items()}
    said["polars"] = frame.select("big", "maybe_big", "low", "maybe_low", "texts").rows()
    client.insert_df_arrow("copied", frame)
    rows = client.query_arrow("SELECT number FROM numbers(300000)")
    said["polars sum"] = pl.DataFrame(rows)["number"].sum()


def with_connect() -> None:
    """clickhouse-connect itself: timeouts, and a result that is left."""
    client = clickhouse_connect.get_client(username=USER, autogenerate_session_id=False, **LOGIN)
    said["connect timeout"] = code(
        lambda: client.query(SLEEPING, settings={"max_execution_time": 1})
    )
    impatient = clickhouse_connect.get_client(username=USER, send_receive_timeout=1, **LOGIN)
    try:
        impatient.query(SLEEPING)
    except Exception as error:  # noqa: BLE001
        said["connect gives up"] = type(error).__name__
    # Leaving a result, it reads what is left, so that it can use the connection again
    large = "SELECT number, repeat('x', 1000) FROM numbers(30000)"
    with client.query_row_block_stream(large) as stream:
        said["connect left after rows"] = len(next(iter(stream))) > 0

    def killed() -> None:
        settings = {"query_id": "killed by connect"}
        said["connect killed"] = code(lambda: client.query(SLEEPING, settings=settings))

    running = threading.Thread(target=killed)
    running.start()
    other = clickhouse_connect.get_client(username=USER, **LOGIN)
    while not other.query("KILL QUERY WHERE query_id = 'killed by connect' SYNC").result_rows:
        time.sleep(0.02)
    running.join()


def with_ibis() -> None:
    connection = ibis.clickhouse.connect(user=USER, **LOGIN)
    table = connection.table("kinds")
    counted = table.filter(table.maybe_text.isnull()).count().execute()
    said["ibis nulls"] = int(counted)
    said["ibis types"] = {name: str(kind) for name, kind in table.schema().items()}
    wanted = ibis.memtable({"id": [1, 7], "name": ["one", "seven"]})
    joined = table.join(wanted, "id").select("id", "name", "big").to_pyarrow()
    said["ibis memtable"] = joined.to_pylist()
    # It takes integers of 128 bits for bytes, and LowCardinality(Nullable(String)) for never null
    connection.insert("copied_too", table.drop("huge", "maybe_low").to_pyarrow())
    numbers = connection.sql("SELECT number FROM numbers(300000)")
    batches = connection.to_pyarrow_batches(numbers, chunk_size=10_000)
    said["ibis streamed"] = sum(batch.num_rows for batch in batches)
    said["ibis error"] = code(lambda: connection.raw_sql("SELECT nosuch FROM kinds"))


def with_sqlalchemy() -> None:
    url = f"clickhouse+http://{USER}:{quote(PASSWORD, safe='')}@{ADDRESS}/{DATABASE}"
    engine = sqlalchemy.create_engine(url)
    kinds = sqlalchemy.Table("kinds", sqlalchemy.MetaData(), autoload_with=engine)
    said["sqlalchemy columns"] = [column.name for column in kinds.columns]
    with engine.connect() as connection:
        asked = sqlalchemy.select(kinds.c.big, kinds.c.maybe_big, kinds.c.texts).order_by(
            kinds.c.id
        )
        said["sqlalchemy"] = [list(row) for row in connection.execute(asked)]
        text = "it's \\ a\ttab"
        bound = connection.execute(sqlalchemy.text("SELECT :text AS text"), {"text": text})
        said["sqlalchemy parameter"] = bound.scalar() == text
        some = sqlalchemy.table("copied", sqlalchemy.column("id"), sqlalchemy.column("text"))
        connection.execute(some.insert(), [{"id": 7, "text": "it's"}, {"id": 8, "text": ""}])
        rows = sqlalchemy.select(some.c.id, some.c.text).where(some.c.id > 2).order_by(some.c.id)
        said["sqlalchemy inserted"] = [list(row) for row in connection.execute(rows)]
        try:
            connection.execute(sqlalchemy.text("SELECT nosuch FROM kinds")).fetchall()
        except Exception as error:  # noqa: BLE001
            said["sqlalchemy error"] = "Code: 47." in str(error)


def code(asked: Any) -> int | None:
    """ClickHouse's code of the error that a call ends with."""
    try:
        asked()
    except DatabaseError as error:
        return int(str(error).partition("code: ")[2].partition(",")[0])
    return None


with_polars()
with_connect()
with_ibis()
with_sqlalchemy()
print(json.dumps(said, default=str))
