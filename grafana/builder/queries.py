"""Queries of the two data sources, as Grafana's plugins store them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from breakout.charts import load_chart
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS

CLICKHOUSE_SOURCE = DataSourceRef("grafana-clickhouse-datasource", CLICKHOUSE)
PROMETHEUS_SOURCE = DataSourceRef("prometheus", PROMETHEUS)
PLUGIN_VERSION = "4.0.0"
"""Version of the plugin's query format; newer plugins read it."""

_FORMATS = {"timeseries": 0, "table": 1}


@dataclass(frozen=True)
class ClickHouseQuery(variants.Dataquery, builder.Builder[variants.Dataquery]):
    """A query in SQL.

    A time series is rows of (time, labels, Value): a column of that name lets Grafana call each
    series by its label alone, and so find its colour. Missing values must be null.
    """

    sql: str
    shape: Literal["timeseries", "table"] = "table"
    ref_id: str = "A"

    def build(self) -> variants.Dataquery:
        """Return itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return the query as the plugin stores it."""
        return {
            "datasource": CLICKHOUSE_SOURCE,
            "editorType": "sql",
            "format": _FORMATS[self.shape],
            "meta": {"timezone": "UTC"},
            "pluginVersion": PLUGIN_VERSION,
            "queryType": self.shape,
            "rawSql": self.sql,
            "refId": self.ref_id,
        }


def table(sql: str, ref_id: str = "A") -> ClickHouseQuery:
    """Return a query whose rows are shown as they are."""
    return ClickHouseQuery(sql.strip(), "table", ref_id)


def series(sql: str, ref_id: str = "A") -> ClickHouseQuery:
    """Return a query of time series: columns time, labels, Value; sorted by time."""
    return ClickHouseQuery(sql.strip(), "timeseries", ref_id)


def chart(name: str, **chosen: str) -> str:
    """Return a chart's SQL with its parameters bound; `chosen` are SQL expressions by name.

    Raises `breakout.charts.ChartError` for a chart, and `KeyError` for a parameter, that there is not.
    """
    one = load_chart(name)
    sql = one.sql
    known = {parameter.name: parameter for parameter in one.parameters}
    bound: Mapping[str, str] = {
        **{name: _literal(parameter.type, parameter.default) for name, parameter in known.items()},
        **chosen,
    }
    for parameter, value in bound.items():
        sql = sql.replace(f"{{{parameter}:{known[parameter].type}}}", value)
    # Comments would end at the line's end only; Grafana shows and stores queries in one piece.
    return "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))


def chart_series(
    name: str, time: str, label: str, value: str, *, ref_id: str = "A", **chosen: str
) -> ClickHouseQuery:
    """Return a chart as time series: SQL expressions of its columns for time, label and value."""
    return series(
        f"SELECT toDateTime({time}, 'UTC') AS time, {label} AS label, "
        f"toNullable(toFloat64({value})) AS Value\n"
        f"FROM\n(\n{chart(name, **chosen)}\n)\n"
        "WHERE $__timeFilter(time)\nORDER BY time, label",
        ref_id,
    )


def promql(expression: str, legend: str = "", ref_id: str = "A") -> prometheus.Dataquery:
    """Return a query of Prometheus over the time range."""
    return (
        prometheus.Dataquery()
        .expr(expression)
        .legend_format(legend)
        .range()
        .ref_id(ref_id)
        .datasource(PROMETHEUS_SOURCE)
        .format(PromQueryFormat.TIME_SERIES)
    )


def _literal(kind: str, default: str) -> str:
    match kind:
        case "UInt32":
            return default
        case "Array(String)":
            return "CAST([], 'Array(String)')"
        case "Date":
            return f"toDate('{default}')"
    return f"'{default}'"
