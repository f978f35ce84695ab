"""How the worker's process takes and gives back memory: it works on few large columns, not on
many small objects that refer to each other."""

import ctypes
import gc

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_MEGABYTE = 1 << 20


def suit_columns() -> None:
    """Keep the memory of one batch for the next, and look for garbage seldom."""
    # Slices are lists of very many numbers and no cycles: looking at them over and over
    # for garbage takes a fifth of the time it takes to read them.
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    # Pages that are given back are zeroed when they come again: a sixth of the worker's time.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc has it, other C libraries go without
        mallopt(_MMAP_THRESHOLD, 32 * _MEGABYTE)
        mallopt(_TRIM_THRESHOLD, 256 * _MEGABYTE)
        mallopt(_TOP_PAD, 64 * _MEGABYTE)
        # Threads take turns anyway: one place for all holds a tenth less than one for each.
        mallopt(_ARENA_MAX, 1)
