"""Pipeline: whether the numbers are fresh, and what is wrong where they are not."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.builder import counters
from grafana.builder.colours import ABOVE, BAD, BELOW, BURST, FELL, GOOD, WARNING
from grafana.builder.layout import Section, place
from grafana.builder.panels import Column, Head, bars, lines, number, rows
from grafana.builder.provenance import About
from grafana.builder.queries import PROMETHEUS_SOURCE, counted, occurred, promql, promql_now, table

OWN = "Breakout's own metrics, scraped by Prometheus."
QUIET = "No metrics to show"
SCRAPED = 'on() (max(up{job=~"worker|collectors"}) == 1)'
"""Counts of what never happened are 0 only where somebody would have counted."""
DAY = 86_400


def fill(dashboard: Dashboard) -> Dashboard:
    """Add this dashboard's panels."""
    return place(
        dashboard,
        [
            Section(
                "At a glance",
                [(_oldest(), 6), (_latency_now(), 6), (_letters_now(), 6), (_failures_now(), 6)],
                height=4,
            ),
            Section("Freshness", [(_sources(), 12), (_runs(), 12), (_age(), 12), (_missing(), 12)]),
            Section("Throughput and lag", [(_records(), 8), (_observations(), 8), (_latency(), 8)]),
            Section("ClickHouse", [(_inserts(), 8), (_rows_inserted(), 8), (_failures(), 8)]),
            Section("Sources' answers", [(_requests(), 12), (_waits(), 12)]),
            Section("What went wrong", [(_letters(), 8), (_errors(), 16)]),
            Section("Workers", [(_partitions(), 8), (_state(), 8), (_crossings(), 8)]),
            counters.section(),
        ],
    )


def _own(meaning: str) -> About:
    return About(f"{meaning} {OWN}", ())


def _oldest() -> object:
    return _tile(
        "Time since the oldest scrape",
        "Of the latest scrape of each source that is collected here.",
        "dtdurations",
        "max(time() - breakout_last_scrape_timestamp_seconds)",
        [(0, GOOD), (2 * DAY, WARNING), (8 * DAY, BAD)],
    )


def _latency_now() -> object:
    bucket = "sum by (le) (rate(breakout_queryable_latency_seconds_bucket[5m]))"
    return _tile(
        "Published to queryable, p99",
        "Seconds from a record's Kafka timestamp until its rows could be queried; of the last 5 minutes. Missing where "
        "nothing was published.",
        "suffix:s",
        f"histogram_quantile(0.99, {bucket}) >= 0",
        [(0, GOOD), (5, WARNING), (60, BAD)],
    )


def _letters_now() -> object:
    return _tile(
        "Dead letters of the last hour",
        "Records that could not be read.",
        "none",
        f"round(sum(increase(breakout_dead_letters_total[1h]))) or vector(0) and {SCRAPED}",
        [(0, GOOD), (1, BAD)],
    )


def _failures_now() -> object:
    return _tile(
        "Failed inserts of the last hour",
        "Each is retried until it succeeds.",
        "none",
        f"round(sum(increase(breakout_insert_failures_total[1h]))) or vector(0) and {SCRAPED}",
        [(0, GOOD), (1, WARNING), (100, BAD)],
    )


def _tile(
    title: str, meaning: str, unit: str, expression: str, steps: list[tuple[float, str]]
) -> object:
    return number(
        Head(title, _own(meaning), unit),
        promql_now(expression),
        # Nothing is below 0, and Grafana gives a missing number the lowest colour.
        steps=[(None, BELOW), *steps],
        source=PROMETHEUS_SOURCE,
        series=True,
    )


def _sources() -> object:
    return rows(
        Head(
            "How old each source's latest numbers are",
            About("As the tables have them.", ()),
            "string",
            "No sources to show",
        ),
        table(
            "SELECT title, dateDiff('second', as_of, now64(3, 'UTC')) AS age, as_of, licence FROM sources\n"
            "ORDER BY age DESC NULLS LAST, title"
        ),
        columns=[
            Column("title", "Source", width=220),
            # With a decimal, it ends in "3 minutes, 16 seconds" and "39 seconds, 0 milliseconds".
            Column("age", "Age", "dtdurations", 0, 90),
            Column("as_of", "As of", "dateTimeAsIso", width=156),
            Column("licence", "Licence or terms", min_width=150),
        ],
    )


def _runs() -> object:
    return rows(
        Head(
            "Scrapes, and whether complete",
            About(
                "The latest 100 scrapes of the time shown, with their models, as the tables have them.",
                (),
            ),
            "string",
            "No scrapes to show",
        ),
        table(
            "SELECT observed_at, toString(source) AS source, models, if(complete, 'yes', 'no') AS whole "
            "FROM scrapes\n"
            "WHERE $__timeFilter(observed_at)\nORDER BY observed_at DESC, source\nLIMIT 100"
        ),
        columns=[
            Column("observed_at", "Scrape", "dateTimeAsIso", width=170),
            Column("source", "Source", min_width=130),
            Column("models", "Models", "locale", 0, 90),
            Column("whole", "Complete", width=100),
        ],
    )


def _age() -> object:
    return _lines(
        "Time since each source's latest scrape", "It falls at every scrape.", "dthms",
        ("max by (source) (time() - breakout_last_scrape_timestamp_seconds)", "{{source}}"),
    )  # fmt: skip


def _missing() -> object:
    return _lines(
        "Models missing from the latest scrape", "Wanted and not got, by source.", "none",
        ("max by (source) (breakout_scrape_missing_models)", "{{source}}"),
        up_to=1,
    )  # fmt: skip


