"""How figures are cited: as plain text and as an entry of BibTeX."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version

from breakout.core.definitions import DEFINITIONS_VERSION

AUTHOR = "The Breakout developers"
METHOD = "Lambert and Brand, The ATOM Report (2026), arXiv:2604.07190"
"""Where the Relative Adoption Metric was defined."""
_LATEX = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    **{character: f"\\{character}" for character in "%&_#$"},
}
"""Braces are written as commands: BibTeX counts them even behind a backslash."""
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v",
    "\u0327": "c", "\u030a": "r", "\u0304": "=", "\u0306": "u", "\u0307": ".", "\u030b": "H",
    "\u0328": "k",
}  # fmt: skip
_DIGEST = 8


@dataclass(frozen=True)
class CitedSource:
    """A source of the figures."""

    title: str
    licence: str

    def __str__(self) -> str:
        return f"{self.title} ({self.licence})"


@dataclass(frozen=True)
class Citation:
    """A citation of figures."""

    figures: str
    """What they are, in a few words."""
    as_of: str | None
    """Timestamp of the data, ISO 8601; None without data."""
    sources: Sequence[CitedSource]
    address: str = ""
    """URL of the figures, percent-encoded, or its path; empty if they have none."""

    def text(self) -> str:
        """Return the citation as plain text, in one line."""
        parts = [
            f"{AUTHOR}, Breakout {_version()}: {self.figures}, {self._state()}",
            f"<{self.address}>" if self.address else "",
            f"Sources: {'; '.join(map(str, self.sources))}" if self.sources else "",
            f"Method: {METHOD}",
        ]
        return _one_line(". ".join(part for part in parts if part) + ".")

    def bibtex(self) -> str:
        """Return the citation as an entry of BibTeX, one field a line."""
        year = self.as_of[:4] if self.as_of else str(datetime.now(UTC).year)
        note = f"{self._state()}. Method: {METHOD}"
        if self.sources:
            note = (
                f"{self._state()}. Sources: {'; '.join(map(str, self.sources))}. Method: {METHOD}"
            )
        fields = {
            "author": f"{{{_latex(AUTHOR)}}}",
            "title": f"{{{_latex(f'Breakout: {self.figures}')}}}",
            "year": year,
            "version": _latex(_version()),
            # Verbatim: styles put it into \\url, which takes no escapes.
            "url": self.address,
            "note": _latex(note),
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{self._key()},", *lines, "}"])

    def _state(self) -> str:
        as_of = f"as of {self.as_of}" if self.as_of else "without data yet"
        return f"definitions {DEFINITIONS_VERSION}, {as_of}"

    def _key(self) -> str:
        """Return a key that differs for other figures and other times."""
        name = re.sub(r"[^a-z0-9]+", "-", self.figures.casefold()).strip("-")
        day = (self.as_of or "")[:10]
        of_all = "\n".join([self.figures, self.as_of or "", self.address])
        digest = sha256(of_all.encode()).hexdigest()[:_DIGEST]
        return "-".join(part for part in ("breakout", name, day, digest) if part)


def ascii_line(text: str) -> str:
    """Return a text as one line of ASCII, as HTTP headers need it."""
    return _one_line(text).encode("ascii", "backslashreplace").decode()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _latex(text: str) -> str:
    """Return a text as LaTeX in ASCII, with balanced braces."""
    return "".join(map(_latex_character, _one_line(text)))


@cache
def _latex_character(character: str) -> str:
    if character.isascii():
        return _LATEX.get(character, character)
    letter, *marks = list(unicodedata.normalize("NFD", character))
    if letter.isascii() and letter.isalpha() and len(marks) == 1 and marks[0] in _ACCENTS:
        return f"{{\\{_ACCENTS[marks[0]]}{{{letter}}}}}"
    return f"{{\\symbol{{{ord(character)}}}}}"


@cache
def _version() -> str:
    return version("breakout-adoption")
