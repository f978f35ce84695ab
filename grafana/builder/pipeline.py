"""Pipeline: whether the numbers are fresh, and what is wrong where they are not."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.builder.colours import BAD, GOOD, WARNING
from grafana.builder.layout import Section, place
from grafana.builder.panels import Column, Head, bars, lines, number, rows
from grafana.builder.provenance import About
from grafana.builder.queries import PROMETHEUS_SOURCE, promql, table

OWN = "Breakout's own metrics, scraped by Prometheus."
QUIET = "Prometheus has no such metric yet: is anything scraped?"
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
        ],
    )


def _own(meaning: str) -> About:
    return About(f"{meaning} {OWN}", ())


def _oldest() -> object:
    return number(
        Head(
            "Oldest source: time since its latest scrape",
            _own("Of the sources collected here."),
            "s",
            QUIET,
        ),
        promql("max(time() - breakout_last_scrape_timestamp_seconds)"),
        steps=[(None, GOOD), (2 * DAY, WARNING), (8 * DAY, BAD)],
        source=PROMETHEUS_SOURCE,
        series=True,
    )


def _latency_now() -> object:
    return number(
        Head(
            "Published to queryable, p99 of the last 5 minutes",
            _own("Seconds from a record's Kafka timestamp until its rows could be queried."),
            "s",
            "Nothing was published in the last 5 minutes",
        ),
        promql(
            "histogram_quantile(0.99, sum by (le) (rate(breakout_queryable_latency_seconds_bucket[5m])))"
        ),
        steps=[(None, GOOD), (5, WARNING), (60, BAD)],
        source=PROMETHEUS_SOURCE,
        series=True,
    )


def _letters_now() -> object:
    return number(
        Head("Dead letters of the last hour", _own("Records nobody could read."), "none", QUIET),
        promql("sum(increase(breakout_dead_letters_total[1h]))"),
        steps=[(None, GOOD), (1, BAD)],
        source=PROMETHEUS_SOURCE,
        series=True,
    )


def _failures_now() -> object:
    return number(
        Head(
            "Failed inserts of the last hour",
            _own("Each is tried again until it succeeds."),
            "none",
            QUIET,
        ),
        promql("sum(increase(breakout_insert_failures_total[1h]))"),
        steps=[(None, GOOD), (1, WARNING), (100, BAD)],
        source=PROMETHEUS_SOURCE,
        series=True,
    )


def _sources() -> object:
    return rows(
        Head(
            "How old each source's latest numbers are",
            About("As the tables have them.", ()),
            "string",
            "No source is known",
        ),
        table(
            "SELECT title, as_of, dateDiff('second', as_of, now64(3, 'UTC')) AS age, licence FROM sources\n"
            "ORDER BY age DESC NULLS LAST, title"
        ),
        columns=[
            Column("title", "Source"),
            Column("as_of", "As of", "dateTimeAsIso", width=180),
            Column("age", "Age", "s", 0, 130),
            Column("licence", "Licence or terms"),
        ],
    )


def _runs() -> object:
    return rows(
        Head(
            "Scrapes: how many models, and whether complete",
            About("The latest 100 scrapes of the time shown, as the tables have them.", ()),
            "string",
            "No scrape in the time shown",
        ),
        table(
            "SELECT observed_at, toString(source) AS source, models, complete, stalled FROM scrapes\n"
            "WHERE $__timeFilter(observed_at)\nORDER BY observed_at DESC, source\nLIMIT 100"
        ),
        columns=[
            Column("observed_at", "Scrape", "dateTimeAsIso", width=180),
            Column("source", "Source"),
            Column("models", "Models", "locale", 0, 100),
            Column("complete", "Complete", "bool_yes_no", width=100),
            Column("stalled", "Stalled", "bool_yes_no", width=100),
        ],
    )


def _age() -> object:
    return _lines(
        "Time since each source's latest scrape", "It falls at every scrape.", "s",
        ("max by (source) (time() - breakout_last_scrape_timestamp_seconds)", "{{source}}"),
    )  # fmt: skip


def _missing() -> object:
    return _lines(
        "Models that the latest scrape wanted and did not get", "By source.", "none",
        ("max by (source) (breakout_scrape_missing_models)", "{{source}}"),
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
        "From published to queryable", "Half and 99 of 100 records were queryable within this time.", "s",
        (f"histogram_quantile(0.5, {bucket})", "p50"),
        (f"histogram_quantile(0.99, {bucket})", "p99"),
    )  # fmt: skip


def _inserts() -> object:
    bucket = "sum by (le, table) (rate(breakout_insert_seconds_bucket[$__rate_interval]))"
    return _lines(
        "Time of inserts, p95 by table", "Of confirmed inserts.", "s",
        (f"histogram_quantile(0.95, {bucket})", "{{table}}"),
    )  # fmt: skip


def _rows_inserted() -> object:
    return _lines(
        "Rows inserted, by table", "Confirmed rows a second.", "cps",
        ("sum by (table) (rate(breakout_rows_inserted_total[$__rate_interval]))", "{{table}}"),
    )  # fmt: skip


def _failures() -> object:
    return _bars(
        "Failed inserts, by table", "Each is tried again until it succeeds.",
        ("sum by (table) (increase(breakout_insert_failures_total[$__rate_interval]))", "{{table}}"),
    )  # fmt: skip


def _requests() -> object:
    return _bars(
        "Requests to sources, by outcome", "What came of each HTTP request.",
        (
            "sum by (source, outcome) (increase(breakout_source_requests_total[$__rate_interval]))",
            "{{source}} {{outcome}}",
        ),
    )  # fmt: skip


def _waits() -> object:
    return _lines(
        "Waiting for sources' rate limits", "Seconds waited in each second.", "s",
        ("sum by (source) (rate(breakout_source_wait_seconds_total[$__rate_interval]))", "{{source}}"),
    )  # fmt: skip


def _letters() -> object:
    return _bars(
        "Dead letters, by topic", "Records nobody could read; their bytes and reasons are in the dead-letter topic.",
        ("sum by (topic) (increase(breakout_dead_letters_total[$__rate_interval]))", "{{topic}}"),
    )  # fmt: skip


def _errors() -> object:
    return rows(
        Head(
            "Every running part: its state and its latest error",
            About("From the parts' own heartbeats of the last day.", ()),
            "string",
            "No part has said that it runs in the last day",
        ),
        table(
            "SELECT toString(component) AS component, instance, toString(state) AS state, at, last_error, last_error_at\n"
            "FROM heartbeats FINAL\nWHERE at > now64(3, 'UTC') - INTERVAL 1 DAY\n"
            "ORDER BY last_error_at DESC NULLS LAST, component, instance"
        ),
        columns=[
            Column("component", "Part", width=190),
            Column("instance", "Where", width=190),
            Column(
                "state",
                "State",
                width=90,
                colours={"running": GOOD, "idle": GOOD, "waiting": WARNING, "stopped": BAD},
            ),
            Column("at", "Said so", "dateTimeFromNow", width=140),
            Column("last_error", "Latest error"),
            Column("last_error_at", "When", "dateTimeFromNow", width=140),
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
        "Breakout events published", "Crossed, ended, retracted; of the baseline live.",
        (
            'sum by (status) (increase(breakout_crossings_total{baseline="live"}[$__rate_interval]))',
            "{{status}}",
        ),
    )  # fmt: skip


def _lines(title: str, meaning: str, unit: str, *queries: tuple[str, str]) -> object:
    return lines(
        Head(title, _own(meaning), unit, QUIET),
        *(promql(sql, legend, "ABC"[n]) for n, (sql, legend) in enumerate(queries)),
        source=PROMETHEUS_SOURCE,
    )


def _bars(title: str, meaning: str, *queries: tuple[str, str]) -> object:
    return bars(
        Head(title, _own(meaning), "none", QUIET),
        *(promql(sql, legend, "ABC"[n]) for n, (sql, legend) in enumerate(queries)),
        source=PROMETHEUS_SOURCE,
    )
