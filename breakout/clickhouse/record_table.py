"""Tables in which `breakout migrate` records what it did to a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class RecordTable:
    """A table of records, by key; of a key's rows the engine keeps one."""

    name: str
    meaning: str
    engine: str
    key: str
    columns: Mapping[str, tuple[str, str]]
    """Type and meaning of each column, in the order of a row."""

    def create(self, client: Client) -> None:
        """Create the table where it does not exist."""
        columns = ", ".join(
            f"{name} {kind} COMMENT '{meaning}'" for name, (kind, meaning) in self.columns.items()
        )
        client.command(
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}) ENGINE = {self.engine} "
            f"ORDER BY {self.key} COMMENT '{self.meaning}'"
        )

    def insert(self, client: Client, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, and return once they can be queried."""
        client.insert(
            self.name,
            rows,
            column_names=list(self.columns),
            # Otherwise the driver queries them before every insert.
            column_type_names=[kind for kind, _ in self.columns.values()],
            settings={"async_insert": 0},
        )
