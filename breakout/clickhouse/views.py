"""Creates the views of sql/views/, the public SQL interface, again at every `breakout migrate`.

A file holds one view or a few related ones, each as `CREATE OR REPLACE VIEW name`. They are
created in the order of what they read; names of files have no meaning. The table `schema_views`
records which views were created here, so that a view removed from the files can be dropped while
other people's views stay. The views are those of the program that migrated last, even an older
one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from importlib.resources.abc import Traversable

import structlog
from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.pinned_views import pinned
from breakout.clickhouse.record_table import RecordTable
from breakout.clickhouse.statements import MigrationError, split_statements, without_texts

log = structlog.get_logger(__name__)

_NAME = re.compile(r"CREATE\s+OR\s+REPLACE\s+VIEW\s+(\w+)\b", re.IGNORECASE)
_READ = re.compile(r"\b(?:FROM|JOIN|IN)\s+(\w+)\b", re.IGNORECASE)

_RECORDS = RecordTable(
    name="schema_views",
    meaning="Views of this database that breakout migrate created",
    engine="ReplacingMergeTree(updated_at, dropped)",
    key="name",
    columns={
        "name": ("String", "Name of the view"),
        "checksum": ("String", "SHA-256 of its statement, hexadecimal; empty = not created yet"),
        "dropped": ("UInt8", "1 = dropped since"),
        "updated_at": ("DateTime64(3, 'UTC')", "When this was written, UTC: the latest row counts"),
    },
)


@dataclass(frozen=True)
class View:
    """A view, as a file defines it."""

    name: str
    file: str
    statement: str

    @property
    def checksum(self) -> str:
        """SHA-256 of its statement."""
        return sha256(self.statement.encode()).hexdigest()


@dataclass(frozen=True)
class ViewChanges:
    """What a database's views lack: those to create or to change, and names of those to drop."""

    create: tuple[View, ...]
    drop: tuple[str, ...]


def read_views(folder: Traversable) -> list[View]:
    """Read the views in the order of what they read. Raises `MigrationError` with the file."""
    views: dict[str, View] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        for statement in split_statements(file.read_text(encoding="utf-8"), file.name):
            named = _NAME.match(statement)
            if not named:
                raise MigrationError(
                    f"{file.name}: {statement.splitlines()[0]!r} does not begin with "
                    "CREATE OR REPLACE VIEW: the folder of views holds nothing else"
                )
            view = View(named[1], file.name, pinned(statement))
            if view.name in views:
                raise MigrationError(
                    f"{views[view.name].file} and {file.name} both create the view {view.name}: "
                    "remove one"
                )
            views[view.name] = view
    if not views:
        raise MigrationError(f"{folder} holds no views")
    return _ordered(views)


def lacking_views(client: Client, database: str, views: Sequence[View]) -> ViewChanges:
    """Return what `create_views` would change.

    Raises `MigrationError` if a table, or a view created by others, has the name of one of them.
    """
    kinds = _kinds(client, database)
    checksums = _checksums(client, database) if "schema_views" in kinds else {}
    for view in views:
        kind = kinds.get(view.name, "View")
        # CREATE OR REPLACE VIEW would replace a table too, with all its rows.
        if kind != "View" or (view.name in kinds and view.name not in checksums):
            raise MigrationError(
                f"the database {database!r} has a {'view' if kind == 'View' else 'table'} "
                f"{view.name!r} that breakout did not create, and {view.file} needs the name: "
                "rename it"
            )
    return ViewChanges(
        create=tuple(
            view
            for view in views
            if view.name not in kinds or checksums[view.name] != view.checksum
        ),
        drop=tuple(sorted(checksums.keys() - {view.name for view in views})),
    )


def create_views(client: Client, database: str, views: Sequence[View]) -> ViewChanges:
    """Create all views again, drop those removed from the files, and return what changed.

    Queries always find every view: ClickHouse exchanges the old and the new one atomically.
    Raises as `lacking_views` does, and the driver's errors.
    """
    client.database = database
    _RECORDS.create(client)
    changes = lacking_views(client, database, views)
    # Recorded first: the next run recognises what a killed one created.
    _record(client, ((view.name, "", 0) for view in changes.create))
    for view in views:
        client.command(view.statement)
    for name in changes.drop:
        client.command(f"DROP VIEW IF EXISTS {quote_identifier(name)}")
    _record(
        client,
        [
            *((view.name, view.checksum, 0) for view in changes.create),
            *((name, "", 1) for name in changes.drop),
        ],
    )
    if changes.create or changes.drop:
        log.info(
            "views changed",
            created=[view.name for view in changes.create],
            dropped=list(changes.drop),
            database=database,
        )
    return changes


def _ordered(views: dict[str, View]) -> list[View]:
    reads = {
        name: sorted({*_READ.findall(without_texts(view.statement))} & views.keys() - {name})
        for name, view in sorted(views.items())
    }
    try:
        return [views[name] for name in TopologicalSorter(reads).static_order()]
    except CycleError as error:
        cycle = " <- ".join(error.args[1])
        raise MigrationError(f"views read each other in a cycle: {cycle}") from None


def _kinds(client: Client, database: str) -> dict[str, str]:
    rows = client.query(
        "SELECT name, engine FROM system.tables WHERE database = {database:String}",
        parameters={"database": database},
    ).result_rows
    return {str(name): str(engine) for name, engine in rows}


def _checksums(client: Client, database: str) -> dict[str, str]:
    table = f"{quote_identifier(database)}.schema_views"
    rows = client.query(f"SELECT name, checksum FROM {table} FINAL").result_rows  # noqa: S608 - quoted
    return {str(name): str(checksum) for name, checksum in rows}


def _record(client: Client, rows: Iterable[tuple[str, str, int]]) -> None:
    now = datetime.now(UTC)
    dated = [(*row, now) for row in rows]
    if dated:
        _RECORDS.insert(client, dated)
