"""Reads an API's files by their URLs, as people do: Polars, pandas, pyarrow, DuckDB."""

import io
import json
import sys
import urllib.request
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa


def main(address: str) -> None:
    base = f"{address}/v1/downloads?by=region&"
    csv, parquet, arrow = (f"{base}format={name}" for name in ("csv", "parquet", "arrow"))
    found: dict[str, Any] = {
        "polars read_parquet": pl.read_parquet(parquet)["cumulative"].to_list(),
        "polars scan_parquet": pl.scan_parquet(parquet)
        .filter(pl.col("group") == "china")
        .select("cumulative")
        .collect()["cumulative"]
        .to_list(),
        "polars read_csv": pl.read_csv(csv)["cumulative"].to_list(),
        "polars scan_csv": pl.scan_csv(csv).select("cumulative").collect()["cumulative"].to_list(),
        "pandas read_csv": pd.read_csv(csv)["cumulative"].tolist(),
        "pandas read_parquet": pd.read_parquet(parquet)["cumulative"].tolist(),
        "duckdb": duckdb_rows(parquet, csv),
    }
    with urllib.request.urlopen(arrow) as response:
        table = pa.ipc.open_stream(io.BytesIO(response.read())).read_all()
    found["arrow"] = table["cumulative"].to_pylist()
    print(json.dumps(found))


def duckdb_rows(parquet: str, csv: str) -> Any:
    """Return the rows of both files, or why the extension that reads URLs cannot be had."""
    connection = duckdb.connect()
    try:
        connection.execute("LOAD httpfs")
    except duckdb.Error as error:
        return str(error)
    sql = "SELECT cumulative FROM {}('{}')"
    rows = [
        connection.execute(sql.format(function, url)).fetchall()
        for function, url in (("read_parquet", parquet), ("read_csv", csv))
    ]
    return [[row[0] for row in one] for one in rows]


if __name__ == "__main__":
    main(sys.argv[1])
