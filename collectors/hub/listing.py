"""Reads a listing of the Hub page by page."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

from collectors.http.client import Source
from collectors.publishing.rejection_limit import check_page

MOST_PAGES = 1000
"""A million models: more than any organisation has, or any base has children."""


class ListingError(Exception):
    """A listing that cannot be read to its end; what came before stands."""


class Page(NamedTuple):
    """One page of a listing."""

    rows: list[Any]
    values: int
    """How many values they have at most."""
    is_last: bool
    """Whether no request for another page follows."""


async def read_listing(
    source: Source, what: str, path: str, params: Iterable[tuple[str, str]], *, wanted: int
) -> AsyncIterator[Page]:
    """Yield the pages, in order; `what` names the listing in errors.

    `wanted` is how many rows of a page the parameters ask for. Raises `ListingError` for an answer
    that is no list, and for pages that run in a circle, `GivenUpError` for a page of far more rows;
    otherwise as `Source.json`.
    """
    listed: set[str] = set()
    visited: set[str] = set()
    answer = await source.json(path, params)
    while True:
        rows = answer.content
        if not isinstance(rows, list):
            raise ListingError(
                f"{source.name}: {what} is no list of models: check {source.setting}"
            )
        check_page(f"{source.name}: {what}", rows, wanted, source.setting)
        page = answer.next_page
        yield Page(rows, answer.values, is_last=page is None)
        if page is None:
            return
        ids = {row["id"] for row in rows if isinstance(row, dict) and _is_text(row.get("id"))}
        if page in visited or ids <= listed:
            raise ListingError(
                f"{source.name}: {what} runs in a circle after {len(visited) + 1} pages"
            )
        if len(visited) >= MOST_PAGES:
            raise ListingError(f"{source.name}: {what} does not end after {MOST_PAGES} pages")
        listed |= ids
        visited.add(page)
        answer = await source.json(page)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
