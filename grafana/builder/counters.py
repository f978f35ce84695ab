"""Counter health: whether hubs renew their counters, or roll them back."""

from grafana.builder.colours import WARNING
from grafana.builder.layout import Section
from grafana.builder.panels import Head, bars, lines
from grafana.builder.provenance import About
from grafana.builder.queries import series

HEALTH = "counter_health_since(since = toDate($__fromTime))"
"""Reads only the time shown; the view `counter_health` reads everything."""
BAND = "if(source = 'huggingface', age_band, concat(toString(source), ', ', age_band))"
NO_DAYS = "No busy models to show"


def section() -> Section:
    """Return the panels."""
    return Section(
        "Counters of the hubs",
        [
            (
                _share(
                    "Busy models held, by creation",
                    "held",
                    "whose counter was not renewed at their last observation of the day",
                ),
                8,
            ),
            (
                _share(
                    "Busy models fallen, by creation",
                    "fallen",
                    "whose counter was below an earlier value, or was corrected",
                ),
                8,
            ),
            (_corrections(), 8),
        ],
    )


def _share(title: str, column: str, meaning: str) -> object:
    return lines(
        Head(
            title,
            About(
                f"Share of the models with at least 20 downloads a day {meaning}; by UTC day and by the year in which "
                "the Hub says the repository was created. As the tables have them.",
                (),
            ),
            "percentunit",
            NO_DAYS,
        ),
        series(
            f"""
SELECT toDateTime(day, 'UTC') AS time, {BAND} AS label, toNullable({column}) AS Value
FROM {HEALTH}
WHERE busy > 0 AND $__timeFilter(time)
ORDER BY time, label
"""
        ),
    )


def _corrections() -> object:
    return bars(
        Head(
            "Downloads taken away by corrections",
            About(
                "What counters fell by for good, or have not regained within 14 days, by UTC day. As the tables have them.",
                (),
            ),
            "short",
            "No corrections to show",
        ),
        series(
            f"""
SELECT toDateTime(day, 'UTC') AS time, toString(source) AS label, toNullable(toFloat64(sum(corrections))) AS Value
FROM {HEALTH}
WHERE $__timeFilter(time)
GROUP BY time, label
ORDER BY time, label
"""
        ),
        colours={"huggingface": WARNING},
    )
