"""The reviewed map of the simulated sources' names."""

from itertools import chain

from breakout.simulation import leaderboards, openrouter
from breakout.simulation.catalog import Catalog


def names_csv(catalog: Catalog) -> str:
    """Return a file for `BREAKOUT_NAMES_FILE`: all names but an unknown one a source."""
    names = chain(openrouter.reviewed_names(catalog), leaderboards.reviewed_names(catalog))
    rows = (
        f"{source},{name},{'open' if model_id else 'closed'},{model_id or ''}"
        for source, name, model_id in names
    )
    return "\n".join(["source,name,open,model_id", *rows, ""])
