"""Where an INSERT ends and its data begin, and where a result's format is named."""

import pytest

from breakout.local.clickhouse.errors import ClickHouseError
from breakout.local.clickhouse.statements import insert_head, is_insert, parse_output

INSERTS: list[tuple[bytes, bytes, str, bytes]] = [
    (b"INSERT INTO t VALUES (1)", b"INSERT INTO t ", "Values", b" (1)"),
    (b"insert into t format Values (1)", b"insert into t ", "Values", b" (1)"),
    (b"INSERT INTO t(a)VALUES(1)", b"INSERT INTO t(a)", "Values", b"(1)"),
    (b"INSERT INTO values VALUES (1)", b"INSERT INTO values ", "Values", b" (1)"),
    (b"INSERT INTO format VALUES (1)", b"INSERT INTO format ", "Values", b" (1)"),
    (b"INSERT INTO d.format FORMAT CSV\n1", b"INSERT INTO d.format ", "CSV", b"1"),
    (
        b"INSERT INTO `a b`.`FORMAT CSV` FORMAT TSV\n1",
        b"INSERT INTO `a b`.`FORMAT CSV` ",
        "TSV",
        b"1",
    ),
    (
        b"INSERT INTO t (a) SETTINGS x = 'FORMAT CSV' FORMAT TSV 1\n",
        b"INSERT INTO t (a) SETTINGS x = 'FORMAT CSV' ",
        "TSV",
        b"1\n",
    ),
    (
        b"/* VALUES */ INSERT INTO t -- FORMAT CSV\nFORMAT TSV\r\n1",
        b"/* VALUES */ INSERT INTO t -- FORMAT CSV\n",
        "TSV",
        b"1",
    ),
    (
        b"INSERT INTO t FORMAT Native\n\n\x00FORMAT CSV\n",
        b"INSERT INTO t ",
        "Native",
        b"\n\x00FORMAT CSV\n",
    ),
    (
        b"INSERT INTO FUNCTION f('VALUES', x(1)) FORMAT TSV; \t\n1",
        b"INSERT INTO FUNCTION f('VALUES', x(1)) ",
        "TSV",
        b"1",
    ),
    (
        b"INSERT INTO t /* VALUES (1) */ FORMAT TSV\n",
        b"INSERT INTO t /* VALUES (1) */ ",
        "TSV",
        b"",
    ),
    (b"INSERT INTO {t:Identifier} FORMAT TSV\n", b"INSERT INTO {t:Identifier} ", "TSV", b""),
]


@pytest.mark.parametrize(("sql", "statement", "data_format", "data"), INSERTS)
def test_insert(sql: bytes, statement: bytes, data_format: str, data: bytes) -> None:
    assert is_insert(sql)
    head = insert_head(sql, complete=True)
    assert head is not None
    assert (head.statement, head.data_format, sql[head.data_start :]) == (
        statement,
        data_format,
        data,
    )


@pytest.mark.parametrize("sql", [sql for sql, *_ in INSERTS])
def test_a_head_that_is_cut_anywhere_is_the_same_or_not_there_yet(sql: bytes) -> None:
    whole = insert_head(sql, complete=True)
    for end in range(len(sql)):
        assert insert_head(sql[:end], complete=False) in (None, whole), sql[:end]


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"INSERT INTO t (SELECT 1)",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"INSERT INTO t",
    ],
)
def test_insert_without_data_of_its_own(sql: bytes) -> None:
    assert is_insert(sql)
    assert insert_head(sql, complete=True) is None


@pytest.mark.parametrize(
    "sql", [b"SELECT 'INSERT INTO t VALUES'", b"EXPLAIN INSERT INTO t SELECT 1", b""]
)
def test_not_an_insert(sql: bytes) -> None:
    assert not is_insert(sql)


@pytest.mark.parametrize(
    ("sql", "before", "result_format", "after"),
    [
        (b"SELECT 1", b"SELECT 1", None, b""),
        (b"SELECT 1;", b"SELECT 1", None, b""),
        (b"SELECT 1 FORMAT CSV", b"SELECT 1 ", "CSV", b""),
        (b"SELECT 1 format CSV ; ", b"SELECT 1 ", "CSV", b" "),
        (b"SELECT 1 FORMAT CSV SETTINGS a = 1", b"SELECT 1 ", "CSV", b" SETTINGS a = 1"),
        (b"SELECT 1 -- FORMAT CSV", b"SELECT 1 -- FORMAT CSV", None, b""),
        (b"SELECT 'x FORMAT CSV'", b"SELECT 'x FORMAT CSV'", None, b""),
        (b"SELECT $$ FORMAT CSV$$", b"SELECT $$ FORMAT CSV$$", None, b""),
        (b"SELECT * FROM (SELECT 1 FORMAT CSV)", b"SELECT * FROM (SELECT 1 FORMAT CSV)", None, b""),
        (b"SELECT format FROM t", b"SELECT format FROM t", None, b""),
    ],
)
def test_output(sql: bytes, before: bytes, result_format: str | None, after: bytes) -> None:
    output = parse_output(sql)
    assert (output.before, output.result_format, output.after) == (before, result_format, after)


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 1 INTO OUTFILE 'x'",
        b"SELECT 1 into/**/outfile 'x' FORMAT CSV",
        b"INSERT INTO t FROM INFILE 'x'",
    ],
)
def test_files_of_the_client(sql: bytes) -> None:
    with pytest.raises(ClickHouseError, match="over HTTP"):
        parse_output(sql)


@pytest.mark.parametrize(
    ("sql", "result_format"),
    [
        (b"SELECT $a$ FORMAT CSV $a$ FORMAT TSV", "TSV"),
        (b"SELECT $$ FORMAT CSV $$ FORMAT TSV", "TSV"),
        (b"SELECT $a$ $b$ FORMAT CSV $a$ FORMAT TSV", "TSV"),
        (b"SELECT $a$$a$ FORMAT TSV", "TSV"),
        (b"SELECT $a$ FORMAT TSV", "TSV"),
        (b"SELECT $a$ $b$ FORMAT TSV", "TSV"),
        (b"SELECT 'it''s \\' FORMAT CSV' FORMAT TSV", "TSV"),
        (b"SELECT 1 FORMAT TSV /* FORMAT CSV", None),
    ],
)
def test_format_is_found_beside_quotes_and_heredocs(sql: bytes, result_format: str | None) -> None:
    assert parse_output(sql).result_format == result_format
