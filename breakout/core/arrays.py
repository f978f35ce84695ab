"""Types of numpy columns, and the number that stands for null in them."""

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Flag = NDArray[np.bool_]

NULL = -1
"""Stands for null in columns of counts, which are never negative."""
