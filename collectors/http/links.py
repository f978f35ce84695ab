"""Reads the Link header (RFC 8288): where the next page is."""

import re

_LINK = re.compile(
    r"""[\s,]*<(?P<address>[^>]*)>
    (?P<parameters>(?:\s*;\s*[^\s=;,"<>]*(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)
    \s*(?:,|$)""",
    re.VERBOSE,
)
_PARAMETER = re.compile(
    r""";\s*(?P<name>[^\s=;,"<>]*)(?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s;,"]*)))?"""
)


class LinkError(ValueError):
    """A header that cannot be read. The message says where."""


def next_link(header: str) -> str | None:
    """Return the address of the next page, None without one.

    A link may have several relations, in any case, and a header several links. Raises `LinkError`
    for a header that cannot be read: it may have had the next page.
    """
    at = 0
    while header[at:].strip(" \t,"):
        link = _LINK.match(header, at)
        if link is None:
            raise LinkError(f"its Link header cannot be read at {header[at : at + 80]!r}")
        if "next" in _relations(link["parameters"]):
            return link["address"].strip()
        at = link.end()
    return None


def _relations(parameters: str) -> list[str]:
    for one in _PARAMETER.finditer(parameters):
        if one["name"].lower() == "rel":
            return (one["quoted"] or (one["token"] or "").strip("'")).lower().split()
    return []
