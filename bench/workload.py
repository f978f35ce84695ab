"""Hourly scrapes of download counters, the same for all benchmarks.

The counters of one model in fifty are rolled back together, and come back 36 hours later, once in
200 scrapes: 2.4 times as often as the Hub's, whose two rollbacks within 584 days hit 19% and 39% of
the models. The reference, downloads gained by each model, is computed from the counters alone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from breakout.contract import DownloadsSlice, ModelRecord
from breakout.contract.topics import DOWNLOADS, partition_of
from tests.support.pipeline import KafkaRecord

START = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=90)
BINS = ("<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+")
ROLLED_BACK = range(60, 96)
"""Scrapes of each 200 in which counters are lower."""
SLICE_MODELS = 15_000
"""Most observations of a record, as the publisher splits them."""


class Workload:
    """Models and their counters at any scrape; scrape 0 is the first."""

    def __init__(self, models: int, partitions: int = 4) -> None:
        random = np.random.default_rng(1)
        self.ids = [f"org-{index % 100}/model-{index}" for index in range(models)]
        self.partitions = partitions
        self._first = random.integers(20_000, 1_000_000, models)
        self._growth = random.integers(1, 5_000, models)

    def counters(self, scrape: int) -> NDArray[np.int64]:
        """Return the all-time counters at a scrape, in the order of `ids`."""
        index = np.arange(len(self.ids))
        fallen = (index % 50 == 0) & (scrape % 200 in ROLLED_BACK)
        return self._first + self._growth * scrape - np.where(fallen, self._growth * 40, 0)

    def gained(self, last: int) -> dict[str, int]:
        """Return the reference: by how much each running maximum grew from scrape 0 to `last`."""
        highest = first = self.counters(0)
        for scrape in range(1, last + 1):
            highest = np.maximum(highest, self.counters(scrape))
        return dict(zip(self.ids, (highest - first).tolist(), strict=True))

    @staticmethod
    def time_of(scrape: int) -> datetime:
        """Return the observation time of a scrape."""
        return START + timedelta(hours=scrape)

    @cached_property
    def owners(self) -> list[NDArray[np.int64]]:
        """Indices of the models of each partition."""
        number = np.array([partition_of(one, self.partitions) for one in self.ids])
        return [np.flatnonzero(number == partition) for partition in range(self.partitions)]

    def slices(
        self,
        first: int,
        last: int,
        *,
        step: int = 1,
        key: str | None = None,
        size: int = SLICE_MODELS,
    ) -> Iterator[KafkaRecord]:
        """Yield every `step`th of scrapes `first` to `last` as the collectors publish them.

        `key` replaces the record's own; a record has at most `size` observations.
        """
        for scrape in range(first, last + 1, step):
            counters = self.counters(scrape)
            for partition, owned in enumerate(self.owners):
                for number, low in enumerate(range(0, len(owned), size)):
                    own = owned[low : low + size]
                    total = counters[own]
                    value = DownloadsSlice(
                        source="huggingface",
                        scrape_id=f"bench-{scrape}",
                        slice=number,
                        observed_at=self.time_of(scrape),
                        models=[self.ids[index] for index in own],
                        downloads_all_time=total.tolist(),
                        downloads_30d=(total % 100_000).tolist(),
                        likes=(total % 1_000).tolist(),
                    ).to_bytes()
                    yield DOWNLOADS.name, key or f"huggingface:bench-{scrape}", partition, value

    def singles(self, first: int, last: int, *, contract: bool) -> Iterator[KafkaRecord]:
        """Yield one observation per record, in the contract's format or flat."""
        head = (
            '{"schema_version":1,"source":"huggingface","scrape_id":"bench-%d","observed_at":"%s",'
            '"models":["%s"],"downloads_all_time":[%d],"downloads_30d":[%d],"likes":[%d]}'
            if contract
            else '{"scrape":%d,"observed_at":"%s",'
            '"model_id":"%s","downloads_all_time":%d,"downloads_30d":%d,"likes":%d}'
        )
        partitions = [0] * len(self.ids)
        for partition, own in enumerate(self.owners):
            for index in own.tolist():
                partitions[index] = partition
        for scrape in range(first, last + 1):
            at = self.time_of(scrape).strftime("%Y-%m-%dT%H:%M:%SZ")
            columns = zip(self.ids, self.counters(scrape).tolist(), partitions, strict=True)
            for model_id, total, partition in columns:
                value = head % (scrape, at, model_id, total, total % 100_000, total % 1_000)
                yield DOWNLOADS.name, model_id, partition, value.encode()

    def registry(self, count: int) -> list[ModelRecord]:
        """Return registry records of the first models: tracked, with release date and size bin."""
        return [
            ModelRecord(
                model_id=model_id,
                observed_at=START - timedelta(days=1),
                org=model_id.partition("/")[0],
                region="us",
                total_params_b=8,
                size_bin=BINS[index % len(BINS)],
                released_at=START.date(),
                tracked=True,
            )
            for index, model_id in enumerate(self.ids[:count])
        ]
