"""Reads one CSV file of the registry row by row; an invalid row does not affect others."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

RowT = TypeVar("RowT")


class RegistryFileError(ValueError):
    """A file is invalid as a whole. The message names the file and what a valid one looks like."""


class FieldError(ValueError):
    """A field of a row has an invalid value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True)
class RowError:
    """A row that was skipped, and why."""

    file: str
    line: int
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.field}: {self.problem}"


@dataclass(frozen=True)
class Table(Generic[RowT]):
    """The valid rows of a file, in its order, and the errors of the others."""

    rows: tuple[RowT, ...]
    errors: tuple[RowError, ...]


MAX_LINES = 100_000
"""A longer file is rejected."""
MAX_ERRORS = 1_000
"""A file with this many invalid rows is rejected as a whole."""
_MAX_LINE_LENGTH = 100_000


def read_table(
    file: str,
    content: bytes,
    header: tuple[str, ...],
    parse: Callable[[dict[str, str]], RowT],
    *,
    key: tuple[str, ...],
    optional: tuple[str, ...] = (),
) -> Table[RowT]:
    """Parse a CSV file with these columns; lines that start with `#` are comments.

    The columns may be in any order, and other columns are ignored. A column in `optional` that the
    file lacks is empty. `parse` converts a row, and raises `FieldError` for an invalid one. The
    columns `key` together must be unique: the first of equal rows is used. A field cannot contain a
    line break, so an unclosed quotation mark affects its own line only.

    Raises `RegistryFileError` if the file is not UTF-8, lacks a column, or has too many lines or
    invalid rows.
    """
    rows: list[RowT] = []
    errors: list[RowError] = []
    first_line: dict[str, int] = {}
    lines = _lines(file, content)
    columns = _columns(file, next(lines, (0, ""))[1], header, optional)
    for number, line in lines:
        try:
            fields = dict.fromkeys(optional, "") | _fields(line, columns)
            row = parse(fields)
            value = " ".join(fields[column] for column in key)
            if value in first_line:
                raise FieldError(key[0], f"{value} is on line {first_line[value]} already")
        except FieldError as error:
            errors.append(RowError(file, number, error.field, error.problem))
            if len(errors) >= MAX_ERRORS:
                raise RegistryFileError(
                    f"{file}: has {len(errors):,} invalid rows or more, the last: {errors[-1]}"
                ) from None
            continue
        first_line[value] = number
        rows.append(row)
    return Table(tuple(rows), tuple(errors))


def _lines(file: str, content: bytes) -> Iterator[tuple[int, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RegistryFileError(f"{file}: must be UTF-8, but byte {error.start} is not") from None
    # Not `splitlines`: as an object, a line of one character takes fifty times its size.
    for number, line in enumerate(io.StringIO(text.replace("\r\n", "\n"), newline="\n"), start=1):
        if number > MAX_LINES:
            raise RegistryFileError(f"{file}: has more than {MAX_LINES:,} lines")
        if line.strip() and not line.startswith("#"):
            yield number, line.removesuffix("\n")


def _columns(
    file: str, line: str, header: tuple[str, ...], optional: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the names of the file's columns, in its order."""
    try:
        columns = tuple(column.strip() for column in next(csv.reader([line], strict=True), ()))
    except csv.Error:
        columns = ()
    missing = [column for column in header if column not in {*columns, *optional}]
    if missing or len(set(columns)) != len(columns):
        shown = line if len(line) <= 80 else line[:77] + "..."  # noqa: PLR2004
        problem = f"lacks {', '.join(missing)}" if missing else "names a column twice"
        raise RegistryFileError(
            f"{file}: the header must be {','.join(header)}, got {shown or 'an empty file'}"
            + (f", which {problem}" if columns else "")
        )
    return columns


def _fields(line: str, columns: tuple[str, ...]) -> dict[str, str]:
    if len(line) > _MAX_LINE_LENGTH:
        raise FieldError(
            "row", f"must have at most {_MAX_LINE_LENGTH:,} characters, got {len(line):,}"
        )
    try:
        values = next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise FieldError("row", f"not CSV: {error}") from None
    if len(values) != len(columns):
        raise FieldError("row", f"must have {len(columns)} fields, got {len(values)}")
    return dict(zip(columns, values, strict=True))
