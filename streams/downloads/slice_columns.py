"""A slice of `breakout.downloads` as columns: a fifth of what the numbers of the event take."""

from collections.abc import Sequence
from dataclasses import dataclass

from breakout.contract import DownloadsSlice, MissingModel
from breakout.contract.times import to_ms
from streams.columns import Int, counts


@dataclass(frozen=True)
class SliceColumns:
    """What a slice says; one entry a model, `NULL` for a missing count."""

    source: str
    origin: str
    number: int
    """Of this slice within its scrape."""
    at: int
    """Moment of the observation, milliseconds UTC."""
    complete: bool
    models: list[str]
    downloads_all_time: Int
    downloads_30d: Int
    likes: Int
    missing: Sequence[MissingModel]

    @classmethod
    def of(cls, event: DownloadsSlice) -> "SliceColumns":
        """Take them from an event."""
        return cls(
            source=event.source,
            origin=event.origin,
            number=event.slice,
            at=to_ms(event.observed_at),
            complete=event.complete,
            models=event.models,
            downloads_all_time=counts(event.downloads_all_time),
            downloads_30d=counts(event.downloads_30d),
            likes=counts(event.likes),
            missing=event.missing,
        )
