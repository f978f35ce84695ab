"""Memory allocation of the worker process: it uses a few large columns, not many small objects."""

import ctypes
import gc

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_MEGABYTE = 1 << 20


def tune_allocation() -> None:
    """Reuse one batch's memory for the next, and run the garbage collector rarely."""
    # Slices are long lists of numbers without cycles: collecting them takes a fifth of the time
    # it takes to read them.
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    # The kernel zeroes pages that were returned to it: a sixth of the worker's time.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc only
        mallopt(_MMAP_THRESHOLD, 32 * _MEGABYTE)
        mallopt(_TRIM_THRESHOLD, 256 * _MEGABYTE)
        mallopt(_TOP_PAD, 64 * _MEGABYTE)
        # The GIL serialises the threads: one arena takes a tenth less than one per thread.
        mallopt(_ARENA_MAX, 1)
