"""Multipart forms: parameters as fields, and external tables as files."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import IO

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from breakout.local.clickhouse.connection import Connection, identifier
from breakout.local.clickhouse.errors import (
    BAD_ARGUMENTS,
    NOT_IMPLEMENTED,
    QUERY_IS_TOO_LARGE,
    UNKNOWN_FORMAT,
    clickhouse_error,
)
from breakout.local.clickhouse.receive import receive

_MAX_FIELD_BYTES = 16 << 20
_MAX_FILE_BYTES = 256 << 20
_MAX_PARTS = 1000
_MAX_FILES = 100
_MAX_STRUCTURE_LENGTH = 1 << 16
_CHUNK_BYTES = 1 << 18

# Formats of plain values. Others compute (`Values` holds expressions) or read a schema from
# elsewhere, and the data is read before the user's rights are checked.
_FORMAT_NAMES = """
Arrow ArrowStream Avro CSV CSVWithNames CSVWithNamesAndTypes JSONCompactEachRow
JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes JSONEachRow LineAsString MsgPack
NDJSON Native ORC Parquet RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes TSV TSVRaw
TSVWithNames TSVWithNamesAndTypes TabSeparated TabSeparatedRaw TabSeparatedWithNames
TabSeparatedWithNamesAndTypes
"""
_FORMATS = frozenset(_FORMAT_NAMES.split())
# A column is a name and a type, without DEFAULT, ALIAS, comment or escape
_NAME = re.compile(r"\s*(?:`([^`\\]+)`|\"([^\"\\]+)\"|([A-Za-z_]\w*))\s+", re.ASCII)
_TYPE_TOKEN = re.compile(r"\s*(?:([A-Za-z_]\w*|-?\d+(?:\.\d+)?|'[^'\\]*'|=)|([(,)]))", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A table sent with a query. ``columns`` are names and types."""

    name: str
    columns: list[tuple[str, str]]
    data_format: str
    data: IO[bytes]

    def load(self, connection: Connection, mark: str) -> None:
        """Create it as a temporary table; the statement that fills it carries ``mark``."""
        columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in self.columns)
        table = identifier(self.name)
        connection.run(f"CREATE TEMPORARY TABLE {table} ({columns}) ENGINE = Memory".encode())
        try:
            self.data.seek(0)
            connection.run(
                f"INSERT INTO {table}\n{mark} FROM INFILE '/dev/fd/{self.data.fileno()}' "
                f"COMPRESSION 'none' FORMAT {self.data_format}".encode()
            )
        except BaseException:
            self.drop(connection)
            raise

    def drop(self, connection: Connection) -> None:
        """Drop the temporary table."""
        connection.run(f"DROP TEMPORARY TABLE IF EXISTS {identifier(self.name)}".encode())


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, and its files by name."""

    fields: list[tuple[str, str]]
    files: dict[str, IO[bytes]]

    def close(self) -> None:
        """Close the files."""
        for file in self.files.values():
            file.close()

    def external_tables(self, arguments: Mapping[str, str]) -> list[ExternalTable]:
        """Return the files as tables, described by the parameters ``NAME_structure`` (or
        ``NAME_types``) and ``NAME_format``."""
        return [_external_table(name, file, arguments) for name, file in self.files.items()]

    def file_parameters(self) -> set[str]:
        """Return the names of the parameters that describe the files."""
        suffixes = ("structure", "types", "format")
        return {f"{name}_{suffix}" for name in self.files for suffix in suffixes}


def is_form(http: web.Request) -> bool:
    """Return whether the body is a form."""
    return http.content_type == "multipart/form-data"


async def read_form(http: web.Request) -> Form:
    """Read the body, its files into unnamed temporary files.

    Raises ClickHouseError for a malformed or too large form, and after a timeout.
    """
    if http.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise clickhouse_error(NOT_IMPLEMENTED, "Compressed forms are not supported by this server")
    form = Form([], {})
    try:
        await _read(http, form)
    except (ValueError, AssertionError, RuntimeError, BadHttpMessage) as error:
        form.close()
        raise clickhouse_error(BAD_ARGUMENTS, f"Cannot read the form: {error}") from None
    except BaseException:
        form.close()
        raise
    return form


async def _read(http: web.Request, form: Form) -> None:
    field_bytes = file_bytes = 0
    reader = await http.multipart()
    while (part := await receive(reader.next())) is not None:
        if not isinstance(part, BodyPartReader) or not part.name:
            raise ValueError("a part has no name in its Content-Disposition")
        if not _is_text(part.name):
            raise ValueError("the name of a part is not UTF-8")
        if len(form.fields) + len(form.files) >= _MAX_PARTS:
            raise ValueError(f"more than {_MAX_PARTS} parts")
        if part.filename is None:
            value = bytearray()
            async for chunk in _chunks(part):
                field_bytes = _check_size(field_bytes + len(chunk), _MAX_FIELD_BYTES)
                value += chunk
            form.fields.append((part.name, _text(part.name, value)))
            continue
        if len(form.files) >= _MAX_FILES:
            raise ValueError(f"more than {_MAX_FILES} files")
        if part.name in form.files:
            raise ValueError(f"two files have the name {part.name!r}")
        file = form.files[part.name] = tempfile.TemporaryFile()  # noqa: SIM115
        async for chunk in _chunks(part):
            file_bytes = _check_size(file_bytes + len(chunk), _MAX_FILE_BYTES)
            file.write(chunk)
        file.flush()


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await receive(part.read_chunk(_CHUNK_BYTES)):
        yield chunk


def _text(name: str, value: bytearray) -> str:
    text = value.decode("utf-8", "surrogateescape")
    # A statement may contain any bytes
    if name != "query" and not _is_text(text):
        raise ValueError(f"the field {name} is not UTF-8")
    return text


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_size(size: int, limit: int) -> int:
    if size > limit:
        raise clickhouse_error(QUERY_IS_TOO_LARGE, f"The form is longer than {limit} bytes")
    return size


def _external_table(name: str, data: IO[bytes], arguments: Mapping[str, str]) -> ExternalTable:
    data_format = arguments.get(f"{name}_format") or "TabSeparated"
    if data_format not in _FORMATS:
        raise clickhouse_error(
            UNKNOWN_FORMAT,
            f"External table {name}: format {data_format[:80]} is not supported by this server; "
            f"choose one of {', '.join(sorted(_FORMATS))}",
        )
    structure, types = arguments.get(f"{name}_structure"), arguments.get(f"{name}_types")
    try:
        if structure:
            columns = _columns(structure, named=True)
        elif types:
            columns = _columns(types, named=False)
        else:
            raise ValueError(f"set {name}_structure or {name}_types")
    except ValueError as error:
        raise clickhouse_error(BAD_ARGUMENTS, f"External table {name}: {error}") from None
    return ExternalTable(name, columns, data_format, data)


def _columns(text: str, *, named: bool) -> list[tuple[str, str]]:
    if len(text) > _MAX_STRUCTURE_LENGTH:
        raise ValueError(f"its structure is longer than {_MAX_STRUCTURE_LENGTH} characters")
    text = text.rstrip()
    columns: list[tuple[str, str]] = []
    at = 0
    while True:
        name = f"_{len(columns) + 1}"
        if named:
            found = _NAME.match(text, at)
            if found is None:
                raise ValueError(f"a column name is expected at {text[at : at + 40]!r}")
            name, at = next(filter(None, found.groups())), found.end()
        kind, at, more = _type(text, at)
        columns.append((name, kind))
        if not more:
            return columns


def _type(text: str, at: int) -> tuple[str, int, bool]:
    """Parse a type; returns it, where it ends, and whether another column follows."""
    tokens: list[str] = []
    depth = 0
    more = False
    while at < len(text):
        found = _TYPE_TOKEN.match(text, at)
        if found is None or (depth == 0 and tokens and found[1]):
            raise ValueError(f"a type is expected at {text[at : at + 40]!r}")
        word, sign = found.groups()
        at = found.end()
        more = sign == "," and depth == 0
        if more:
            break
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
        tokens.append(word or sign)
    if depth or not tokens or not tokens[0][0].isalpha():
        raise ValueError(f"invalid type {' '.join(tokens)!r}")
    return " ".join(tokens), at, more
