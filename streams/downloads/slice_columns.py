"""Slices of `breakout.downloads` as columns: a fifth of the memory of the events."""

from collections.abc import Sequence
from dataclasses import dataclass

from breakout.contract import DownloadsSlice, MissingModel
from breakout.core.arrays import Int
from breakout.core.times import to_ms
from streams.columns import count_column


@dataclass(frozen=True)
class SliceColumns:
    """A slice; one entry per model, `NULL` for a missing count."""

    source: str
    origin: str
    scrape_id: str
    number: int
    """Number of this slice within its scrape."""
    at: int
    """Observation time, milliseconds UTC."""
    complete: bool
    models: list[str]
    downloads_all_time: Int
    downloads_30d: Int
    likes: Int
    missing: Sequence[MissingModel]

    @classmethod
    def of(cls, event: DownloadsSlice) -> "SliceColumns":
        """Return the columns of an event."""
        return cls(
            source=event.source,
            origin=event.origin,
            scrape_id=event.scrape_id,
            number=event.slice,
            at=to_ms(event.observed_at),
            complete=event.complete,
            models=event.models,
            downloads_all_time=count_column(event.downloads_all_time),
            downloads_30d=count_column(event.downloads_30d),
            likes=count_column(event.likes),
            missing=event.missing,
        )
