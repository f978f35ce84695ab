"""Makes text safe to print: a terminal obeys control characters, whoever wrote them."""

import re

from breakout.contract.names import CONTROLS

_OBEYED = re.compile(rf"[{CONTROLS}\ud800-\udfff]")
_LINES = "\n\t"


def printable(text: str) -> str:
    r"""Return `text` with control characters escaped, but for ends of lines and tabs.

    >>> printable("red \x1b[31m, \u202ekcab")
    'red \\x1b[31m, \\u202ekcab'
    """
    return _OBEYED.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return `text` with control characters, ends of lines and tabs escaped."""
    return _OBEYED.sub(lambda found: _spelled(found[0]), text)


def printable_json(text: str) -> str:
    """Return JSON that means the same, with control characters in strings escaped."""
    return _OBEYED.sub(
        lambda found: found[0] if found[0] in _LINES else f"\\u{ord(found[0]):04x}", text
    )


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0] in _LINES else _spelled(found[0])


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()
