"""The simulated clock: the time as of which the simulated Hub responds."""

import time
from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """A clock that is stopped, or runs `speed` times as fast as real time."""

    def __init__(self, now: datetime | None = None, *, speed: float = 0.0) -> None:
        """Start at `now` (default: today, 00:00 UTC). Speed 0 stops it."""
        self._speed = 0.0
        self.set(now if now is not None else _today(), speed=speed)

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed

    def now(self) -> datetime:
        """Return the simulated time, UTC."""
        elapsed = (time.monotonic() - self._set_at) * self._speed
        return self._base + timedelta(seconds=elapsed)

    def now_ms(self) -> int:
        """Return the simulated time in milliseconds since 1970 UTC."""
        return milliseconds(self.now())

    def set(self, now: datetime, *, speed: float | None = None) -> None:
        """Set the time, and the speed if given. Raises `ValueError` without a time zone."""
        if now.tzinfo is None:
            raise ValueError(f"the simulated time needs a time zone, such as {now.isoformat()}Z")
        if speed is not None:
            if not 0 <= speed < float("inf"):
                raise ValueError(
                    f"speed must be at least 0 simulated seconds a second, got {speed}"
                )
            self._speed = speed
        self._base = now.astimezone(UTC)
        self._set_at = time.monotonic()

    def advance(self, step: timedelta) -> None:
        """Move the clock by `step`."""
        self.set(self.now() + step)


def milliseconds(time_: datetime) -> int:
    """Return a time with a zone in milliseconds since 1970 UTC, rounded down."""
    return (time_ - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
