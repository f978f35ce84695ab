"""Splitting a migration file into statements."""

from pathlib import Path

import pytest

from breakout.clickhouse.migrations import read_migrations
from breakout.clickhouse.statements import MigrationError, split_statements, without_texts


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("", []),
        (" ;; ; ", []),
        ("-- only a comment; really\n", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' ; SELECT 2", ["SELECT ';'", "SELECT 2"]),
        (r"SELECT 'it\'s; one'", [r"SELECT 'it\'s; one'"]),
        ("SELECT 'it''s; one'", ["SELECT 'it''s; one'"]),
        ("SELECT '--no comment'; SELECT 2", ["SELECT '--no comment'", "SELECT 2"]),
        ("SELECT 'a\\\\'; SELECT 2", ["SELECT 'a\\\\'", "SELECT 2"]),
        ('SELECT `a;b` AS "c;d"', ['SELECT `a;b` AS "c;d"']),
        ("SELECT $$a;b'$$; SELECT 2", ["SELECT $$a;b'$$", "SELECT 2"]),
        ("SELECT $x$a;$$;b$x$", ["SELECT $x$a;$$;b$x$"]),
        ("/* a; 'b */ SELECT 1", ["SELECT 1"]),
        ("-- it's a comment; with a quote\nSELECT 1; -- and; after\n", ["SELECT 1"]),
        ("SELECT 1 -- within; \n + 2; SELECT 3", ["SELECT 1 -- within; \n + 2", "SELECT 3"]),
        ("SELECT 4 - 2 / 1 # comment;\n", ["SELECT 4 - 2 / 1 # comment;"]),
        ("SELECT 'größe; 中'; SELECT 2", ["SELECT 'größe; 中'", "SELECT 2"]),
    ],
)
def test_splits_at_semicolons_that_end_statements(sql: str, statements: list[str]) -> None:
    assert split_statements(sql, "0001_x.sql") == statements


@pytest.mark.parametrize(
    ("sql", "line", "what"),
    [
        ("SELECT 1;\nSELECT 'open", 2, "'"),
        ("SELECT 1;\n\nSELECT /* open", 3, "/*"),
        ("SELECT `open", 1, "`"),
        ('SELECT "open', 1, '"'),
        ("SELECT 'ends with a backslash\\'", 1, "'"),
    ],
)
def test_names_the_line_of_what_never_ends(sql: str, line: int, what: str) -> None:
    with pytest.raises(MigrationError) as error:
        split_statements(sql, "0007_x.sql")
    assert str(error.value) == f"0007_x.sql, line {line}: {what} is never closed"


def test_texts_of_a_statement_are_left_out() -> None:
    statement = "SELECT 'FROM a' AS `FROM b` -- FROM c\nFROM d /* FROM e */"
    assert without_texts(statement).split() == ["SELECT", "AS", "FROM", "d"]


def test_gives_every_create_its_if_not_exists(folder: Path) -> None:
    (folder / "0003_third.sql").write_text(
        "create table d (x UInt8) ENGINE = Memory; CREATE TABLE IF NOT EXISTS e (x UInt8);"
        "CREATE MATERIALIZED VIEW f TO d AS SELECT 1 AS x;"
        "ALTER TABLE d ADD COLUMN IF NOT EXISTS y UInt8;"
    )
    assert [s[:36] for s in read_migrations(folder)[2].statements] == [
        "create table IF NOT EXISTS d (x UInt",
        "CREATE TABLE IF NOT EXISTS e (x UInt",
        "CREATE MATERIALIZED VIEW IF NOT EXIS",
        "ALTER TABLE d ADD COLUMN IF NOT EXIS",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("0004_late.sql", b"SELECT 1", "0004_late.sql: the migration before it, 0003, is missing"),
        (
            "0002_again.sql",
            b"SELECT 1",
            "0002_second.sql and 0002_again.sql have one number: renumber the newer one",
        ),
        ("3_short.sql", b"SELECT 1", "3_short.sql: a migration is called NNNN_name.sql"),
        ("0003_Bad-Name.sql", b"SELECT 1", "0003_Bad-Name.sql: a migration is called"),
        ("0003_empty.sql", b"-- nothing\n", "0003_empty.sql: holds no statement"),
        (
            "0003_view.sql",
            b"CREATE VIEW d AS SELECT 1",
            "0003_view.sql: a view belongs into the folder of views, not here",
        ),
        ("0003_bytes.sql", b"SELECT '\xff'", "0003_bytes.sql: must be UTF-8"),
        ("0003_open.sql", b"SELECT 'x", "0003_open.sql, line 1: ' is never closed"),
    ],
)
def test_refuses_a_wrong_file_by_its_name(
    folder: Path, name: str, content: bytes, message: str
) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(MigrationError) as error:
        read_migrations(folder)
    assert message in str(error.value)


def test_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="holds no migrations"):
        read_migrations(tmp_path)


def test_other_files_are_not_migrations(folder: Path) -> None:
    (folder / "README.md").write_text("not SQL")
    assert [m.file for m in read_migrations(folder)] == ["0001_first.sql", "0002_second.sql"]


def test_the_programs_own_migrations_can_be_read() -> None:
    own = read_migrations()
    assert [m.version for m in own] == list(range(1, len(own) + 1))
