"""A wrong clock for one process and all its libraries."""

import libfaketime


def wrong_clock(offset: str) -> dict[str, str]:
    """Return environment variables that shift a process's clock: +1h, -1h."""
    _, environment = libfaketime.get_reload_information()
    return {**environment, "FAKETIME": offset}
