"""Titles and licences of sources, for citations."""

from collections.abc import Sequence

from api.database import Database, parse_lines
from breakout.citation import CitedSource
from breakout.clickhouse.known_names import read_known


class CitedSources:
    """Reads the sources once: migrations alone change them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sources: dict[str, CitedSource] = {}

    async def of(self, names: Sequence[str]) -> list[CitedSource]:
        """Return these sources; one that the database does not have is left out."""
        if not self._sources:
            rows = parse_lines(await self._database.fresh_lines(read_known("sources"), {}))
            self._sources = {row["name"]: CitedSource(row["title"], row["licence"]) for row in rows}
        return [self._sources[name] for name in names if name in self._sources]
