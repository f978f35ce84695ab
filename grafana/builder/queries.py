"""Queries of the two data sources, as Grafana's plugins store them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from breakout.clickhouse.charts import load_chart
from grafana.builder.addresses import CLICKHOUSE, PROMETHEUS
from grafana.builder.colours import OTHERS, RANKS

CLICKHOUSE_SOURCE = DataSourceRef("grafana-clickhouse-datasource", CLICKHOUSE)
PROMETHEUS_SOURCE = DataSourceRef("prometheus", PROMETHEUS)
GRAFANA_SOURCE = DataSourceRef("datasource", "grafana")
"""Grafana itself, which answers without any other."""
MIXED_SOURCE = DataSourceRef("datasource", "-- Mixed --")
"""Of a panel whose queries have different sources."""
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

    Raises `breakout.clickhouse.charts.ChartError` for an unknown chart and `KeyError` for a parameter that is unknown.
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


def chart_series(name: str, time: str, label: str, value: str, **chosen: str) -> ClickHouseQuery:
    """Return a chart as time series: SQL expressions of its columns for time, label and value."""
    return series(_long(name, time, label, value, chosen) + "\nORDER BY time, label")


def ranked_series(name: str, time: str, label: str, value: str, **chosen: str) -> ClickHouseQuery:
    """Return a chart as time series called by their rank, "1. Qwen", for colours by rank.

    They are ranked by their sums over the time shown; those after the last rank are summed up.
    Ranks of one digit have a space before them: Grafana sorts series by their names.
    """
    return series(
        f"""
SELECT time, if(rank > {len(RANKS)}, '{OTHERS}', concat(leftPad(toString(rank), {len(str(len(RANKS)))}), '. ', name)) AS label, sum(amount) AS Value
FROM
(
    SELECT time, name, amount, dense_rank() OVER (ORDER BY total DESC NULLS LAST, name) AS rank
    FROM
    (
        SELECT time, label AS name, Value AS amount, sum(Value) OVER (PARTITION BY label) AS total
        FROM
        (
{_long(name, time, label, value, chosen)}
        )
    )
)
GROUP BY time, label
ORDER BY time, min(rank)
"""
    )


@dataclass(frozen=True)
class NoRows(variants.Dataquery, builder.Builder[variants.Dataquery]):
    """A table of these columns without rows, kept in the panel: it is there when a source is not."""

    columns: Mapping[str, Literal["number", "string"]]
    ref_id: str = "NoRows"

    def build(self) -> variants.Dataquery:
        """Return itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return the query as Grafana stores a snapshot."""
        fields = [{"name": name, "type": kind} for name, kind in self.columns.items()]
        values: list[list[object]] = [[] for _ in fields]
        return {
            "datasource": GRAFANA_SOURCE,
            "queryType": "snapshot",
            "refId": self.ref_id,
            "snapshot": [{"data": {"values": values}, "schema": {"fields": fields}}],
        }


def by_age_rows(sql: str) -> list[ClickHouseQuery | NoRows]:
    """Return queries of rows (age_days, label, value) for a panel by age, to be merged.

    The first age has a row for every label: columns are made in the order in which labels are
    found, and must have that of the same labels by time, or one model has two colours.

    The panel looks for its column of ages before it looks for rows. Without an answer, or without
    rows, it would complain of the column; with a table of no rows it says that there are none.
    """
    rows = table(
        f"""
SELECT age_days, label, max(value) AS value
FROM
(
    SELECT row.1 AS age_days, row.2 AS label, row.3 AS value
    FROM
    (
        SELECT groupArray((toUInt32(age_days), toString(label), toNullable(toFloat64(value)))) AS rows
        FROM
        (
{sql.strip()}
        )
    )
    ARRAY JOIN arrayConcat(
        rows, arrayMap(one -> (arrayMin(rows.1), one, CAST(NULL, 'Nullable(Float64)')), arrayDistinct(rows.2))
    ) AS row
)
GROUP BY age_days, label
ORDER BY age_days, label
"""
    )
    return [rows, NoRows({"age_days": "number", "label": "string", "value": "number"})]


def promql(expression: str, legend: str = "", ref_id: str = "A") -> prometheus.Dataquery:
    """Return a query of Prometheus over the time range."""
    return _promql(expression, ref_id).legend_format(legend).range()


def promql_now(expression: str) -> prometheus.Dataquery:
    """Return a query of Prometheus for this moment: an old value is not shown for want of a new one."""
    return _promql(expression, "A").instant()


def counted(counter: str, by: str) -> str:
    """Return PromQL of how much a counter grew in each step, exactly and once.

    `increase` would extrapolate, and its windows overlap where they are longer than a step. What
    grew while nobody scraped, for a day at most, is in the step after. A counter that is new or
    began anew counts from 0.
    """
    return f"sum by ({by}) ({_growth(counter)})"


def occurred(counter: str, by: str) -> str:
    """Return PromQL of `counted` for what is rare: without those that did not grow.

    The legend would name them all. Where none grew there is one 0, `by` which is "none".
    """
    none = f'label_replace(sum({_growth(counter)}) == 0, "{by}", "none", "", "")'
    return f"{counted(counter, by)} > 0 or {none}"


def _growth(counter: str) -> str:
    before = f"last_over_time({counter}[1d] offset $__interval)"
    return f"({counter} - {before} >= 0) or {counter}"


def _promql(expression: str, ref_id: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(expression)
        .ref_id(ref_id)
        .datasource(PROMETHEUS_SOURCE)
        .format(PromQueryFormat.TIME_SERIES)
    )


def _long(name: str, time: str, label: str, value: str, chosen: Mapping[str, str]) -> str:
    return (
        f"SELECT toDateTime({time}, 'UTC') AS time, {label} AS label, "
        f"toNullable(toFloat64({value})) AS Value\n"
        f"FROM\n(\n{chart(name, **chosen)}\n)\n"
        "WHERE $__timeFilter(time)"
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
