"""Schema migrations: the numbered SQL files of sql/schema/, applied once and in order.

A file is `NNNN_name.sql`, numbered from 0001 without gaps. What was applied is kept in the
table `schema_migrations` with the file's SHA-256, so a file that changed afterwards, a file
that went missing and a database newer than the program are all refused.

ClickHouse has no transaction around schema changes. So a migration is recorded as started
before its first statement and as applied after its last one, and must be safe to run twice:
the runner gives every CREATE its IF NOT EXISTS, and any other statement has to be written that
way (`ALTER TABLE t ADD COLUMN IF NOT EXISTS ...`). That makes a rerun after a failure, and
concurrent runners, harmless. A migration that failed halfway and was then edited is refused while
what it made is still there: IF NOT EXISTS would keep the older definition unnoticed.

Views have no migrations: every run creates them again (`breakout.clickhouse.views`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import structlog
from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client

from breakout.clickhouse.client import Purpose, await_clickhouse
from breakout.clickhouse.errors import explained
from breakout.clickhouse.readonly_user import create_readonly_user
from breakout.clickhouse.record_table import RecordTable
from breakout.clickhouse.statements import MigrationError, split_statements
from breakout.clickhouse.views import View, ViewChanges, create_views, lacking_views, read_views
from breakout.settings import Settings

log = structlog.get_logger(__name__)

_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_CREATE = re.compile(
    r"(?P<create>\s*CREATE\s+(?:TABLE|MATERIALIZED\s+VIEW|DICTIONARY|FUNCTION)\s+)"
    r"(?!IF\s+NOT\s+EXISTS\b)",
    re.IGNORECASE,
)
_VIEW = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\b", re.IGNORECASE)
_MADE = re.compile(r"CREATE\s+[A-Z\s]+?\s+IF\s+NOT\s+EXISTS\s+([\w.`\"]+)", re.IGNORECASE)

_EARLIER = "0001_downloads.sql"
"""First migration of the earlier schema: no migration may have this name again."""

_RECORDS = RecordTable(
    name="schema_migrations",
    meaning="Migrations of this database",
    engine="ReplacingMergeTree(applied)",
    key="version",
    columns={
        "version": ("UInt32", "Number of the migration"),
        "name": ("String", "Name of its file"),
        "checksum": ("String", "SHA-256 of its file, hexadecimal"),
        "started_at": ("DateTime64(3, 'UTC')", "When it was begun, UTC"),
        "applied_at": ("Nullable(DateTime64(3, 'UTC'))", "When it was done, UTC; null = not"),
        "applied": ("Bool", "Whether it was done: outlives the record of its start"),
    },
)


@dataclass(frozen=True)
class Migration:
    """One migration file."""

    version: int
    file: str
    checksum: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What a run did: names of the files applied now, which views it changed, and whether the
    reader was made."""

    applied: tuple[str, ...]
    views: ViewChanges
    reader: bool


@dataclass(frozen=True)
class Pending:
    """What a database lacks of this program's schema."""

    migrations: tuple[Migration, ...]
    views: ViewChanges

    @property
    def first(self) -> str | None:
        """The first difference, as a predicate of the database; None when it is up to date."""
        if self.migrations:
            return f"lacks {self.migrations[0].file}"
        if self.views.create:
            return (
                f"lacks the view {self.views.create[0].name} as {self.views.create[0].file} has it"
            )
        if self.views.drop:
            return f"still has the view {self.views.drop[0]}"
        return None


_Row = tuple[int, str, str, datetime, datetime | None, bool]
"""A row of `schema_migrations`."""


@dataclass(frozen=True)
class _Record:
    file: str
    checksum: str
    applied: bool


def sql_folder() -> Traversable:
    """Return where the SQL files are: inside the wheel, or beside the package in a checkout."""
    packaged = files("breakout") / "_sql"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "sql").is_dir():
        return checkout / "sql"
    raise MigrationError("the SQL files (breakout/_sql) are missing: install breakout again")


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Read the migration files in order. Raises `MigrationError` that names the wrong file."""
    folder = folder or sql_folder() / "schema"
    found: dict[int, Migration] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        named = _FILE_NAME.fullmatch(file.name)
        if not named:
            raise MigrationError(f"{file.name}: a migration is called NNNN_name.sql")
        version = int(named["version"])
        if version in found:
            raise MigrationError(
                f"{file.name} and {found[version].file} have one number: renumber the newer one"
            )
        found[version] = _read(version, file)
    for expected, version in enumerate(found, start=1):
        if version != expected:
            raise MigrationError(
                f"{found[version].file}: the migration before it, {expected:04}, is missing"
            )
    if not found:
        raise MigrationError(f"{folder} holds no migrations")
    return list(found.values())


def migrate(settings: Settings, *, give_up_after: float | None = None) -> Report:
    """Bring the database up to date, making it if need be, and set up the read-only user.

    Waits for ClickHouse, `give_up_after` seconds at most. Raises `MigrationError` and
    `ClickHouseError`.
    """
    migrations, views = read_migrations(), read_views(sql_folder() / "views")
    database = settings.clickhouse.database
    client = await_clickhouse(settings, Purpose.MIGRATE, give_up_after=give_up_after)
    with explained(settings):
        try:
            _pending(client, database, migrations, views)  # refuses before anything is changed
            applied = apply(client, database, migrations)
            changed = create_views(client, database, views)
            reader = create_readonly_user(client, settings)
        finally:
            client.close()
    return Report(tuple(migration.file for migration in applied), changed, reader)


def pending(settings: Settings, *, give_up_after: float | None = 0) -> Pending:
    """Return what the database lacks, changing nothing. Raises as `migrate` does."""
    migrations, views = read_migrations(), read_views(sql_folder() / "views")
    client = await_clickhouse(settings, Purpose.MIGRATE, give_up_after=give_up_after)
    with explained(settings):
        try:
            return _pending(client, settings.clickhouse.database, migrations, views)
        finally:
            client.close()


def apply(client: Client, database: str, migrations: Sequence[Migration]) -> list[Migration]:
    """Apply what the database lacks and return it; raises the driver's errors."""
    client.command(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(database)}")
    client.database = database
    _RECORDS.create(client)
    to_do = _to_do(migrations, _records(client, database), database)
    done: list[_Row] = []
    for migration in to_do:
        started = datetime.now(UTC)
        # That one is done and that the next begins is one insert: inserts are half of all time.
        _RECORDS.insert(client, [*done, _row(migration, started, None)])
        for statement in migration.statements:
            client.command(statement)
        done = [_row(migration, started, datetime.now(UTC))]
        log.info("migrated", file=migration.file, database=database)
    if done:
        _RECORDS.insert(client, done)
    return to_do


