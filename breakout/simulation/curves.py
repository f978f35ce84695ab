"""Launch curves: how downloads of a released model grow, day by day.

Cumulative downloads follow a power law of the age (an exponent above 1 speeds up, below 1 slows
down), fading with age, with a weekly rhythm and noise. Exponents near 1.1 give a first month of
about a sixth of the first six months, as successful launches have.
"""

from dataclasses import dataclass

import numpy as np

from breakout.core.arrays import Float, Int

# Monday to Sunday: machines and people download less at the weekend. The mean is 1.
WEEKLY_RHYTHM = np.array([1.06, 1.08, 1.09, 1.08, 1.05, 0.83, 0.81])


@dataclass(frozen=True)
class LevelShift:
    """A change of a launch's level, relative to its final one, around one age."""

    age_days: float
    """Age in the middle of the change, days since the model became public."""
    before: float
    """Level before the change; 1 is the level after it."""
    width_days: float = 4.0
    """Duration of the change; below 0.1 it is a jump within a day."""

    def level(self, age: Float) -> Float:
        """Return the level at each age, from `before` to 1, never falling."""
        steps = np.clip((age - self.age_days) / self.width_days, -60.0, 60.0)
        return self.before + (1.0 - self.before) / (1.0 + np.exp(-steps))


@dataclass(frozen=True)
class Launch:
    """The parameters of one model's curve."""

    day_30: float
    """Cumulative downloads 30 days after the model became public, before noise."""
    exponent: float = 1.0
    """Of the power law of cumulative downloads over age."""
    fade_days: float = float("inf")
    """Days in which interest fades to 1/e."""
    shift: LevelShift | None = None
    noise: float = 0.08
    """Standard deviation of the logarithm of a day's downloads."""
    rhythm: bool = True
    """Whether weekends are weaker."""

    def cumulative(
        self, midnights: Float, public: float, first_weekday: int, rng: np.random.Generator
    ) -> Int:
        """Return cumulative downloads at `midnights` (days, consecutive), int64, never falling.

        `public`, when the model became public, is in the same days and may be a fraction;
        `first_weekday` is the first midnight's, Monday 0.
        """
        age = np.maximum(midnights - public, 0.0)
        level = self.shift.level(age) if self.shift else np.ones_like(age)
        planned = self.day_30 * level * (age / 30.0) ** self.exponent
        new = np.maximum(np.diff(planned), 0.0) * np.exp(-age[1:] / self.fade_days)
        if self.noise:
            # The mean of a log-normal is exp(sigma^2 / 2): noise must not change the total.
            spread = rng.standard_normal(len(new)) * self.noise - self.noise**2 / 2
            new = new * np.exp(spread)
        if self.rhythm:
            new = new * WEEKLY_RHYTHM[(first_weekday + np.arange(len(new))) % 7]
        # Rounds the sum instead of each day, so that slow models grow at all; the millionth keeps
        # the sum's own rounding error from costing a download.
        total = np.floor(np.concatenate(([0.0], np.cumsum(new))) + 1e-6)
        return total.astype(np.int64)
