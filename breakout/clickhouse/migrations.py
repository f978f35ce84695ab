"""Schema migrations: numbered SQL files, applied once and in order.

A file is `NNNN_name.sql`, numbered from 0001 without gaps. What was applied is kept in the
table `schema_migrations` with the file's SHA-256, so a file that changed afterwards, a file
that went missing and a database newer than the program are all refused.

ClickHouse has no transaction around schema changes. So a migration is recorded as started
before its first statement and as applied after its last one, and must be safe to run twice:
the runner gives every CREATE its IF NOT EXISTS, and any other statement has to be written that
way (`ALTER TABLE t ADD COLUMN IF NOT EXISTS ...`). That makes a rerun after a failure, and two
runners at once, harmless. A migration that failed halfway and was then edited is refused while
what it made is still there: IF NOT EXISTS would keep the older definition unnoticed.
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

from breakout.clickhouse.client import Purpose, await_clickhouse, explained
from breakout.clickhouse.pinned_views import pin_views, pinned
from breakout.clickhouse.readonly_user import create_reader
from breakout.settings import Settings

log = structlog.get_logger(__name__)

_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)
  | (?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|(?P<tag>\$\w*\$).*?(?P=tag))
  | (?P<open>/\*|['"`])
  | (?P<end>;)
  | (?P<other>[^-\#/'"`$;]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CREATE = re.compile(
    r"(?P<create>\s*CREATE\s+(?:TABLE|VIEW|MATERIALIZED\s+VIEW|DICTIONARY|FUNCTION)\s+)"
    r"(?!IF\s+NOT\s+EXISTS\b)",
    re.IGNORECASE,
)
_MADE = re.compile(r"CREATE\s+[A-Z\s]+?\s+IF\s+NOT\s+EXISTS\s+([\w.`\"]+)", re.IGNORECASE)

_COLUMNS = {
    "version": ("UInt32", "Number of the migration"),
    "name": ("String", "Name of its file"),
    "checksum": ("String", "SHA-256 of its file, hexadecimal"),
    "started_at": ("DateTime64(3, 'UTC')", "When it was begun, UTC"),
    "applied_at": ("Nullable(DateTime64(3, 'UTC'))", "When it was done, UTC; null = not"),
    "applied": ("Bool", "Whether it was done: outlives the record of its start"),
}
_TABLE = f"""
CREATE TABLE IF NOT EXISTS schema_migrations
(
    {", ".join(f"{name} {kind} COMMENT '{about}'" for name, (kind, about) in _COLUMNS.items())}
)
ENGINE = ReplacingMergeTree(applied)
ORDER BY version
COMMENT 'Migrations of this database'
"""


class MigrationError(RuntimeError):
    """The schema cannot be migrated, or is not what this program needs. Nothing was changed
    unless the message says so."""


@dataclass(frozen=True)
class Migration:
    """One migration file."""

    version: int
    file: str
    checksum: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What a run did: names of the files applied now, and whether the reader was made."""

    applied: tuple[str, ...]
    reader: bool


_Row = tuple[int, str, str, datetime, datetime | None, bool]
"""A row of `schema_migrations`."""


@dataclass(frozen=True)
class _Record:
    file: str
    checksum: str
    applied: bool


def migrations_folder() -> Traversable:
    """Return where the migrations are: inside the wheel, or beside the package in a checkout."""
    packaged = files("breakout") / "_sql"
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "sql").is_dir():
        return checkout / "sql"
    raise MigrationError("the migrations (breakout/_sql) are missing: install breakout again")


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Read the migration files in order. Raises `MigrationError` that names the wrong file."""
    folder = folder or migrations_folder()
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
    migrations = read_migrations()
    client = await_clickhouse(settings, Purpose.MIGRATE, give_up_after=give_up_after)
    with explained(settings):
        try:
            applied = apply(client, settings.clickhouse.database, migrations)
            made = {name for one in migrations for name in _names_made(one)}
            pin_views(client, settings.clickhouse.database, made)
            reader = create_reader(client, settings)
        finally:
            client.close()
    return Report(applied=tuple(migration.file for migration in applied), reader=reader)


def pending(settings: Settings, *, give_up_after: float | None = 0) -> list[Migration]:
    """Return the migrations the database lacks, changing nothing. Raises as `migrate` does."""
    migrations = read_migrations()
    client = await_clickhouse(settings, Purpose.MIGRATE, give_up_after=give_up_after)
    with explained(settings):
        try:
            records = _records(client, settings.clickhouse.database)
        finally:
            client.close()
    return _to_do(migrations, records, settings.clickhouse.database)


def require_migrated(settings: Settings) -> None:
    """Raise `MigrationError` unless the database has exactly this program's schema."""
    lacking = pending(settings)
    if lacking:
        raise MigrationError(
            f"the database {settings.clickhouse.database!r} lacks {lacking[0].file}: "
            "run `breakout migrate`"
        )


def apply(client: Client, database: str, migrations: Sequence[Migration]) -> list[Migration]:
    """Apply what the database lacks and return it; raises the driver's errors as they come."""
    client.command(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(database)}")
    client.database = database
    client.command(_TABLE)
    to_do = _to_do(migrations, _records(client, database), database)
    done: list[_Row] = []
    for migration in to_do:
        started = datetime.now(UTC)
        # That one is done and that the next begins is one insert: inserts are half of all time.
        _record(client, [*done, _row(migration, started, None)])
        for statement in migration.statements:
            client.command(pinned(statement))
        done = [_row(migration, started, datetime.now(UTC))]
        log.info("migrated", file=migration.file, database=database)
    if done:
        _record(client, done)
    return to_do


def split_statements(sql: str, file: str) -> list[str]:
    """Split a file at its semicolons, except those in strings, quoted names and comments.

    Comments before a statement are dropped, those within it stay. Raises `MigrationError`
    with the line of a string or comment that never ends.
    """
    statements, text = [], ""
    for token in _TOKEN.finditer(sql):
        kind = token.lastgroup
        if kind == "open":
            line = sql.count("\n", 0, token.start()) + 1
            raise MigrationError(f"{file}, line {line}: {token[0]} is never closed")
        if kind == "end":
            statements.append(text.strip())
            text = ""
        elif kind != "comment" or text.strip():
            text += token[0]
    statements.append(text.strip())
    return [statement for statement in statements if statement]


def _read(version: int, file: Traversable) -> Migration:
    content = file.read_bytes()
    try:
        sql = content.decode()
    except UnicodeDecodeError:
        raise MigrationError(f"{file.name}: must be UTF-8") from None
    statements = split_statements(sql, file.name)
    if not statements:
        raise MigrationError(f"{file.name}: holds no statement")
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


def _record(client: Client, rows: Sequence[_Row]) -> None:
    client.insert(
        "schema_migrations",
        rows,
        column_names=list(_COLUMNS),
        # Else the driver asks for them before every insert.
        column_type_names=[kind for kind, _ in _COLUMNS.values()],
        settings={"async_insert": 0},
    )


def _to_do(
    migrations: Sequence[Migration], records: dict[int, _Record], database: str
) -> list[Migration]:
    known = {migration.version: migration for migration in migrations}
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
