"""Applying migrations to a real ClickHouse."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from breakout.clickhouse import migrations
from breakout.clickhouse.client import migration_client
from breakout.clickhouse.errors import ClickHouseRefusedError, ClickHouseUnavailableError
from breakout.clickhouse.migrations import apply, migrate, pending, read_migrations
from breakout.clickhouse.statements import MigrationError
from breakout.clickhouse.views import ViewChanges
from breakout.settings import Settings, read_settings
from tests.support.server_process import free_port

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def client(settings: Settings) -> Client:
    return migration_client(settings)


def database(settings: Settings) -> str:
    return settings.clickhouse.database


def tables(client: Client, settings: Settings) -> set[str]:
    rows = client.query(
        "SELECT name FROM system.tables WHERE database = {d:String}",
        parameters={"d": database(settings)},
    ).result_rows
    return {name for (name,) in rows}


def test_brings_an_empty_server_up_to_date_and_then_has_nothing_to_do(
    settings: Settings, client: Client
) -> None:
    own = [m.file for m in read_migrations()]
    before = pending(settings)
    assert [m.file for m in before.migrations] == own
    assert before.first == f"lacks {own[0]}"
    done = migrate(settings)
    assert list(done.applied) == own
    assert done.views == before.views
    assert len(done.views.create) > 20
    assert pending(settings).first is None
    again = migrate(settings)
    assert (again.applied, again.views) == ((), ViewChanges((), ()))
    rows = client.query(
        f"SELECT version, name, checksum, applied_at >= started_at, applied "
        f"FROM {database(settings)}.schema_migrations FINAL ORDER BY version"
    ).result_rows
    assert rows == [(m.version, m.file, m.checksum, True, True) for m in read_migrations()]


def test_every_column_and_table_says_what_it_is(settings: Settings, client: Client) -> None:
    migrate(settings)
    silent = client.query(
        # What only feeds a table is not read: its columns are those of the table.
        "SELECT table, name FROM system.columns WHERE database = {d:String} AND comment = '' "
        "AND table NOT IN (SELECT name FROM system.tables WHERE engine = 'MaterializedView')",
        parameters={"d": database(settings)},
    ).result_rows
    assert silent == []
    silent = client.query(
        "SELECT name FROM system.tables WHERE database = {d:String} AND comment = ''",
        parameters={"d": database(settings)},
    ).result_rows
    assert silent == []


def test_every_statement_can_be_run_twice(settings: Settings, client: Client) -> None:
    migrate(settings)
    client.database = database(settings)
    for migration in read_migrations():
        for statement in migration.statements:
            client.command(statement)


def test_applies_only_what_is_new(settings: Settings, client: Client, folder: Path) -> None:
    apply(client, database(settings), read_migrations(folder))
    (folder / "0003_third.sql").write_text("ALTER TABLE a ADD COLUMN IF NOT EXISTS y UInt8")
    assert [m.version for m in apply(client, database(settings), read_migrations(folder))] == [3]


def test_refuses_a_file_that_changed_after_it_was_applied(
    settings: Settings, client: Client, folder: Path
) -> None:
    apply(client, database(settings), read_migrations(folder))
    with (folder / "0001_first.sql").open("a") as file:
        file.write("\n-- a harmless remark\n")
    with pytest.raises(MigrationError, match=r"0001_first\.sql has changed since it was applied"):
        apply(client, database(settings), read_migrations(folder))


def test_refuses_when_an_applied_file_went_missing(
    settings: Settings, client: Client, folder: Path
) -> None:
    apply(client, database(settings), read_migrations(folder))
    (folder / "0002_second.sql").rename(folder / "0002_other.sql")
    with pytest.raises(MigrationError, match=r"0002_second\.sql was applied .* and is missing"):
        apply(client, database(settings), read_migrations(folder))


def test_refuses_a_database_newer_than_the_program(
    settings: Settings, client: Client, folder: Path
) -> None:
    apply(client, database(settings), read_migrations(folder))
    (folder / "0002_second.sql").unlink()
    with pytest.raises(
        MigrationError, match=r"has 0002_second\.sql, which this program .* upgrade"
    ):
        apply(client, database(settings), read_migrations(folder))


def test_refuses_a_database_of_the_earlier_schema(
    settings: Settings, client: Client, folder: Path
) -> None:
    (folder / "0001_first.sql").rename(folder / "0001_downloads.sql")
    (folder / "0002_second.sql").rename(folder / "0002_registry_and_scrapes.sql")
    apply(client, database(settings), read_migrations(folder)[:1])
    # Halfway or whole: what was begun is of that schema too.
    client.command("CREATE VIEW ram AS SELECT 1 AS x")
    before = tables(client, settings)
    for ask in (migrate, pending):
        with pytest.raises(MigrationError) as error:
            ask(settings)
        assert str(error.value) == (
            f"the database {database(settings)!r} is of an earlier schema (0001_downloads.sql), "
            "which cannot be migrated: name an empty database in CLICKHOUSE_URL, run "
            "`breakout migrate`, and start anew with `breakout backfill`"
        )
    assert tables(client, settings) == before
    # The message's way out works.
    other = settings.model_copy(update={"clickhouse_url": f"{settings.clickhouse_url}_anew"})
    assert migrate(other).applied


def test_refuses_a_record_with_a_hole(settings: Settings, client: Client, folder: Path) -> None:
    apply(client, database(settings), read_migrations(folder))
    client.command("DELETE FROM schema_migrations WHERE version = 1")
    with pytest.raises(MigrationError, match=r"has 0002_second\.sql but lacks 0001_first\.sql"):
        apply(client, database(settings), read_migrations(folder))


def test_what_failed_halfway_is_finished_by_the_next_run(
    settings: Settings, client: Client, folder: Path
) -> None:
    name = folder / "0002_second.sql"
    # The second statement fails until the table it reads is there.
    name.write_text(
        "CREATE TABLE b (x UInt8) ENGINE = MergeTree ORDER BY x; "
        "CREATE MATERIALIZED VIEW c TO a AS SELECT x FROM z;"
    )
    with pytest.raises(DatabaseError):
        apply(client, database(settings), read_migrations(folder))
    assert "b" in tables(client, settings)
    assert "c" not in tables(client, settings)
    client.command("CREATE TABLE z (x UInt8) ENGINE = MergeTree ORDER BY x")
    assert [m.version for m in apply(client, database(settings), read_migrations(folder))] == [2]
    assert "c" in tables(client, settings)


def test_what_failed_halfway_and_was_edited_is_refused(
    settings: Settings, client: Client, folder: Path
) -> None:
    name = folder / "0002_second.sql"
    name.write_text("CREATE TABLE b (x UInt8) ENGINE = MergeTree ORDER BY x; SELECT no_such()")
    with pytest.raises(DatabaseError):
        apply(client, database(settings), read_migrations(folder))
    name.write_text("CREATE TABLE b (x UInt64) ENGINE = MergeTree ORDER BY x;")
    with pytest.raises(MigrationError, match=r"0002_second\.sql failed halfway .* \(b\)"):
        apply(client, database(settings), read_migrations(folder))
    # The message's way out works.
    client.command("DROP TABLE b")
    client.command("DELETE FROM schema_migrations WHERE version = 2")
    apply(client, database(settings), read_migrations(folder))
    (kind,) = client.query(
        "SELECT type FROM system.columns WHERE database = {d:String} AND table = 'b'",
        parameters={"d": database(settings)},
    ).result_rows
    assert kind == ("UInt64",)


def test_two_runners_at_once_do_no_harm(settings: Settings, client: Client) -> None:
    environment = {
        **os.environ,
        "CLICKHOUSE_URL": settings.clickhouse_url,
        "BREAKOUT_CLICKHOUSE_PASSWORD": settings.clickhouse_password.get_secret_value(),
    }
    runners = [
        subprocess.Popen(
            [sys.executable, "-m", "breakout", "migrate"],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for runner in runners:
        out, err = runner.communicate(timeout=120)
        assert runner.returncode == 0, out + err
    assert pending(settings).first is None
    (count,) = client.query(
        f"SELECT count() FROM {database(settings)}.schema_migrations FINAL"
    ).result_rows
    assert count == (len(read_migrations()),)


def test_an_embedded_clickhouse_keeps_its_own_reader(settings: Settings) -> None:
    with_reader = read_settings(
        clickhouse_url=settings.clickhouse_url,
        clickhouse_password=settings.clickhouse_password,
        reader_password="r3ader",
    )
    assert migrate(with_reader).reader is False


def test_a_reader_reads_through_the_embedded_server(settings: Settings) -> None:
    migrate(settings)
    reader = read_settings(
        clickhouse_url=settings.clickhouse_url, clickhouse_user="reader", clickhouse_password="r"
    )
    assert pending(reader).first is None
    with pytest.raises(ClickHouseRefusedError, match="BREAKOUT_CLICKHOUSE_USER"):
        migrate(reader)


def test_a_wrong_password_is_refused_at_once_and_not_shown(settings: Settings) -> None:
    wrong = read_settings(clickhouse_url=settings.clickhouse_url, clickhouse_password="hunter22")
    with pytest.raises(ClickHouseRefusedError) as error:
        migrate(wrong)
    assert "BREAKOUT_CLICKHOUSE_PASSWORD" in str(error.value)
    assert "hunter22" not in str(error.value)


def test_gives_up_on_a_clickhouse_that_is_away(tmp_path: Path) -> None:
    away = read_settings(clickhouse_url=f"http://127.0.0.1:{free_port()}/x")
    with pytest.raises(ClickHouseUnavailableError, match=r"CLICKHOUSE_URL.*connection refused"):
        migrate(away, give_up_after=0.2)


def test_a_checkout_and_a_wheel_have_their_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path(str(migrations.sql_folder())) == REPOSITORY / "sql"
    # As a wheel lays it out: breakout/_sql, and no pyproject.toml beside the package.
    package = tmp_path / "site" / "breakout"
    package.mkdir(parents=True)
    monkeypatch.setattr(migrations, "files", lambda _name: package)
    monkeypatch.setattr(migrations, "__file__", str(package / "migrations.py"))
    with pytest.raises(MigrationError, match="install breakout again"):
        migrations.sql_folder()
    (package / "_sql").mkdir()
    assert str(migrations.sql_folder()).endswith("_sql")


def test_the_readers_password_never_travels() -> None:
    from breakout.clickhouse.readonly_user import LIMITS, readonly_user_statements

    settings = read_settings(
        clickhouse_url="http://127.0.0.1:8123/adoption", reader_password="p4ssw0rd"
    )
    create, alter, grant = readonly_user_statements(settings, "p4ssw0rd")
    assert "p4ssw0rd" not in create + alter + grant
    assert re.match(
        r"CREATE USER IF NOT EXISTS `reader` IDENTIFIED WITH sha256_hash BY '[0-9A-F]{64}'", create
    )
    assert "readonly = 2 CONST" in alter
    assert all(f"{name} = {most} MIN 1 MAX {most}" in alter for name, most in LIMITS.items())
    assert grant == "GRANT SELECT ON `adoption`.* TO `reader`"


def test_clickhouse_parses_the_readers_statements(client: Client) -> None:
    from breakout.clickhouse.readonly_user import readonly_user_statements

    settings = read_settings(clickhouse_url="http://127.0.0.1:8123/adoption")
    for statement in readonly_user_statements(settings, "p4ssw0rd"):
        client.command(f"EXPLAIN AST {statement}")
