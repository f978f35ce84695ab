"""Reads a listing of the Hub page by page."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

from collectors.http.client import Source
from collectors.publishing.rejection_limit import check_page_size

MOST_PAGES = 1000
"""A million models: more than any organisation has, or any base has derivatives."""


class ListingError(Exception):
    """An incomplete listing; the pages before the error are valid."""


class Page(NamedTuple):
    """One page of a listing."""

    rows: list[Any]
    values: int
    """Upper bound of their number of values."""
    is_last: bool
    """Whether it is the last."""


async def read_listing(
    source: Source, listing: str, path: str, params: Iterable[tuple[str, str]], *, requested: int
) -> AsyncIterator[Page]:
    """Yield the pages in order; errors name the listing `listing`.

    `requested` is the page size in the parameters. Raises `ListingError` for a response that is
    not a list, and for pagination that loops or does not end, `RejectionLimitError` for a page of
    far more rows; otherwise as `Source.json`.
    """
    listed: set[str] = set()
    visited: set[str] = set()
    response = await source.json(path, params)
    while True:
        rows = response.content
        if not isinstance(rows, list):
            raise ListingError(
                f"{source.name}: {listing} is not a list of models: check {source.setting}"
            )
        check_page_size(f"{source.name}: {listing}", rows, requested, source.setting)
        page = response.next_page
        yield Page(rows, response.values, is_last=page is None)
        if page is None:
            return
        ids = {
            row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)
        }
        if page in visited or ids <= listed:
            raise ListingError(
                f"{source.name}: {listing}: pagination loops after {len(visited) + 1} pages"
            )
        if len(visited) >= MOST_PAGES:
            raise ListingError(f"{source.name}: {listing} does not end after {MOST_PAGES} pages")
        listed |= ids
        visited.add(page)
        response = await source.json(page)
