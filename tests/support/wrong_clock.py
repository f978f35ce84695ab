"""A clock that is wrong, for one process: every library of it sees that time."""

import libfaketime


def wrong_clock(offset: str) -> dict[str, str]:
    """Return the environment of a process whose clock is off: +1h, -1h."""
    _, environment = libfaketime.get_reload_information()
    return {**environment, "FAKETIME": offset}
