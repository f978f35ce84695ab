"""Range requests: the part of a file that a client asks for (RFC 9110, section 14)."""

import re

from api.problems import ProblemError

_RANGE = re.compile(r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))[ \t]*", re.ASCII)


def is_suffix(header: str) -> bool:
    """Return whether a Range header asks for the end of a file, as who begins to read Parquet."""
    found = _RANGE.fullmatch(header)
    return found is not None and found[3] is not None


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte of a range and the one after its last.

    None for the complete file: without the header, if it is invalid, and for several ranges. Raises
    a 416 problem if the file, which has `size` bytes, has none of the range.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start, end = int(first), size if last is None else min(size, int(last) + 1)
        if last is not None and int(last) < int(first):
            return None
    if start >= end:
        raise ProblemError(
            416,
            f"Range: the file has {size} bytes, none of them in {header!r}",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end
