"""Splits files of SQL into statements."""

import re

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


class MigrationError(RuntimeError):
    """The schema cannot be migrated, or is not what this program needs. Nothing was changed
    unless the message says so."""


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


def without_texts(statement: str) -> str:
    """Return a statement without its comments, strings and quoted names."""
    tokens = _TOKEN.finditer(statement)
    return "".join(token[0] for token in tokens if token.lastgroup in ("end", "other"))
