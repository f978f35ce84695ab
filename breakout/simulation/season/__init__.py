"""A real season: 830 launches on the Hugging Face Hub, July 2024 to February 2025."""

from breakout.simulation.season.catalog import FIRST_DAY, LAST_DAY, season_catalog, season_series

__all__ = ["FIRST_DAY", "LAST_DAY", "season_catalog", "season_series"]