def _records() -> object:
    return _lines(
        "Records finished, by topic", "Records a second that workers have acknowledged.", "cps",
        ("sum by (topic) (rate(breakout_records_total[$__rate_interval]))", "{{topic}}"),
    )  # fmt: skip


def _observations() -> object:
    return _lines(
        "Observations by what they were", "New, late, or known already; each second.", "cps",
        ("sum by (kind) (rate(breakout_observations_total[$__rate_interval]))", "{{kind}}"),
    )  # fmt: skip


def _latency() -> object:
    bucket = "sum by (le) (rate(breakout_queryable_latency_seconds_bucket[$__rate_interval]))"
    return _lines(
        "From published to queryable", "Half and 99 of 100 records were queryable within this time.", "suffix:s",
        (f"histogram_quantile(0.5, {bucket})", "p50"),
        (f"histogram_quantile(0.99, {bucket})", "p99"),
    )  # fmt: skip


def _inserts() -> object:
    bucket = "sum by (le, table) (rate(breakout_insert_seconds_bucket[$__rate_interval]))"
    return _lines(
        "Time of inserts, p95 by table", "Of confirmed inserts.", "suffix:s",
        (f"histogram_quantile(0.95, {bucket})", "{{table}}"),
    )  # fmt: skip


def _rows_inserted() -> object:
    return _lines(
        "Rows inserted, by table", "Confirmed rows a second.", "cps",
        ("sum by (table) (rate(breakout_rows_inserted_total[$__rate_interval]))", "{{table}}"),
    )  # fmt: skip


def _failures() -> object:
    return _bars(
        "Failed inserts, by table", "Each is retried until it succeeds.",
        (occurred("breakout_insert_failures_total", "table"), "{{table}}"),
    )  # fmt: skip


def _requests() -> object:
    return _bars(
        "Requests to sources, by outcome", "What came of each HTTP request.",
        (counted("breakout_source_requests_total", "source, outcome"), "{{source}} {{outcome}}"),
    )  # fmt: skip


def _waits() -> object:
    return _lines(
        "Waiting for sources' rate limits", "Seconds waited in each second.", "suffix:s",
        ("sum by (source) (rate(breakout_source_wait_seconds_total[$__rate_interval]))", "{{source}}"),
        up_to=0.1,
    )  # fmt: skip


def _letters() -> object:
    return _bars(
        "Dead letters, by topic", "Records that could not be read; their bytes and reasons are in the dead-letter topic.",
        (occurred("breakout_dead_letters_total", "topic"), "{{topic}}"),
    )  # fmt: skip


def _errors() -> object:
    return rows(
        Head(
            "Running parts and their latest errors",
            About(
                "Their states, from their own heartbeats of the last day. A part is silent when it missed more than three and "
                "did not report that it stops.",
                (),
            ),
            "string",
            "No heartbeats to show",
        ),
        table(
            "SELECT toString(component) AS component, instance,\n"
            "    if(h.state != 'stopped' AND dateDiff('second', at, now64(3, 'UTC')) > 3 * interval_seconds,"
            " 'silent', toString(h.state)) AS state, at, last_error, last_error_at\n"
            "FROM heartbeats AS h FINAL\nWHERE at > now64(3, 'UTC') - INTERVAL 1 DAY\n"
            "ORDER BY state = 'silent' DESC, last_error_at DESC NULLS LAST, component, instance"
        ),
        columns=[
            Column("component", "Part", width=196),
            Column("instance", "Where", width=136),
            Column(
                "state",
                "State",
                width=84,
                colours={
                    "running": GOOD,
                    "idle": GOOD,
                    "waiting": WARNING,
                    "stopped": BELOW,
                    "silent": BAD,
                },
            ),
            Column("at", "Heartbeat", "dateTimeFromNow", width=124),
            Column("last_error", "Latest error"),
            Column("last_error_at", "When", "dateTimeFromNow", width=124),
        ],
    )


def _partitions() -> object:
    return _lines(
        "Partitions owned, by processor", "Each partition has one owner: the sum is constant.", "none",
        ("sum by (processor) (breakout_partitions_owned)", "{{processor}}"),
    )  # fmt: skip


def _state() -> object:
    return _lines(
        "Models in workers' memory, by processor", "Rebuilt from ClickHouse after every rebalance.", "none",
        ("sum by (processor) (breakout_state_models)", "{{processor}}"),
    )  # fmt: skip


def _crossings() -> object:
    return _bars(
        "Breakout events published", "Crossed, confirmed, ended, retracted; of the baseline live.",
        (counted('breakout_crossings_total{baseline="live"}', "status"), "{{status}}"),
        colours={"crossed": BURST, "confirmed": ABOVE, "ended": FELL, "retracted": BELOW},
    )  # fmt: skip


def _lines(
    title: str, meaning: str, unit: str, *queries: tuple[str, str], up_to: float | None = None
) -> object:
    return lines(
        Head(title, _own(meaning), unit, QUIET, up_to=up_to),
        *(promql(sql, legend, "ABC"[n]) for n, (sql, legend) in enumerate(queries)),
        source=PROMETHEUS_SOURCE,
    )


def _bars(
    title: str, meaning: str, *queries: tuple[str, str], colours: Mapping[str, str] | None = None
) -> object:
    return bars(
        Head(title, _own(meaning), "none", QUIET, up_to=1),
        *(promql(sql, legend, "ABC"[n]) for n, (sql, legend) in enumerate(queries)),
        colours=colours,
        source=PROMETHEUS_SOURCE,
    )
