"""An independent batch oracle, slow and plain, that the product is compared with."""

from .batch import Tables, freeze, recompute
from .compare import differences
from .inputs import FrozenRow, Observation, as_of, observations_of

__all__ = [
    "FrozenRow",
    "Observation",
    "Tables",
    "as_of",
    "differences",
    "freeze",
    "observations_of",
    "recompute",
]
