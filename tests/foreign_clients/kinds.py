"""One table with every type that our tables have, which each client reads and writes."""

import httpx

COLUMNS = """
id UInt64, tiny UInt8, small UInt16, number UInt32, big UInt64, huge UInt128, signed Int64,
ratio Float64, flag Bool, text String, day Date, second DateTime('UTC'),
moment DateTime64(3, 'UTC'), low LowCardinality(String), maybe_low LowCardinality(Nullable(String)),
maybe_big Nullable(UInt64), maybe_float Nullable(Float64), maybe_text Nullable(String),
maybe_flag Nullable(Bool), maybe_day Nullable(Date), maybe_moment Nullable(DateTime64(3, 'UTC')),
texts Array(String), numbers Array(UInt16), pairs Map(String, UInt64)
"""
ROWS = """
(1, 255, 65535, 4294967295, 9007199254740993, 340282366920938463463374607431768211455, -5, 0.5,
 true, 'it''s \\\\ a\\ttab, "ü" and 模型', '2026-11-23', '2026-11-23 12:00:01',
 '2026-11-23 12:00:00.123', 'huggingface', 'low', 18446744073709551615, 1e300, 'text', false,
 '2024-02-29', '1999-12-31 23:59:59.999', ['a', '', 'it''s'], [1, 65535],
 {'a': 18446744073709551615, 'b': 0}),
(2, 0, 0, 0, 18446744073709551615, 0, -9223372036854775808, -1e-300, false, '', '1970-01-01',
 '1970-01-01 00:00:00', '1970-01-01 00:00:00.000', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, [],
 [], {})
"""


def make(http: httpx.Client, database: str) -> None:
    """Make ``kinds`` with its rows, and tables for copies of them."""
    for statement in (
        f"CREATE TABLE {database}.kinds ({COLUMNS}) ENGINE = MergeTree ORDER BY id",
        f"CREATE TABLE {database}.copied AS {database}.kinds",
        f"CREATE TABLE {database}.copied_too AS {database}.kinds",
        f"INSERT INTO {database}.kinds VALUES {ROWS}",
    ):
        answer = http.post("/", content=statement)
        assert answer.status_code == 200, answer.text


def differences(
    http: httpx.Client, database: str, table: str = "copied", columns: str = "*"
) -> str:
    """The rows that are in ``kinds`` or in its copy alone; maps are equal in any order."""
    columns += " REPLACE (mapSort(pairs) AS pairs)"
    kinds = f"SELECT {columns} FROM {database}.kinds"
    copied = f"SELECT {columns} FROM {database}.{table}"
    answer = http.post(
        "/",
        content=f"""
            SELECT 'missing' AS how, * FROM ({kinds} EXCEPT DISTINCT {copied}) UNION ALL
            SELECT 'added' AS how, * FROM ({copied} EXCEPT DISTINCT {kinds}) FORMAT Vertical""",
    )
    assert answer.status_code == 200, answer.text
    return answer.text
