"""Kinds of panels: lines, bars, shares, curves by age, tables and single numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import stat, table, timeseries, trend
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    Threshold,
    ThresholdsMode,
)

from grafana.builder.addresses import Uid, model_page
from grafana.builder.colours import fixed, mappings
from grafana.builder.provenance import About
from grafana.builder.queries import (
    CLICKHOUSE_SOURCE,
    MIXED_SOURCE,
    PROMETHEUS_SOURCE,
    by_age_rows,
)

DASH = "-"
"""Of a cell or a number that is missing."""
Query = builder.Builder[variants.Dataquery]
AnyPanel = Any
"""The builders of panels share no class of their own."""


@dataclass(frozen=True)
class Head:
    """What every panel has."""

    title: str
    about: About
    unit: str = "short"
    no_data: str = DASH
    """Shown without data, and when the source does not answer: it must be true of both."""
    from_zero: bool = True
    """Whether the axis shows 0."""
    up_to: float | None = None
    """What the axis shows at least, so that next to nothing looks like it."""


def lines(
    head: Head,
    *queries: Query,
    colours: Mapping[str, str] | None = None,
    threshold: float | None = None,
    link: str | None = None,
    source: DataSourceRef = CLICKHOUSE_SOURCE,
) -> AnyPanel:
    """Return lines over time; a missing value is a gap. `threshold` draws a line at its value."""
    panel = (
        _dressed(timeseries.Panel(), head, queries, source)
        .color_scheme(builders.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .line_width(2)
        .fill_opacity(0)
        .span_nulls(span_nulls=False)
        .show_points(common.VisibilityMode.AUTO)
        .legend(_legend())
        .tooltip(_tooltip())
    )
    _scale(panel, head)
    _mark(panel, threshold)
    _colour(panel, colours or {})
    if link:
        panel.data_links([_link(link)])
    return panel


def bars(
    head: Head,
    *queries: Query,
    colours: Mapping[str, str] | None = None,
    points: Sequence[str] = (),
    source: DataSourceRef = CLICKHOUSE_SOURCE,
) -> AnyPanel:
    """Return stacked bars over time; series named in `points` are drawn as points.

    A value of ClickHouse has the moment at which its time begins, one of Prometheus that at which
    its step ends.
    """
    counts = source == PROMETHEUS_SOURCE
    panel = (
        _dressed(timeseries.Panel(), head, queries, source)
        .color_scheme(builders.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(85)
        .line_width(0)
        .bar_alignment(common.BarAlignment.BEFORE if counts else common.BarAlignment.AFTER)
        .min(0)
        .stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .legend(_legend())
        .tooltip(_tooltip())
    )
    if counts:
        # So many bars can be seen; a step shorter than a minute would be mostly empty.
        panel.max_data_points(96).interval("1m")
    _scale(panel, head)
    _colour(panel, colours or {})
    for name in points:
        panel.override_by_name(
            name,
            [
                DynamicConfigValue("custom.drawStyle", "points"),
                DynamicConfigValue("custom.pointSize", 8),
                DynamicConfigValue("custom.stacking", {"mode": "none"}),
            ],
        )
    return panel


def by_age(
    head: Head,
    sql: str,
    *,
    colours: Mapping[str, str] | None = None,
    threshold: float | None = None,
    link: str | None = None,
) -> AnyPanel:
    """Return curves over whole days since release; a missing value is a gap.

    `sql` gives rows of (age_days, label, value), by age.
    """
    age = "age_days\\label"
    panel = (
        _dressed(trend.Panel(), head, by_age_rows(sql), MIXED_SOURCE)
        .color_scheme(builders.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .x_field(age)
        .line_width(2)
        .span_nulls(span_nulls=False)
        .show_points(common.VisibilityMode.AUTO)
        .legend(_legend())
        .tooltip(_tooltip())
        .transformations([_merged(), _matrix("age_days", "label", "value")])
        .override_by_name(
            age,
            [
                # Also what the tooltip begins with.
                DynamicConfigValue("displayName", "Age"),
                DynamicConfigValue("unit", "suffix:d"),
            ],
        )
    )
    _scale(panel, head)
    _mark(panel, threshold)
    _colour(panel, colours or {})
    if link:
        panel.data_links([_link(link)])
    return panel


@dataclass(frozen=True)
class Column:
    """How one column of a table looks."""

    name: str
    title: str
    unit: str = "string"
    decimals: int | None = None
    width: int | None = None
    min_width: int = 150
    """Of a column without a width, which shares with others what is left."""
    model_link: bool = False
    link: str | None = None
    colours: Mapping[str, str] | None = None
    more: Sequence[DynamicConfigValue] = ()
    wrap: bool = False
    """Whether texts of a column with a width have several lines; others have them as they need."""
    hidden: bool = False
    """Not shown; the links of other columns use it."""

    @property
    def properties(self) -> list[DynamicConfigValue]:
        """The override's properties."""
        found = [DynamicConfigValue("displayName", self.title)]
        found.append(DynamicConfigValue("unit", self.unit))
        found.append(DynamicConfigValue("noValue", DASH))
        if self.hidden:
            return [*found, DynamicConfigValue("custom.hideFrom.viz", value=True)]
        if self.unit == "string" and (self.wrap or not self.width):
            # Grafana cuts a longer text off, without a sign of it.
            found.append(DynamicConfigValue("custom.wrapText", value=True))
        if self.decimals is not None:
            found.append(DynamicConfigValue("decimals", self.decimals))
        if self.width:
            found.append(DynamicConfigValue("custom.width", self.width))
        else:
            found.append(DynamicConfigValue("custom.minWidth", self.min_width))
            # Where there is room for it beside the title.
            found.append(DynamicConfigValue("custom.filterable", value=True))
        url = model_page("${__value.raw}") if self.model_link else self.link
        if url:
            title = "Everything about this model" if self.model_link else self.title
            found.append(DynamicConfigValue("links", [{"title": title, "url": url}]))
        if self.colours:
            found.append(DynamicConfigValue("mappings", mappings(dict(self.colours))))
            # Of any other text; Grafana's own is green.
            found.append(
                DynamicConfigValue(
                    "thresholds", {"mode": "absolute", "steps": [{"color": "text", "value": None}]}
                )
            )
            found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        return [*found, *self.more]


