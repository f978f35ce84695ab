"""Makes text safe to print, by escaping control characters that a terminal would execute."""

import re

from breakout.contract.names import CONTROLS

_CONTROL = re.compile(rf"[{CONTROLS}\ud800-\udfff]")
_LINES = "\n\t"


def printable(text: str) -> str:
    r"""Return `text` with control characters escaped, except newlines and tabs.

    >>> printable("red \x1b[31m, \u202ekcab")
    'red \\x1b[31m, \\u202ekcab'
    """
    return _CONTROL.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return `text` with control characters escaped, including newlines and tabs."""
    return _CONTROL.sub(lambda found: _spelled(found[0]), text)


def printable_json(text: str) -> str:
    """Return equal JSON with control characters in strings escaped."""
    return _CONTROL.sub(
        lambda found: found[0] if found[0] in _LINES else f"\\u{ord(found[0]):04x}", text
    )


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0] in _LINES else _spelled(found[0])


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()
