"""What a page of Markdown names: pieces of code, and in them settings, commands and so on."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_VARIABLE = re.compile(
    r"\b(?:BREAKOUT|KAFKA|CLICKHOUSE|HF|TRACKED_MODELS|OPENROUTER|ARENA|ARTIFICIAL_ANALYSIS|"
    r"MODELSCOPE)_[A-Z_]*[A-Z]\b"
)
_METRIC = re.compile(r"\bbreakout_[a-z][a-z_]*[a-z]\b")
_DOTTED = re.compile(r"(?<![\w./-])breakout(?:\.[a-z_]+)+\b(?![/(-])")
_COMMAND = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S* +)*(?:\.venv/bin/)?breakout +([^|>&;#\n]+)")
_MAKE = re.compile(r"^(?:\$ )?make +([a-z][a-z ]*)")
_READ = re.compile(r"\b(?:FROM|JOIN) +(?:breakout\.)?([a-z_]+)\b(?!\()")
_WITH = re.compile(r"\b([a-z_]+) +AS\s*\(")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def code_of(page: str) -> list[str]:
    """Return the code spans and the lines of code blocks."""
    return [*_lines(page), *spans_of(page)]


def spans_of(page: str) -> list[str]:
    """Return the code spans outside code blocks."""
    return _SPAN.findall(_FENCE.sub("", page))


def _lines(page: str) -> Iterator[str]:
    for block in _FENCE.findall(page):
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())


def variables(page: str) -> set[str]:
    """Return the environment variables, in code and in text."""
    return set(_VARIABLE.findall(page))


def metrics(page: str) -> set[str]:
    """Return the Prometheus series."""
    return {name for code in code_of(page) for name in _METRIC.findall(code)}


def dotted(page: str) -> set[str]:
    """Return what begins with `breakout.`: topics, tables of the database, modules."""
    return {name for code in code_of(page) for name in _DOTTED.findall(code)}


def commands(page: str) -> list[list[str]]:
    """Return the words after `breakout` of every command line."""
    return [match[1].split() for code in code_of(page) if (match := _COMMAND.match(code))]


def targets(page: str) -> set[str]:
    """Return the make targets."""
    return {
        word for code in code_of(page) if (match := _MAKE.match(code)) for word in match[1].split()
    }


def tables(page: str) -> set[str]:
    """Return the tables that SQL in code blocks reads, less the names of its own WITH."""
    sql = "\n".join(_FENCE.findall(page))
    return set(_READ.findall(sql)) - set(_WITH.findall(sql))


def paths(page: str, folders: set[str]) -> set[str]:
    """Return the code spans that are paths into one of the repository's top folders."""
    return {
        span
        for span in spans_of(page)
        if _PATH.fullmatch(span) and "/" in span and span.partition("/")[0] in folders
    }


def links(page: str) -> set[str]:
    """Return the targets of links that stay within the repository."""
    return {link for link in _LINK.findall(_FENCE.sub("", page)) if "://" not in link}


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(_FENCE.sub("", page))
    }
