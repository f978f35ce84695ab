"""Numbers of a partition's series: one slot per source and model."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from breakout.core.arrays import Int
from streams.downloads.slice_columns import SliceColumns

_NO_SLOTS: Int = np.empty(0, dtype=np.int64)


class SeriesIndex:
    """Slots of series, counted from 0 in the order in which they were first observed."""

    def __init__(self) -> None:
        self.models: list[str] = []
        """Model id by slot."""
        self.origins: list[str] = []
        """Names of origins by number."""
        self._slots: dict[str, dict[str, int]] = {}
        # The first of the models, or all, as an Arrow array.
        self._names = pa.array([], pa.string())
        # Models and slots of the latest slice, by source and slice number.
        self._last_slices: dict[tuple[str, int], tuple[list[str], Int]] = {}

    @property
    def sources(self) -> list[str]:
        """Sources by number."""
        return list(self._slots)

    def find(self, source: str, model_id: str) -> int | None:
        """Return the slot of a series; None if it was never observed."""
        return self._slots.get(source, {}).get(model_id)

    def add(self, source: str, models: Sequence[str]) -> Int:
        """Return the slots of a source's series; new series are added."""
        known = self._slots.setdefault(source, {})
        new = [model_id for model_id in models if model_id not in known]
        known.update(zip(new, range(len(self.models), len(self.models) + len(new)), strict=True))
        self.models += new
        return np.array([known[model_id] for model_id in models], dtype=np.int64)

    def add_slice(self, one: SliceColumns) -> Int:
        """Return the slots of a slice's series; mostly those of the previous scrape."""
        place = (one.source, one.number)
        models, slots = self._last_slices.get(place, (None, _NO_SLOTS))
        if one.models is models or one.models == models:
            return slots
        slots = self.add(one.source, one.models)
        # The index's strings, so that equal ones do not stay in memory too.
        one.models[:] = [self.models[slot] for slot in slots.tolist()]
        self._last_slices[place] = one.models, slots
        return slots

    def origin(self, name: str) -> int:
        """Return the number of an origin, which is added if it is new."""
        if name not in self.origins:
            self.origins.append(name)
        return self.origins.index(name)

    def names(self, slots: Int) -> pa.StringArray:
        """Return the model ids of slots."""
        if len(self._names) < len(self.models):
            new = pa.array(self.models[len(self._names) :], pa.string())
            self._names = pa.concat_arrays([self._names, new])
        return self._names.take(pa.array(slots))