def _pending(
    client: Client, database: str, migrations: Sequence[Migration], views: Sequence[View]
) -> Pending:
    to_do = _to_do(migrations, _records(client, database), database)
    return Pending(tuple(to_do), lacking_views(client, database, views))


def _read(version: int, file: Traversable) -> Migration:
    content = file.read_bytes()
    try:
        sql = content.decode()
    except UnicodeDecodeError:
        raise MigrationError(f"{file.name}: must be UTF-8") from None
    statements = split_statements(sql, file.name)
    if not statements:
        raise MigrationError(f"{file.name}: holds no statement")
    if any(_VIEW.match(statement) for statement in statements):
        raise MigrationError(f"{file.name}: a view belongs into the folder of views, not here")
    return Migration(
        version=version,
        file=file.name,
        checksum=sha256(content).hexdigest(),
        statements=tuple(_CREATE.sub(r"\g<create>IF NOT EXISTS ", s, count=1) for s in statements),
    )


def _records(client: Client, database: str) -> dict[int, _Record]:
    exists = client.query(
        "SELECT 1 FROM system.tables "
        "WHERE database = {database:String} AND name = 'schema_migrations'",
        parameters={"database": database},
    )
    if not exists.result_rows:
        return {}
    client.database = database
    rows = client.query(
        "SELECT version, name, checksum, applied FROM schema_migrations FINAL"
    ).result_rows
    return {version: _Record(file, checksum, done) for version, file, checksum, done in rows}


def _row(migration: Migration, started: datetime, applied: datetime | None) -> _Row:
    done = applied is not None
    return (migration.version, migration.file, migration.checksum, started, applied, done)


def _to_do(
    migrations: Sequence[Migration], records: dict[int, _Record], database: str
) -> list[Migration]:
    known = {migration.version: migration for migration in migrations}
    if 1 in records and records[1].file == _EARLIER:
        raise MigrationError(
            f"the database {database!r} is of an earlier schema ({_EARLIER}), which cannot be "
            "migrated: name an empty database in CLICKHOUSE_URL, run `breakout migrate`, and start "
            "anew with `breakout backfill`"
        )
    for version, record in sorted(records.items()):
        if version not in known:
            raise MigrationError(
                f"the database {database!r} has {record.file}, which this program (up to "
                f"{migrations[-1].file}) does not know: upgrade breakout"
            )
        _check(known[version], record, database)
    to_do = [m for m in migrations if not (m.version in records and records[m.version].applied)]
    for later, record in records.items():
        if record.applied and to_do and later > to_do[0].version:
            raise MigrationError(
                f"the database {database!r} has {record.file} but lacks {to_do[0].file}, which "
                "comes before it: restore the database, or its table schema_migrations"
            )
    return to_do


def _check(migration: Migration, record: _Record, database: str) -> None:
    if record.applied and record.file != migration.file:
        raise MigrationError(
            f"{record.file} was applied to the database {database!r} and is missing: "
            f"{migration.file} has taken its number; restore it and number the new one after it"
        )
    if record.checksum == migration.checksum:
        return
    if record.applied:
        raise MigrationError(
            f"{migration.file} has changed since it was applied to the database {database!r}: "
            "restore it, and put the change into a new migration"
        )
    made = ", ".join(_names_made(migration)) or "what it made"
    raise MigrationError(
        f"{migration.file} failed halfway on the database {database!r} and has changed since: "
        "restore the file; or drop what it made where that exists "
        f"({made}), delete version {migration.version} from schema_migrations, and migrate again"
    )


def _names_made(migration: Migration) -> Iterator[str]:
    for statement in migration.statements:
        made = _MADE.match(statement)
        if made:
            yield made[1]
