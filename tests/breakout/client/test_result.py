"""Rows of a response as a table, and in the libraries that people use."""

import importlib
from datetime import UTC, date, datetime
from typing import Any

import pandas
import polars
import pyarrow as pa
import pytest

from breakout.client import Result

BIG = 2**63 - 1
ROWS = [
    {"group": "Qwen", "period": date(2026, 6, 1), "downloads": BIG, "share": 0.5, "whole": True},
    {"group": "Qwen", "period": date(2026, 5, 1), "downloads": None, "share": None, "whole": None},
]
AT = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.fixture
def result() -> Result:
    table = pa.Table.from_pylist(ROWS).append_column(
        "as_of", pa.array([AT, None], pa.timestamp("ms", "UTC"))
    )
    return Result(
        table,
        as_of="2026-06-30T12:00:00.000Z",
        url="http://127.0.0.1:8000/v1/downloads?as_of=2026-06-30T12%3A00%3A00.000Z",
        citation="Breakout 0.1.0",
        bibtex="@misc{breakout}",
    )


def test_the_table_states_how_to_cite_it(result: Result) -> None:
    assert isinstance(result.table, pa.Table)
    metadata = {
        name.decode(): value.decode() for name, value in result.table.schema.metadata.items()
    }
    assert metadata == {
        "as_of": result.as_of,
        "url": result.url,
        "citation": "Breakout 0.1.0",
        "bibtex": "@misc{breakout}",
    }
    assert result.column_names == [*ROWS[0], "as_of"]
    assert (result.num_rows, len(result)) == (2, 2)
    assert result["group"].to_pylist() == ["Qwen", "Qwen"]
    assert result.to_pylist()[1] == {**ROWS[1], "as_of": None}
    assert "2 rows of group, period, " in repr(result)


def test_pandas_keeps_integers_exact_and_days_as_dates(result: Result) -> None:
    frame = result.to_pandas()
    assert frame["downloads"].dtype == "Int64"
    assert frame["downloads"][0] == BIG
    assert frame["downloads"].isna().tolist() == [False, True]
    assert frame["period"].dtype.kind == "M"
    assert frame["period"][0] == pandas.Timestamp(2026, 6, 1)
    assert frame["as_of"][0] == pandas.Timestamp(AT)
    assert frame.attrs["citation"] == "Breakout 0.1.0"
    assert frame.attrs["url"] == result.url


def test_polars_has_the_same_rows(result: Result) -> None:
    frame = result.to_polars()
    assert frame.schema["downloads"] == polars.Int64
    assert frame.schema["period"] == polars.Date
    assert frame.drop("as_of").to_dicts() == ROWS


def test_other_libraries_read_it_as_an_arrow_stream(result: Result) -> None:
    assert pa.table(result).equals(result.table)
    assert polars.DataFrame(result).height == 2


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_missing_library_is_named(
    result: Result, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    def without(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("breakout.client.result.import_module", without)
    with pytest.raises(ImportError, match=rf"needs {library}, .* run `pip install {library}`"):
        getattr(result, f"to_{library}")()
    assert importlib.import_module(library)
