"""Charts of model adoption from Breakout's HTTP API, each a table that is ready to plot.

    python docs/examples/charts_from_the_api.py http://127.0.0.1:8000 charts/

writes one CSV per chart, and prints its description and the URL to cite. In a notebook:

    charts = Charts(Breakout("http://127.0.0.1:8000"))
    frame = charts.downloads_by_region().to_pandas()
    frame.pivot(index="period", columns="group", values="share").plot()

`adoption.ipynb` beside this file draws the main charts.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from breakout.client import Breakout


class Charts:
    """A method per chart, which returns its table."""

    def __init__(self, breakout: Breakout) -> None:
        self.breakout = breakout

    def downloads_of_the_leaders(self) -> pa.Table:
        """Weekly downloads of the five models with the highest RAM."""
        leaders = self.breakout.ram(limit=5)["model_id"].to_pylist()
        return finished(self.breakout.downloads(*leaders, interval="week").table)

    def ram_by_size_bin(self) -> pa.Table:
        """RAM of each model at the milestones, by size bin."""
        table = self.breakout.ram_milestones().table
        return table.sort_by(
            [("size_bin", "ascending"), ("age_days", "ascending"), ("ram", "descending")]
        )

    def baselines_by_size_bin(self) -> pa.Table:
        """Downloads at which RAM is 1.0, by size bin and age."""
        return self.breakout.baselines().table

    def downloads_by_region(self) -> pa.Table:
        """Share of all downloads until each month's end, by region."""
        months = finished(self.breakout.downloads(by="region", interval="month").table)
        return with_shares(months, "cumulative")

    def downloads_by_organisation(self) -> pa.Table:
        """Share of each month's new downloads, by organisation."""
        months = finished(self.breakout.downloads(by="org", interval="month").table)
        return with_shares(months, "downloads")

    def derivatives_by_region(self) -> pa.Table:
        """Share of each month's new derivatives, by region of the base model."""
        table = self.breakout.derivatives().table
        months = table.group_by(["month", "region"]).aggregate([("new", "sum")])
        return with_shares(months.rename_columns(["period", "group", "new"]), "new")

    def families(self) -> pa.Table:
        """Downloads of each model and of its derivatives."""
        return self.breakout.families(limit=20).table

    def open_share_of_tokens(self) -> pa.Table:
        """Share of open models in inference tokens, by month."""
        return self.breakout.inference_share().table

    def tokens_by_region(self) -> pa.Table:
        """Tokens of open models by region and month."""
        return self.breakout.inference_tokens(by="region").table

    def tokens_by_model(self) -> pa.Table:
        """Ten open models with the most tokens in each month."""
        return self.breakout.inference_tokens(top=10).table

    def best_by_region(self) -> pa.Table:
        """Best open model of each region on each leaderboard over time."""
        table = self.breakout.leaderboards(best=True).table
        return table.sort_by(
            [("source", "ascending"), ("index_version", "ascending"), ("published_on", "ascending")]
        )

    def breakouts(self) -> pa.Table:
        """Breakouts: first time that RAM reached 1.0."""
        return self.breakout.breakouts().table


def finished(table: pa.Table) -> pa.Table:
    """Return the periods of which at least 95% is there, in every group: the others still grow."""
    periods = table.group_by("period").aggregate([("covered", "min")])
    complete = periods.filter(pc.greater_equal(periods["covered_min"], 0.95))
    return table.filter(pc.is_in(table["period"], complete["period"].combine_chunks()))


def with_shares(table: pa.Table, column: str) -> pa.Table:
    """Return the table with `share`: a row's share of its period's sum of the column."""
    sums = table.group_by("period").aggregate([(column, "sum")])
    joined = table.join(sums, "period").sort_by([("period", "ascending"), ("group", "ascending")])
    share = pc.divide(
        pc.cast(joined[column], "float64"), pc.cast(joined[f"{column}_sum"], "float64")
    )
    return joined.drop([f"{column}_sum"]).append_column("share", share)


def all_charts(breakout: Breakout) -> dict[str, Callable[[], pa.Table]]:
    """Return all charts by name."""
    charts = Charts(breakout)
    return {name: getattr(charts, name) for name in vars(Charts) if not name.startswith("_")}


def main(url: str, folder: Path) -> None:
    """Write all charts into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with Breakout(url) as breakout:
        for name, chart in all_charts(breakout).items():
            table = chart()
            pyarrow.csv.write_csv(table, folder / f"{name}.csv")
            url_to_cite = (table.schema.metadata or {}).get(b"url", b"").decode()
            print(f"{name}: {chart.__doc__} {table.num_rows} rows. {url_to_cite}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [url, folder]:
            main(url, Path(folder))
        case _:
            sys.exit(f"usage: {sys.argv[0]} URL FOLDER")
