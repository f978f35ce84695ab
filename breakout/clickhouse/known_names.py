"""Names that the database knows, by kind: models, organisations, baselines and so on.

Each kind has a query in `sql/known/`. Names are never removed, so one that is known stays known.
"""

from dataclasses import dataclass
from functools import cache

from breakout.clickhouse.migrations import sql_folder


@dataclass(frozen=True)
class Kind:
    """A kind of names."""

    label: str
    """As messages call one of them."""
    file: str
    similar_file: str | None = None
    """Query of names similar to one; None: `file` returns all names, so that they can be listed."""

    @property
    def is_listed(self) -> bool:
        """Whether there are few names, so that a message can list all."""
        return self.similar_file is None and self is not ORGANISATION

    def known_sql(self) -> str:
        """Return the query of the known ones among `names`, or of all known names."""
        return read_known(self.file)

    def similar_sql(self) -> str:
        """Return the query of names among which the nearest to `name` are."""
        return read_known(self.similar_file or self.file)


MODEL = Kind("model", "models", "similar_models")
FAMILY = Kind("family", "families", "similar_models")
ORGANISATION = Kind("organisation", "organisations")
BASELINE = Kind("baseline", "baselines")
BOARD = Kind("board", "boards")
INDEX_VERSION = Kind("index version", "index_versions")


@cache
def read_known(name: str) -> str:
    """Return the SQL of a file in `sql/known/`."""
    return (sql_folder() / "known" / f"{name}.sql").read_text(encoding="utf-8")