def rows(
    head: Head,
    *queries: Query,
    columns: Sequence[Column],
    sort: str | None = None,
    transformations: Sequence[DataTransformerConfig] = (),
    source: DataSourceRef = CLICKHOUSE_SOURCE,
) -> AnyPanel:
    """Return a table; `sort` is the title of the column that it is sorted by, greatest first."""
    panel = _dressed(table.Panel(), head, queries, source).transformations(list(transformations))
    panel.show_header(show_header=True)
    if sort:
        panel.sort_by([common_builders.TableSortByFieldState().display_name(sort).desc(desc=True)])
    for column in columns:
        panel.override_by_name(column.name, column.properties)
    return panel


def number(
    head: Head,
    query: Query,
    *,
    steps: Sequence[tuple[float | None, str]] = (),
    field: str = "",
    link: str | None = None,
    source: DataSourceRef = CLICKHOUSE_SOURCE,
    series: bool = False,
) -> AnyPanel:
    """Return one large number, text or moment; `steps` are thresholds with their colours."""
    panel = (
        _dressed(stat.Panel(), head, [query], source)
        .reduce_options(
            common_builders.ReduceDataOptions()
            .calcs(["lastNotNull"])
            .fields(field or ("" if series else "/.*/"))
            .values(values=False)
        )
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE if not series else common.BigValueTextMode.AUTO)
    )
    if steps:
        panel.color_scheme(builders.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        panel.thresholds(
            builders.ThresholdsConfig()
            .mode(ThresholdsMode.ABSOLUTE)
            .steps([Threshold(value, colour) for value, colour in steps])
        )
    else:
        panel.color_mode(common.BigValueColorMode.NONE)
    if link:
        panel.data_links([_link(link)])
    return panel


def _merged() -> DataTransformerConfig:
    """Return the transformation of all answers to one table."""
    return DataTransformerConfig(id_val="merge", options={})


def _matrix(row: str, column: str, value: str) -> DataTransformerConfig:
    """Return the transformation of (row, column, value) rows to a column for each `column`.

    The first column is then called "row\\column".
    """
    return DataTransformerConfig(
        id_val="groupingToMatrix",
        options={
            "columnField": column,
            "rowField": row,
            "valueField": value,
            "emptyValue": "null",
        },
    )


def link_between(uid: Uid, title: str) -> builder.Builder[DashboardLink]:
    """Return a dashboard's link to another level."""
    return (
        builders.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(f"/d/{uid}")
        .keep_time(keep_time=True)
        .icon("dashboard")
    )


def _dressed(
    panel: AnyPanel, head: Head, queries: Sequence[Query], source: DataSourceRef
) -> AnyPanel:
    return (
        panel.title(head.title)
        .description(head.about.text)
        .datasource(source)
        .targets(list(queries))
        .unit(head.unit)
        .no_value(head.no_data)
    )


def _scale(panel: AnyPanel, head: Head) -> None:
    """Let the axis show what is compared: shares from none to all, RAM around 1.0x.

    A value that is missing among others is a dash in the tooltip, not the sentence for none at all.
    """
    panel.override_by_field_type("number", [DynamicConfigValue("noValue", DASH)])
    if head.unit == "percentunit":
        panel.min(0).max(1)
    elif head.unit == "suffix:x":
        panel.axis_soft_min(0).axis_soft_max(1.2)
    elif head.from_zero:
        panel.axis_soft_min(0)
    if head.up_to is not None:
        panel.axis_soft_max(head.up_to)
    if head.unit == "none" and head.from_zero:
        # Counts: no half of a model on the axis.
        panel.decimals(0)


def _mark(panel: AnyPanel, threshold: float | None) -> None:
    if threshold is None:
        return
    panel.thresholds(
        builders.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(None, "transparent"), Threshold(threshold, "#808080")])
    ).thresholds_style(
        common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
    )


def _colour(panel: AnyPanel, colours: Mapping[str, str]) -> None:
    for name, colour in colours.items():
        if name.startswith("/"):
            panel.with_override(MatcherConfig("byRegexp", name), [fixed(colour)])
        else:
            panel.override_by_name(name, [fixed(colour)])


def _legend() -> builder.Builder[common.VizLegendOptions]:
    return (
        common_builders.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )


def _tooltip() -> builder.Builder[common.VizTooltipOptions]:
    return (
        common_builders.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
    )


def _link(url: str) -> builder.Builder[DashboardLink]:
    return builders.DashboardLink("Everything about this model").url(url)
