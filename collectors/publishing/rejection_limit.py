"""Unreadable rows of a source: kept as dead letters, and where a source is given up."""

from collections.abc import Sequence
from typing import Any

import structlog

from breakout.contract.events import DeadLetter
from collectors.publishing.rejected_rows import dead_letter
from collectors.scheduling.job import EmptyAnswerError

log = structlog.get_logger(__name__)

MOST_IN_A_ROW = 100
"""Unreadable rows in a row of one listing after which the rest of it is not read."""
MOST_KEPT = 1_000
"""Dead letters of one run."""
LARGEST_KEPT = 16 << 20
"""Bytes of all dead letters of one run."""
MOST_PER_WANTED = 10
"""Rows of a page for each that was asked for: a mirror may not heed the number asked for."""


class GivenUpError(EmptyAnswerError):
    """A source, or a listing of it, that is not read any further."""


class Unreadable:
    """The unreadable rows of one run: dead letters, as many as there is room for."""

    def __init__(self, source: str, collector: str) -> None:
        self._source = source
        self._collector = collector
        self._bytes = 0
        self.letters: list[DeadLetter] = []
        self.not_kept = 0
        """Rows there was no room for."""

    def add(self, row: Any, why: str) -> None:
        """Keep a row and why it cannot be read, and log it."""
        if len(self.letters) >= MOST_KEPT or self._bytes >= LARGEST_KEPT:
            self.not_kept += 1
            return
        letter = dead_letter(self._source, self._collector, row, why)
        self._bytes += len(letter.value_base64)
        self.letters.append(letter)
        log.warning("row of a source cannot be read", source=self._source, why=why)


class Streak:
    """Counts the unreadable rows in a row of one listing."""

    def __init__(self, what: str, setting: str) -> None:
        self._what = what
        self._setting = setting
        self._rows = 0

    def good(self) -> None:
        """Note a row that could be read."""
        self._rows = 0

    def bad(self, why: str) -> None:
        """Note a row that could not be read. Raises `GivenUpError` when they are too many."""
        self._rows += 1
        if self._rows >= MOST_IN_A_ROW:
            raise GivenUpError(
                f"{self._what}: given up after {self._rows} rows in a row that cannot be read, "
                f"the last: {why}: check {self._setting}"
            )


def check_page(what: str, rows: Sequence[Any], wanted: int, setting: str) -> None:
    """Raise `GivenUpError` for a page with far more rows than were asked for."""
    if len(rows) > MOST_PER_WANTED * wanted:
        raise GivenUpError(
            f"{what}: a page has {len(rows):,} rows, {wanted:,} were asked for: check {setting}"
        )
