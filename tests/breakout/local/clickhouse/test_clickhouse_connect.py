"""clickhouse-connect, unchanged, against the embedded server."""

from datetime import UTC, datetime

import clickhouse_connect
import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.breakout.local.conftest import ADMIN_PASSWORD
from tests.support.embedded_servers import ClickHouseServer

COLUMNS = ["model_id", "observed_at", "source", "downloads", "likes"]
TABLE = """CREATE TABLE t (
    model_id String, observed_at DateTime64(3, 'UTC'), source LowCardinality(String),
    downloads Nullable(UInt64), likes Nullable(UInt64)
) ENGINE = ReplacingMergeTree ORDER BY (model_id, observed_at)"""
NOON = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)
# UTC columns come back without a zone, unless asked otherwise
NOON_READ = NOON.replace(tzinfo=None)
ROWS = [
    ("org/modèle", NOON, "huggingface", 2**64 - 1, None),
    ("org/b", NOON, "modelscope", None, 0),
]
ROWS_READ = [(model_id, NOON_READ, *rest) for model_id, _, *rest in ROWS]


def test_rows_round_trip(client: Client) -> None:
    client.command(TABLE)
    summary = client.insert("t", ROWS, column_names=COLUMNS)
    assert summary.written_rows == 2
    answer = client.query("SELECT * FROM t ORDER BY source")
    assert answer.column_names == tuple(COLUMNS)
    assert answer.result_rows == ROWS_READ
    # Column by column, as the stream processors insert
    client.insert("t", list(zip(*ROWS, strict=True)), column_names=COLUMNS, column_oriented=True)
    assert client.query("SELECT count() FROM t FINAL").first_row == (2,)


def test_parameters(client: Client) -> None:
    answer = client.query(
        "SELECT {s:String}, {n:UInt64}, {a:Array(String)}, {t:DateTime64(3, 'UTC')}, "
        "{i:Identifier} FROM system.one",
        parameters={
            "s": "it's \\ a\ttab",
            "n": 2**64 - 1,
            "a": ["x", "it's"],
            "t": NOON,
            "i": "dummy",
        },
    )
    assert answer.first_row == ("it's \\ a\ttab", 2**64 - 1, ["x", "it's"], NOON_READ, 0)


def test_arrow_round_trip(client: Client) -> None:
    client.command(TABLE)
    rows = 50_000
    table = pa.table(
        {
            "model_id": pa.array([f"org/model-{i}" for i in range(rows)]),
            "observed_at": pa.array([NOON] * rows, pa.timestamp("ms", "UTC")),
            "source": pa.array(["huggingface"] * rows),
            "downloads": pa.array(np.arange(rows, dtype="u8"), mask=np.arange(rows) % 7 == 0),
            "likes": pa.nulls(rows, pa.uint64()),
        }
    )
    client.insert_arrow("t", table)
    answer = client.query_arrow("SELECT * FROM t ORDER BY downloads, model_id NULLS LAST")
    assert answer.num_rows == rows
    assert answer.column("likes").null_count == rows
    found = client.query_arrow("SELECT sum(downloads) AS s, countIf(downloads IS NULL) AS n FROM t")
    expected = sum(i for i in range(rows) if i % 7)
    assert found.to_pylist() == [{"s": expected, "n": len(range(0, rows, 7))}]


def test_data_frames(client: Client) -> None:
    client.command(TABLE)
    client.insert("t", ROWS, column_names=COLUMNS)
    frame = client.query_df("SELECT model_id, downloads FROM t ORDER BY source")
    assert frame["model_id"].tolist() == ["org/modèle", "org/b"]
    client.command("CREATE TABLE u AS t")
    client.insert_df("u", client.query_df("SELECT * FROM t"))
    assert client.query("SELECT * FROM u ORDER BY source").result_rows == ROWS_READ


@pytest.mark.parametrize("compress", [False, True, "lz4", "zstd", "gzip"])
def test_compression_of_both_directions(
    server: ClickHouseServer, database: str, compress: bool | str
) -> None:
    client = clickhouse_connect.get_client(
        host="127.0.0.1",
        port=server.port,
        password=ADMIN_PASSWORD,
        database=database,
        compress=compress,
    )
    client.command("CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
    numbers = list(range(100_000))
    client.insert("t", [numbers, [str(n) for n in numbers]], ["a", "s"], column_oriented=True)
    answer = client.query("SELECT a, s FROM t ORDER BY a")
    assert answer.result_columns[0] == tuple(numbers) or answer.result_columns[0] == numbers
    client.close()


def test_streams(client: Client) -> None:
    rows = 0
    with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as stream:
        for block in stream:
            rows += len(block)
    assert rows == 1_000_000
    with client.query_arrow_stream("SELECT number FROM numbers(1000000)") as batches:
        assert sum(batch.num_rows for batch in batches) == 1_000_000
    # A stream that is left early must not harm what follows
    with client.query_row_block_stream("SELECT number FROM numbers(100000000)") as stream:
        next(iter(stream))
    assert client.command("SELECT 1") == 1


def test_streams_one_after_the_other(client: Client) -> None:
    """Each is read whole, and the next statement of the session follows at once."""
    for _ in range(20):
        with client.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
            assert sum(len(block) for block in stream) == 300_000
        assert client.command("SELECT 1", settings={"max_threads": 2}) == 1


def test_session_keeps_settings_and_temporary_tables(client: Client) -> None:
    client.command("SET max_threads = 3")
    client.command("CREATE TEMPORARY TABLE mine (a UInt64)")
    client.insert("mine", [[1], [2]], column_names=["a"], database="")
    settings = {"max_block_size": 7}
    query = "SELECT sum(a), getSetting('max_threads'), getSetting('max_block_size') = 7 FROM mine"
    assert client.query(query, settings=settings).first_row == (3, 3, True)
    assert client.query(query).first_row == (3, 3, False)


def test_error_before_and_behind_rows(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as missing:
        client.query("SELECT * FROM no_such_table")
    assert missing.value.code == 60
    with pytest.raises((DatabaseError, StreamFailureError), match="395"):
        client.query("SELECT throwIf(number = 2900000) FROM numbers(3000000)")


def test_wrong_password(server: ClickHouseServer) -> None:
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED"):
        clickhouse_connect.get_client(host="127.0.0.1", port=server.port, password="wrong")


async def test_async_client(server: ClickHouseServer, database: str) -> None:
    client = await clickhouse_connect.get_async_client(
        host="127.0.0.1", port=server.port, password=ADMIN_PASSWORD, database=database
    )
    await client.command(TABLE)
    await client.insert("t", ROWS, column_names=COLUMNS)
    answer = await client.query("SELECT * FROM t ORDER BY source")
    assert answer.result_rows == ROWS_READ
    await client.close()
