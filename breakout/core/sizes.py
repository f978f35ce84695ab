"""Size bins by total parameters, and how a model's size is found.

Bins and name patterns are those of the tracked-models list
(github.com/Interconnects-AI/tracked-models, `metadata/model_sizes.py`).
"""

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

SizeSource = Literal["override", "manual", "safetensors", "name"]

SizeBin = Literal["<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+"]

SIZE_BINS: tuple[SizeBin, ...] = get_args(SizeBin)
"""All bins, smallest first: the order of display."""

# First bin whose upper edge is above the size. "7-9B" is the list's own label: it spans 5 to
# below 10.
_UPPER_EDGES = (1.0, 5.0, 10.0, 50.0, 100.0, 250.0, math.inf)

_NAME_PATTERNS = (
    re.compile(r"[-_]([0-9]+\.?[0-9]*)B[-_]", re.IGNORECASE),
    re.compile(r"[-_]([0-9]+\.?[0-9]*)B$", re.IGNORECASE),
    re.compile(r"^([0-9]+\.?[0-9]*)B[-_]", re.IGNORECASE),
)


@dataclass(frozen=True)
class Size:
    """Total parameters in decimal billions, and where the figure comes from."""

    total_params_b: float
    source: SizeSource

    @property
    def size_bin(self) -> SizeBin | None:
        """The bin of this size."""
        return size_bin(self.total_params_b)


def size_bin(total_params_b: float | None) -> SizeBin | None:
    """Return the bin of a size in decimal billions; null for null or zero.

    Raises `ValueError` for a negative size or one that is not a number.
    """
    if total_params_b is None or total_params_b == 0:
        return None
    if not total_params_b > 0:
        raise ValueError(f"total_params_b must be positive, got {total_params_b}")
    return next(
        label
        for label, upper in zip(SIZE_BINS, _UPPER_EDGES, strict=True)
        if total_params_b < upper or upper == math.inf
    )


def size_in_name(model_id: str) -> float | None:
    """Return the size a model's name states, in decimal billions, or null.

    Known limits of the patterns: `Scout-17B-16E` reads 17 though the total is 109; `8x7B`,
    `E4B` and `270m` read nothing.
    """
    name = model_id.rpartition("/")[2]
    for pattern in _NAME_PATTERNS:
        if match := pattern.search(name):
            return float(match[1])
    return None


AGREE_WITHIN = 1.5
"""Ratio of two sizes up to which they agree: rounded names and tied weights stay within it."""


@dataclass(frozen=True)
class Witnesses:
    """What each source states of a model's size, decimal billions; None where it states none."""

    manual: float | None = None
    """The manual table of the tracked-models list."""
    parameters: float | None = None
    """Sum of the weights' `parameters` by type."""
    total: float | None = None
    """The weights' own total. It can contradict their `parameters`."""
    name: float | None = None
    """The name of the model."""

    @property
    def stated(self) -> bool:
        """Whether any states a size."""
        return any((self.manual, self.parameters, self.total, self.name))


def resolve_size(
    witnesses: Witnesses,
    *,
    override_b: float | None = None,
    settled: Size | None = None,
) -> Size | None:
    """Return a model's size; None if nothing states one, or the witnesses do not agree.

    An override overrules everything. Then a size settled before stands: the weights' total can
    change under a model's feet. Then witnesses decide, see `agreed_size`.
    """
    if override_b:
        return Size(override_b, "override")
    return settled or agreed_size(witnesses)


def agreed_size(witnesses: Witnesses) -> Size | None:
    """Return the size that the witnesses agree on; None if they do not, or state none.

    The weights are one witness, however often they state a size. Two witnesses that agree decide,
    since a name may state active parameters and weights may be packed; but not against the manual
    table, which a person wrote. A lone witness is believed. The figure is that of the first in the
    order manual table, weights, name.
    """
    stated = (
        _sizes("manual", witnesses.manual),
        _sizes("safetensors", witnesses.parameters, witnesses.total),
        _sizes("name", witnesses.name),
    )
    first, *others = [sizes for sizes in stated if sizes] or [[]]
    if not others:
        return first[0] if first and all(_agree(first[0], size) for size in first) else None
    # Without a manual figure the weights and the name are all there is.
    for size in first:
        if any(_agree(size, other) for sizes in others for other in sizes):
            return size
    return None


def _sizes(source: SizeSource, *stated: float | None) -> list[Size]:
    return [Size(size_b, source) for size_b in stated if size_b]


def _agree(one: Size, other: Size) -> bool:
    sizes = (one.total_params_b, other.total_params_b)
    return max(sizes) <= AGREE_WITHIN * min(sizes)
