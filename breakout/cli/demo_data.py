"""What the demo replays: the real season, or invented models."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from breakout.cli.simulated_hub import SimulatedHubProcess, season_hub, simulated_hub
from breakout.simulation.season import FIRST_DAY, LAST_DAY

SHORTEST_DAYS, LONGEST_DAYS = 14, 1500
SEASON_DAYS = (LAST_DAY - FIRST_DAY).days
EVERY_DAY, EVERY_WEEK, EVERY_MONTH = 1, 7, 30

NAMES = "names.csv"
KEYS = ("OPENROUTER_API_KEY", "ARTIFICIAL_ANALYSIS_API_KEY")
"""API keys; the simulated sources accept any."""


@dataclass(frozen=True)
class DemoData:
    """One kind of data, and how to collect it."""

    mark: str
    """Its mark in the table `simulated`. A database holds one kind only."""
    title: str
    description: str
    source: str
    """What stands below the leaderboard: where the data come from."""
    reminder: str
    """The last words of the report."""
    days: int
    """Days to replay by default."""
    longest_days: int
    hub: Callable[[int, Path], AbstractAsyncContextManager[SimulatedHubProcess]]
    """Runs the Hub that serves so many days of it, with its files in a directory."""
    sources: Mapping[str, int]
    """Days between two runs of each source, in the order of a day's runs."""
    sources_at_end: tuple[str, ...] = ()
    """Sources whose first run reads the complete history."""
    missing: tuple[str, ...] = ()
    """Signals without data."""
    keys: tuple[str, ...] = ()
    first_days_only: bool = False
    """Whether counters end with a model's 30th day, so that older models have no current RAM."""

    def settings(self, directory: Path) -> dict[str, str]:
        """Return the collectors' settings besides the addresses of the sources."""
        if not self.keys:
            return {}
        return {"BREAKOUT_NAMES_FILE": str(directory / NAMES), **dict.fromkeys(self.keys, "any")}

    def due(self, number: int, days: int) -> list[str]:
        """Return the sources to collect on day `number` of 0 to `days`.

        Counted from the end, so that the last day has all of them; the first has, too.
        """
        return [
            source
            for source, every in self.sources.items()
            if number == 0 or (days - number) % every == 0
        ]


SEASON = DemoData(
    mark="season",
    title="A real season",
    description="launches of July 2024 to February 2025, with the Hub's counters of that time.",
    source=(
        "Models up to 30 days old: these counters tell no more. Downloads: "
        "github.com/KBhandari11/ForecastHuggingFaceModels (MIT). Tracked models, sizes and release "
        "dates: github.com/Interconnects-AI/tracked-models (Apache-2.0)."
    ),
    reminder="All data are real.",
    days=SEASON_DAYS,
    longest_days=SEASON_DAYS,
    hub=lambda days, directory: season_hub(days, directory / "hub.log"),
    sources={"registry": EVERY_WEEK, "huggingface": EVERY_DAY},
    missing=("inference tokens", "derivatives", "leaderboards", "ModelScope"),
    first_days_only=True,
)

INVENTED = DemoData(
    mark="invented",
    title="Simulated data",
    description="every model and organisation is invented.",
    source="Simulated data: every model and organisation above is invented.",
    reminder="Simulated data: every model and organisation above is invented.",
    days=730,
    longest_days=LONGEST_DAYS,
    hub=lambda days, directory: simulated_hub(days, directory / "hub.log", directory / NAMES),
    sources={
        "registry": EVERY_WEEK,
        "huggingface": EVERY_DAY,
        "arena": EVERY_MONTH,
        "artificial-analysis": EVERY_MONTH,
        "modelscope": EVERY_MONTH,
    },
    sources_at_end=("openrouter", "derivatives"),
    keys=KEYS,
)
