"""Parses the Link header (RFC 8288) for the next page."""

import re

import httpx

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
    """An invalid Link header. The message says where."""


def next_page_url(base: httpx.URL, requested: httpx.URL, response: httpx.Response) -> str | None:
    """Return the URL of the next page below `base`, None on the last page.

    A mirror may link to its upstream, without the path prefix of the mirror. Raises `LinkError`.
    """
    link = next_link(response.headers.get("Link", ""))
    if link is None:
        return None
    try:
        page = response.url.join(link)
        path, _, query = page.raw_path.partition(b"?")
        prefix = base.raw_path.rstrip(b"/")
        own_path = requested.raw_path.partition(b"?")[0]
        if path.endswith(own_path.removeprefix(prefix)):
            path = own_path
        elif not path.startswith(prefix + b"/"):
            path = prefix + path
        return str(base.copy_with(raw_path=path + b"?" + query if query else path))
    except (httpx.InvalidURL, ValueError):
        raise LinkError("the Link header's next page is not a valid URL") from None


def next_link(header: str) -> str | None:
    """Return the target of the link with relation `next`, None without one.

    A link may have several relations, case-insensitive, and a header several links. Raises
    `LinkError` for an invalid header: it may have had the next page.
    """
    position = 0
    while header[position:].strip(" \t,"):
        link = _LINK.match(header, position)
        if link is None:
            raise LinkError(f"the Link header is invalid at {header[position : position + 80]!r}")
        if "next" in _relations(link["parameters"]):
            return link["address"].strip()
        position = link.end()
    return None


def _relations(parameters: str) -> list[str]:
    for parameter in _PARAMETER.finditer(parameters):
        if parameter["name"].lower() == "rel":
            return (parameter["quoted"] or (parameter["token"] or "").strip("'")).lower().split()
    return []
