"""Counter health: whether hubs renew their counters, or roll them back."""

from grafana.builder.colours import WARNING
from grafana.builder.layout import Section
from grafana.builder.panels import AnyPanel, Head, bars, lines
from grafana.builder.provenance import About
from grafana.builder.queries import series

TIME = "30d"
"""What the panels show, whatever the dashboard does."""
BAND = "if(source = 'huggingface', age_band, concat(toString(source), ', ', age_band))"


def section() -> Section:
    """Return the panels."""
    return Section("Counters of the hubs", [(_shares(), 16), (_corrections(), 8)])


def _shares() -> AnyPanel:
    # `counter_health` would read everything; this reads only the time shown.
    sql = f"""
SELECT toDateTime(day, 'UTC') AS time, concat(one.1, ', ', {BAND}) AS label, toNullable(one.2 / busy) AS Value
FROM counter_health_since(since = toDate($__fromTime))
ARRAY JOIN [('held', held), ('fallen', fallen)] AS one
WHERE busy > 0
ORDER BY time, label
"""
    return lines(
        Head(
            "Busy models held or fallen, by creation",
            About(
                "Of the models with at least 20 downloads a day, by UTC day and by the year in which the hub says they were "
                "created. held: their counter was not renewed at their last observation of the day. fallen: it was below "
                "an earlier value, or was corrected. As the tables have them.",
                (),
            ),
            "percentunit",
            "No busy models to show",
        ),
        series(sql),
    ).time_from(TIME)


def _corrections() -> AnyPanel:
    sql = """
SELECT
    toDateTime(toDate(observed_at), 'UTC') AS time, toString(source) AS label,
    toNullable(toFloat64(sum(ifNull(correction, 0)))) AS Value
FROM downloads_log FINAL
WHERE state IS NOT NULL AND observed_at >= $__fromTime
GROUP BY time, label
ORDER BY time, label
"""
    return bars(
        Head(
            "Downloads taken by corrections",
            About(
                "What counters fell by and have not regained within 14 days, or not yet, by UTC day. As the tables have them.",
                (),
            ),
            "short",
            "No corrections to show",
        ),
        series(sql),
        colours={"huggingface": WARNING},
    ).time_from(TIME)
