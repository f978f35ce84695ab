"""The independent batch oracle: slow, plain, and what everything else is compared with."""

from .batch import Tables, freeze, recompute
from .compare import differences
from .inputs import FrozenRow, Observation, observations_of

__all__ = [
    "FrozenRow",
    "Observation",
    "Tables",
    "differences",
    "freeze",
    "observations_of",
    "recompute",
]
