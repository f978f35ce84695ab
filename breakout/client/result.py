"""The result of a request: an Arrow table, and how to cite it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas
    import polars


class Result:
    """The rows of a response.

    `table` is the `pyarrow.Table`. Any library that reads the Arrow C stream also takes the result
    itself: `polars.DataFrame(result)`, `duckdb.sql("FROM result")`, `pyarrow.table(result)`.
    """

    def __init__(
        self, table: pa.Table, *, as_of: str, url: str, citation: str, bibtex: str
    ) -> None:
        about = {"as_of": as_of, "url": url, "citation": citation, "bibtex": bibtex}
        self.table: pa.Table = table.replace_schema_metadata(about)
        self.as_of = as_of
        """Timestamp of the data, UTC; empty while there are none."""
        self.url = url
        """Address that returns the same rows again."""
        self.citation = citation
        """Citation in plain text; empty if the server sends none."""
        self.bibtex = bibtex
        """Citation as a BibTeX entry on one line; empty if the server sends none."""

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return list(self.table.column_names)

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return int(self.table.num_rows)

    def to_pandas(self) -> "pandas.DataFrame":
        """Return a pandas DataFrame. Raises `ImportError` without pandas.

        Integers stay exact where there are nulls (`Int64` and so on), days and timestamps are
        `datetime64`. Its `attrs` hold `as_of`, `url`, `citation` and `bibtex`.
        """
        pandas = _installed("pandas")
        exact = {
            getattr(pa, kind.lower())(): getattr(pandas, f"{kind}Dtype")()
            for kind in (f"{sign}{bits}" for sign in ("Int", "UInt") for bits in (8, 16, 32, 64))
        }
        frame = self.table.to_pandas(types_mapper=exact.get, date_as_object=False)
        frame.attrs = self._about()
        return frame

    def to_polars(self) -> "polars.DataFrame":
        """Return a polars DataFrame. Raises `ImportError` without polars."""
        return _installed("polars").DataFrame(self.table)  # type: ignore[no-any-return]

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return list(self.table.to_pylist())

    def _about(self) -> dict[str, str]:
        return {
            "as_of": self.as_of,
            "url": self.url,
            "citation": self.citation,
            "bibtex": self.bibtex,
        }

    def __getitem__(self, column: str) -> pa.ChunkedArray:
        return self.table[column]

    def __len__(self) -> int:
        return self.num_rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<Result of {self.url}: {self.num_rows} rows of {', '.join(self.column_names)}>"


def _installed(library: str) -> Any:
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ImportError(
            f"to_{library} needs {library}, which is not installed: run `pip install {library}`"
        ) from None
