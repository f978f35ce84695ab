"""Citations of responses: which figures, as of when, from which sources, at which address."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request

from api.cited_sources import CitedSources
from api.parameters import OperationParameters
from breakout.citation import Citation, ascii_line
from breakout.settings import Settings

MAX_HEADER_ADDRESS = 1500
"""Longer addresses are in Content-Location alone: proxies refuse large headers."""


async def cite(
    request: Request, sources: Sequence[str], timestamp: str | None, path: str
) -> Citation:
    """Return the citation of a response, whose percent-encoded path is `path`."""
    settings: Settings = request.app.state.settings
    cited_sources: CitedSources = request.app.state.cited_sources
    figures = request.scope["route"].name.replace("_", " ")
    address = (settings.api_public_url or "") + path
    return Citation(figures, timestamp, await cited_sources.of(sources), address)


def citation_headers(citation: Citation) -> dict[str, str]:
    """Return the headers of a response that has no place for its citation."""
    if len(citation.address) > MAX_HEADER_ADDRESS:
        citation = replace(citation, address="")
    return {
        "Breakout-Citation": ascii_line(citation.text()),
        "Breakout-BibTeX": ascii_line(citation.bibtex()),
    }


def cited_timestamp(params: OperationParameters, timestamp: str | None) -> str | None:
    """Return the `as_of` of an address to cite: none if it will be refused later."""
    return None if params.latest_only() else timestamp
