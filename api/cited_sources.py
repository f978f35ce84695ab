"""The sources of a response, and their titles and licences for citations."""

from collections.abc import Sequence

from api.database import Database
from api.operation import Operation
from api.parameters import OperationParameters
from breakout.citation import CitedSource
from breakout.clickhouse.known_names import read_known

_HUB = "huggingface"


class CitedSources:
    """Reads titles and licences once: migrations alone change them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sources: dict[str, CitedSource] = {}

    async def names(self, operation: Operation, params: OperationParameters) -> tuple[str, ...]:
        """Return the names of a response's sources, with the archives that filled its history."""
        names = params.sources(operation.sources)
        if not operation.has_history or _HUB not in names:
            return names
        archives = await self._database.rows(read_known("archives"), {})
        return (*names, *(row["name"] for row in archives))

    async def of(self, names: Sequence[str]) -> list[CitedSource]:
        """Return these sources; one that the database does not have is left out."""
        if not self._sources:
            rows = await self._database.rows(read_known("sources"), {})
            self._sources = {row["name"]: CitedSource(row["title"], row["licence"]) for row in rows}
        return [self._sources[name] for name in names if name in self._sources]
