"""Limits of invalid or excess rows, beyond which a listing is abandoned."""

from collections.abc import Sequence
from typing import Any

from collectors.http.errors import EmptyResponseError

MOST_CONSECUTIVE = 100
"""Consecutive invalid rows after which the rest of a listing is not read."""
MOST_ROWS_PER_REQUESTED = 10
"""Rows of a page for each one requested: a mirror may ignore the page size."""


class RejectionLimitError(EmptyResponseError):
    """A listing that is abandoned."""


class RejectionStreak:
    """Counts the consecutive invalid rows of one listing."""

    def __init__(self, listing: str, setting: str) -> None:
        self._listing = listing
        self._setting = setting
        self._rows = 0

    def accepted(self) -> None:
        """Count a valid row."""
        self._rows = 0

    def rejected(self, reason: str) -> None:
        """Count an invalid row. Raises `RejectionLimitError` after too many."""
        self._rows += 1
        if self._rows >= MOST_CONSECUTIVE:
            raise RejectionLimitError(
                f"{self._listing}: abandoned after {self._rows} consecutive invalid rows, "
                f"the last: {reason}: check {self._setting}"
            )


def check_page_size(listing: str, rows: Sequence[Any], requested: int, setting: str) -> None:
    """Raise `RejectionLimitError` for a page with far more rows than requested."""
    if len(rows) > MOST_ROWS_PER_REQUESTED * requested:
        raise RejectionLimitError(
            f"{listing}: a page has {len(rows):,} rows, {requested:,} were requested: "
            f"check {setting}"
        )
