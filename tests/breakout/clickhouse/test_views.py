"""Creating the views anew at every migrate."""

import shutil
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from breakout.clickhouse import migrations
from breakout.clickhouse.client import migration_client
from breakout.clickhouse.migrations import migrate, pending, sql_folder
from breakout.clickhouse.statements import MigrationError
from breakout.clickhouse.views import View, create_views, lacking_views, read_views
from breakout.settings import Settings

CIRCLE = """
CREATE OR REPLACE VIEW c AS SELECT x FROM d;
CREATE OR REPLACE VIEW d AS SELECT x FROM c;
"""


@pytest.fixture
def client(settings: Settings) -> Client:
    client = migration_client(settings)
    client.command(f"CREATE DATABASE IF NOT EXISTS {settings.clickhouse.database}")
    client.database = settings.clickhouse.database
    return client


@pytest.fixture
def views(tmp_path: Path) -> Path:
    folder = tmp_path / "views"
    folder.mkdir()
    (folder / "some.sql").write_text(
        "CREATE OR REPLACE VIEW a AS SELECT 1 AS x;\nCREATE OR REPLACE VIEW b AS SELECT x FROM a;"
    )
    return folder


@pytest.fixture
def sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's SQL files, to change."""
    copy = tmp_path / "sql"
    shutil.copytree(str(sql_folder()), copy)
    monkeypatch.setattr(migrations, "sql_folder", lambda: copy)
    return copy


def definitions(client: Client) -> dict[str, str]:
    """Statements of the views of the database, as the engine formats them."""
    rows = client.query(
        "SELECT name, replaceAll(create_table_query, concat(database, '.'), '') "
        "FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    ).result_rows
    return {str(name): str(text) for name, text in rows}


def formatted(client: Client, view: View) -> str:
    (row,) = client.query(
        "SELECT formatQuerySingleLine({statement:String})",
        parameters={"statement": view.statement},
    ).result_rows
    text = str(row[0]).replace("CREATE OR REPLACE VIEW", "CREATE VIEW", 1)
    return text.replace("DEFINER = CURRENT_USER", "DEFINER = default")


def kinds(client: Client) -> dict[str, str]:
    rows = client.query(
        "SELECT name, engine FROM system.tables WHERE database = currentDatabase()"
    ).result_rows
    return {str(name): str(engine) for name, engine in rows}


def columns(client: Client, view: str) -> list[str]:
    return [str(name) for name, *_ in client.query(f"DESCRIBE TABLE {view}").result_rows]


def named(views: tuple[View, ...]) -> list[str]:
    return [view.name for view in views]


def test_views_of_the_database_are_those_of_the_files(settings: Settings, client: Client) -> None:
    migrate(settings)
    files = read_views(sql_folder() / "views")
    assert definitions(client) == {view.name: formatted(client, view) for view in files}


def test_a_changed_file_takes_effect_at_the_next_migrate(
    settings: Settings, client: Client, sql: Path
) -> None:
    migrate(settings)
    file = sql / "views" / "breakouts.sql"
    file.write_text(file.read_text().replace("First crossings of 1.0x", "First of all"))
    lacking = pending(settings)
    assert (named(lacking.views.create), lacking.views.drop) == (["breakouts"], ())
    assert lacking.first == "lacks the view breakouts as breakouts.sql has it"
    done = migrate(settings)
    assert (done.applied, named(done.views.create)) == ((), ["breakouts"])
    assert "First of all" in definitions(client)["breakouts"]
    assert pending(settings).first is None


def test_a_view_that_left_the_files_is_dropped(
    settings: Settings, client: Client, sql: Path
) -> None:
    migrate(settings)
    client.command("CREATE VIEW own AS SELECT 1 AS x")
    (sql / "views" / "families.sql").unlink()
    assert pending(settings).first == "still has the view families"
    assert migrate(settings).views.drop == ("families",)
    assert "families" not in kinds(client)
    assert kinds(client)["own"] == "View", "people's own views are theirs"
    assert pending(settings).first is None
    # The name is free again for somebody else's.
    client.command("CREATE VIEW families AS SELECT 1 AS x")
    assert migrate(settings).views.drop == ()
    assert columns(client, "families") == ["x"]


def test_a_dropped_view_can_come_back(settings: Settings, client: Client, views: Path) -> None:
    database = settings.clickhouse.database
    both = read_views(views)
    create_views(client, database, both)
    create_views(client, database, both[:1])
    create_views(client, database, both)
    assert kinds(client)["b"] == "View"
    assert not lacking_views(client, database, both).create


def test_a_view_that_somebody_dropped_or_changed_is_created_anew(
    settings: Settings, client: Client, views: Path
) -> None:
    database, both = settings.clickhouse.database, read_views(views)
    create_views(client, database, both)
    client.command("DROP VIEW a")
    client.command("CREATE OR REPLACE VIEW b AS SELECT 2 AS y")
    assert named(lacking_views(client, database, both).create) == ["a"]
    create_views(client, database, both)
    assert (columns(client, "a"), columns(client, "b")) == (["x"], ["x"])


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        ("CREATE TABLE ram (x UInt8) ENGINE = MergeTree ORDER BY x", "table"),
        ("CREATE VIEW ram AS SELECT 1 AS x", "view"),
    ],
)
def test_nothing_of_somebody_else_is_replaced(
    settings: Settings, client: Client, own: str, kind: str
) -> None:
    client.command(own)
    for ask in (migrate, pending):
        with pytest.raises(MigrationError) as error:
            ask(settings)
        assert str(error.value) == (
            f"the database {settings.clickhouse.database!r} has a {kind} 'ram' that breakout did "
            "not create, and ram.sql needs the name: rename it"
        )
    assert list(kinds(client)) == ["ram"]
    assert columns(client, "ram") == ["x"]


