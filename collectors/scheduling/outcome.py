"""What a run collected, and what it published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from breakout.contract.events import Event, ModelRecord
from collectors.publishing.rejected_rows import RejectedRows
from collectors.publishing.slices import Scrape


@dataclass(frozen=True)
class Collected:
    """What a source returned: records to publish, and what is missing."""

    counts: Mapping[str, int]
    """What the report of the run counts: `{"ratings": 12, "names": 30}`."""
    rejected: RejectedRows
    records: Sequence[Event] = ()
    scrape: Scrape | None = None
    """Counters to publish as slices."""
    discovered: Sequence[ModelRecord] = ()
    """Untracked models to register before the scrape that observes them."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """What was wanted but not read, and why."""
    failures: tuple[str, ...] = ()
    """Listings that are incomplete, so that unknown items may be missing."""
    notes: tuple[str, ...] = ()
    """How contradictions of the source were resolved, and what it withdrew; nothing is missing
    because of them."""


@dataclass(frozen=True)
class Outcome:
    """What a run published, all of it acknowledged by Kafka."""

    source: str
    observed_at: datetime
    published: Mapping[str, int]
    """How many items were published, by kind: `{"ratings": 12, "names": 30}`."""
    records: int
    """Records of the source's topics."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """As in `Collected`; so are `failures` and `notes`."""
    failures: tuple[str, ...] = ()
    dead_letters: int = 0
    dropped: int = 0
    """Invalid rows beyond the limit of dead letters."""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: str, observed_at: datetime, collected: Collected, records: int) -> Self:
        """Return the outcome of a run that published everything it collected."""
        return cls(
            source,
            observed_at,
            collected.counts,
            records,
            collected.missing,
            collected.failures,
            len(collected.rejected.letters),
            collected.rejected.dropped,
            collected.notes,
        )

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not (self.missing or self.failures or self.dropped)
