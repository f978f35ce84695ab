"""docs/charts.md, from the queries of sql/charts/."""

from collections.abc import Iterator

from breakout.clickhouse.charts import Chart, load_charts
from tools.reference.markdown import code, page, table


def charts_page() -> str:
    """Return the page: every chart with its query."""
    return page(
        "Charts",
        "One SQL query a chart, for any ClickHouse client, or `breakout chart NAME`. "
        "`{name:Type}` are ClickHouse's query parameters, with the default each has in "
        "`breakout chart`. What each number is, exactly, is in [definitions.md](definitions.md); "
        "the view `sources` has every source's licence and how to cite it.",
        *(block for chart in load_charts().values() for block in _blocks(chart)),
    )


def _blocks(chart: Chart) -> Iterator[str]:
    yield f"## {chart.name}"
    yield f"**{chart.title}.** {chart.description}"
    yield f"Sources: {', '.join(code(source) for source in chart.sources)}."
    if chart.parameters:
        yield table(
            ("Parameter", "Type", "Default", "Meaning"),
            [
                (code(one.name), code(one.type), code(one.default) or "empty", one.description)
                for one in chart.parameters
            ],
        )
    yield table(("Column", "Meaning"), [(code(name), text) for name, text in chart.columns.items()])
    yield f"```sql\n{chart.sql}\n```"
