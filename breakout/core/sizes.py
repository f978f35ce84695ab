"""Size bins by total parameters, and how a model's size is found.

Bins, resolution order and name patterns are those of the tracked-models list
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


def resolve_size(
    model_id: str,
    *,
    override_b: float | None = None,
    manual_b: float | None = None,
    safetensors_total: int | None = None,
) -> Size | None:
    """Return a model's size from the first source that has one, else null.

    The order is override, manual table (both decimal billions), safetensors total (a count of
    parameters), the name. Zero counts as unknown.
    """
    if override_b:
        return Size(override_b, "override")
    if manual_b:
        return Size(manual_b, "manual")
    if safetensors_total:
        return Size(safetensors_total / 1e9, "safetensors")
    if named := size_in_name(model_id):
        return Size(named, "name")
    return None
