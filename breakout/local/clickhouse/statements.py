"""Parses what the HTTP interface has to know about a statement before running it.

These are: where the data of an INSERT begins, the trailing ``FORMAT`` of a result, and
``INTO OUTFILE`` or ``FROM INFILE``, which need the client's files. Rights are never checked here,
but by the engine's own parser.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from breakout.local.clickhouse.errors import INTO_OUTFILE_NOT_ALLOWED, clickhouse_error

_TOKEN = re.compile(
    rb"""
    (?P<blank>[\s\x00]+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
  | (?P<string>'(?:[^'\\]++|\\.|'')*+')
  | (?P<name>"(?:[^"\\]++|\\.|"")*+"|`(?:[^`\\]++|\\.|``)*+`)
  | (?P<unfinished>/\*|['"`])
  | (?P<dollar>\$(?P<tag>\w*+\$)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
  | (?P<number>[0-9][A-Za-z0-9_.]*)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

# Overlapping ones too, as in $a$a$
_HEREDOC_TAG = re.compile(rb"(?=(?P<tag>\$\w*+\$))")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: bytes
    start: int
    end: int

    def is_word(self, *words: bytes) -> bool:
        return self.kind == "word" and self.text.upper() in words


def _top_level(sql: bytes) -> Iterator[_Token]:
    """Yield the tokens outside brackets, without blanks and comments, in linear time.

    It stops at an unterminated quote or comment, which is a syntax error.
    """
    depth = 0
    position = 0
    heredoc_ends = _heredoc_ends(sql)
    while (found := _TOKEN.match(sql, position)) is not None:
        kind = found.lastgroup or "other"
        position = found.end()
        if kind in ("tag", "dollar"):
            kind, position = "unfinished", found.end("dollar")
            # Searched only if it exists, so that the time stays linear
            if found["tag"] and heredoc_ends.get(found["dollar"], 0) >= position:
                kind = "heredoc"
                position = sql.index(found["dollar"], position) + len(found["dollar"])
            elif found["tag"]:
                position = found.start() + 1
        if kind == "close":
            depth -= 1
        elif kind == "open":
            depth += 1
            if depth == 1:
                yield _Token("open", found.group(), found.start(), found.end())
        elif kind != "blank" and depth <= 0:
            yield _Token(kind, sql[found.start() : position], found.start(), position)
        if found.lastgroup == "unfinished":
            return


def _heredoc_ends(sql: bytes) -> dict[bytes, int]:
    """Return the last position of each ``$tag$``."""
    if b"$" not in sql:
        return {}
    return {found["tag"]: found.start() for found in _HEREDOC_TAG.finditer(sql)}


@dataclass(frozen=True, slots=True)
class InsertHead:
    """An INSERT without its data: ``statement`` names the target, ``data_start`` is the offset of
    the first byte of data, in ``data_format``."""

    statement: bytes
    data_format: str
    data_start: int

    def from_file(self, path: str, comment: str) -> bytes:
        """Return the statement with its data read from ``path``, and with a comment."""
        target, settings = self.statement, b""
        previous = _Token("blank", b"", 0, 0)
        for token in _top_level(self.statement):
            if token.is_word(b"SETTINGS") and not _names_target(previous):
                target, settings = self.statement[: token.start], self.statement[token.start :]
                break
            previous = token
        source = f"\n{comment} FROM INFILE '{path}' COMPRESSION 'none' ".encode()
        return target + source + settings + f" FORMAT {self.data_format}".encode()


def is_insert(sql: bytes) -> bool:
    """Return whether the statement starts with INSERT (after blanks and comments)."""
    return next((token.is_word(b"INSERT") for token in _top_level(sql)), False)


def insert_head(sql: bytes, *, complete: bool) -> InsertHead | None:
    """Split an INSERT from the data that follows it.

    Unless the text is ``complete``, a FORMAT or VALUES at its end may be the start of another
    word. Returns None for an INSERT without data (INSERT SELECT) and for an incomplete head.
    """
    previous = _Token("blank", b"", 0, 0)
    after_format = False
    for token in _top_level(sql):
        cut = not complete and token.end == len(sql)
        if cut or token.kind == "unfinished" or token.is_word(b"SELECT", b"WITH", b"INFILE"):
            break
        if token.is_word(b"VALUES") and not _names_target(previous):
            statement = sql[: previous.start if after_format else token.start]
            return InsertHead(statement, "Values", token.end)
        if after_format and token.kind == "word":
            start = _data_start(sql, token.end)
            if not complete and start == len(sql):
                break
            return InsertHead(sql[: previous.start], token.text.decode(), start)
        after_format = token.is_word(b"FORMAT") and not _names_target(previous)
        previous = token
    return None


def _names_target(token: _Token) -> bool:
    # INSERT INTO values ..., INSERT INTO TABLE values ...: a valid name of a table
    return token.is_word(b"INTO", b"TABLE") or token.text == b"."


def _data_start(sql: bytes, offset: int) -> int:
    # ClickHouse skips one ';', blanks of the same line and one line end after the format name
    if sql[offset : offset + 1] == b";":
        offset += 1
    while sql[offset : offset + 1] in (b" ", b"\t", b"\f"):
        offset += 1
    if sql[offset : offset + 1] == b"\r":
        offset += 1
    if sql[offset : offset + 1] == b"\n":
        offset += 1
    return offset


@dataclass(frozen=True, slots=True)
class Output:
    """A statement split at its trailing ``FORMAT name``; ``result_format`` is None without one."""

    before: bytes
    result_format: str | None
    after: bytes

    def into_file(self, path: str, default_format: str) -> bytes:
        """Return the statement with its result written to ``path``."""
        name = (self.result_format or default_format).encode()
        target = b"\nINTO OUTFILE '" + path.encode() + b"' APPEND FORMAT " + name + b" "
        return self.before + target + self.after


def parse_output(sql: bytes) -> Output:
    """Find the result format of a statement. Raises ClickHouseError for INTO OUTFILE and FROM
    INFILE."""
    tokens = list(_top_level(sql))
    end = len(sql)
    while tokens and tokens[-1].text == b";":
        end = tokens.pop().start
    for first, second in itertools.pairwise(tokens):
        if first.is_word(b"INTO") and second.is_word(b"OUTFILE"):
            raise clickhouse_error(
                INTO_OUTFILE_NOT_ALLOWED, "INTO OUTFILE is not allowed over HTTP"
            )
        if first.is_word(b"FROM") and second.is_word(b"INFILE"):
            raise clickhouse_error(INTO_OUTFILE_NOT_ALLOWED, "FROM INFILE is not allowed over HTTP")
    for index in range(len(tokens) - 2, -1, -1):
        keyword, name = tokens[index], tokens[index + 1]
        if not (keyword.is_word(b"FORMAT") and name.kind == "word"):
            continue
        next_token = tokens[index + 2] if index + 2 < len(tokens) else None
        if next_token is None or next_token.is_word(b"SETTINGS"):
            return Output(sql[: keyword.start], name.text.decode(), sql[name.end : end])
    return Output(sql[:end], None, b"")


def string_literal(value: str) -> str:
    """Return a string as SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