def test_a_table_in_the_place_of_a_view_is_not_replaced(
    settings: Settings, client: Client, views: Path
) -> None:
    database, both = settings.clickhouse.database, read_views(views)
    create_views(client, database, both)
    client.command("DROP VIEW a")
    client.command("CREATE TABLE a (x UInt8) ENGINE = MergeTree ORDER BY x")
    with pytest.raises(MigrationError, match="has a table 'a' that breakout did not create"):
        create_views(client, database, both)
    assert kinds(client)["a"] == "MergeTree"


def test_what_failed_halfway_is_finished_by_the_next_run(
    settings: Settings, client: Client, views: Path
) -> None:
    database = settings.clickhouse.database
    (views / "more.sql").write_text("CREATE OR REPLACE VIEW c AS SELECT x FROM b, nosuch")
    with pytest.raises(DatabaseError):
        create_views(client, database, read_views(views))
    assert {"a", "b"} <= kinds(client).keys()
    (views / "more.sql").unlink()
    assert named(lacking_views(client, database, read_views(views)).create) == ["a", "b"]
    create_views(client, database, read_views(views))
    changes = lacking_views(client, database, read_views(views))
    assert (changes.create, changes.drop) == ((), ())


def test_views_are_ordered_by_what_they_read(views: Path) -> None:
    (views / "some.sql").write_text(
        "CREATE OR REPLACE VIEW a AS SELECT x FROM c -- FROM e\n WHERE x IN d;"
        "CREATE OR REPLACE VIEW b AS SELECT x FROM (SELECT x FROM c) AS l JOIN a ON a.x = l.x;"
    )
    (views / "other.sql").write_text(
        "CREATE OR REPLACE VIEW c AS SELECT a.x FROM e(moment = 1) AS a;"
        "CREATE OR REPLACE VIEW d AS SELECT x FROM elsewhere COMMENT 'Out of a and FROM a';"
        "CREATE OR REPLACE VIEW e AS SELECT {moment:UInt8} AS x;"
    )
    order = [view.name for view in read_views(views)]
    assert sorted(order) == ["a", "b", "c", "d", "e"]
    for reading, read in ("ac", "ad", "bc", "ba", "ce"):
        assert order.index(read) < order.index(reading)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "CREATE VIEW c AS SELECT 1",
            "more.sql: 'CREATE VIEW c AS SELECT 1' does not begin with CREATE OR REPLACE VIEW",
        ),
        ("DROP TABLE a", "begin with CREATE OR REPLACE VIEW: the folder of views holds nothing"),
        (
            "CREATE OR REPLACE VIEW b AS SELECT 1",
            "more.sql and some.sql both create the view b: remove one",
        ),
        (
            CIRCLE,
            "views read each other in a cycle: c <- d <- c",
        ),
        ("CREATE OR REPLACE VIEW c AS SELECT 'open", "more.sql, line 1: ' is never closed"),
    ],
)
def test_refuses_a_wrong_file_by_its_name(views: Path, content: str, message: str) -> None:
    (views / "more.sql").write_text(content)
    with pytest.raises(MigrationError) as error:
        read_views(views)
    assert message in str(error.value)


def test_refuses_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="holds no views"):
        read_views(tmp_path)
