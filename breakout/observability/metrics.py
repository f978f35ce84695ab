"""Every Prometheus metric of every component.

Counters that alerts watch are created with all their labels at 0: Prometheus sees no increase in a
series that starts above 0.
"""

from prometheus_client import Counter, Gauge, Histogram

from breakout.contract.topics import TOPICS
from breakout.core.counters import State

SECONDS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    900.0,
)

# Collectors.
SOURCE_REQUESTS = Counter(
    "breakout_source_requests_total",
    "HTTP requests to a source by outcome: ok, rate_limited, client_error, server_error, broken (no"
    " valid response)",
    ["source", "outcome"],
)
SOURCE_WAIT_SECONDS = Counter(
    "breakout_source_wait_seconds_total",
    "Seconds spent waiting for the rate limit of a source",
    ["source"],
)
SCRAPES = Counter(
    "breakout_scrapes_total",
    "Scrapes by result: complete, partial, failed",
    ["source", "result"],
)
SCRAPE_SECONDS = Histogram(
    "breakout_scrape_seconds",
    "Seconds of a scrape, from its first request to its last acknowledged record",
    ["source"],
    buckets=(1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
)
SCRAPE_MODELS = Gauge("breakout_scrape_models", "Models in the latest scrape", ["source"])
SCRAPE_MISSING = Gauge(
    "breakout_scrape_missing_models",
    "Models missing from the latest scrape",
    ["source"],
)
LAST_SCRAPE = Gauge(
    "breakout_last_scrape_timestamp_seconds",
    "Unix time at which the latest published scrape was observed",
    ["source"],
)
COLLECTOR_LEADER = Gauge(
    "breakout_collector_leader",
    "1 if this process holds the leader lease of the source, 0 otherwise",
    ["source"],
)
COLLECTOR_NEXT_RUN = Gauge(
    "breakout_collector_next_run_timestamp_seconds",
    "Unix time of the next run of the source in this process",
    ["source"],
)
PUBLISHED = Counter(
    "breakout_published_records_total", "Records that Kafka acknowledged", ["topic"]
)

# Stream processors.
RECORDS = Counter("breakout_records_total", "Records that a worker processed", ["topic"])
OBSERVATIONS = Counter(
    "breakout_observations_total",
    "Observations by kind: new, late, or duplicate (already stored, nothing changed)",
    ["kind"],
)
ROWS_INSERTED = Counter("breakout_rows_inserted_total", "Rows that ClickHouse confirmed", ["table"])
INSERT_SECONDS = Histogram(
    "breakout_insert_seconds", "Seconds of a confirmed insert", ["table"], buckets=SECONDS
)
INSERT_FAILURES = Counter(
    "breakout_insert_failures_total",
    "Inserts that failed and were retried",
    ["table"],
)
for _table in (
    "baselines_log",
    "breakouts_log",
    "daily_log",
    "daily_superseded",
    "dead_letters",
    "derivative_listings",
    "derivatives_log",
    "downloads_log",
    "inference_log",
    "latest_log",
    "lineage_log",
    "models_log",
    "names_log",
    "points_log",
    "ratings_log",
    "scrape_missing",
    "scrapes_log",
):
    INSERT_FAILURES.labels(_table)
BATCH_SECONDS = Histogram(
    "breakout_batch_seconds",
    "Seconds from the first record of a batch to its acknowledgement",
    ["processor"],
    buckets=SECONDS,
)
QUERYABLE_LATENCY = Histogram(
    "breakout_queryable_latency_seconds",
    "Seconds from the Kafka timestamp of a record until its rows can be queried",
    ["processor"],
    buckets=SECONDS,
)
DEAD_LETTERS = Counter(
    "breakout_dead_letters_total",
    "Records sent to the dead-letter topic, by their original topic or source",
    ["topic"],
)
for _origin in (
    *(topic.name for topic in TOPICS),
    "arena",
    "artificial-analysis",
    "huggingface",
    "modelscope",
    "openrouter",
):
    DEAD_LETTERS.labels(_origin)
TOMBSTONES = Counter(
    "breakout_tombstones_total",
    "Tombstones read from compacted topics: each deletes its key from the topic, but no rows",
    ["topic"],
)
POSITIONS_LOST = Counter(
    "breakout_positions_lost_total",
    "Partitions read again, by reason: beyond_end (the position was beyond the end of the log), "
    "other_log (it follows another record than the last one read), deleted",
    ["topic", "why"],
)
OBSERVATION_STATES = Counter(
    "breakout_observation_states_total",
    "Observations written, by what they are to their series: first, rise, between, idle, held, "
    "rollback, correction. One whose state a later observation changes counts again",
    ["state"],
)
for _state in State:
    OBSERVATION_STATES.labels(_state.name.lower())
BREAKOUTS = Counter(
    "breakout_crossings_total",
    "Breakout events published: crossed, confirmed, ended, retracted",
    ["baseline", "status"],
)
for _status in ("crossed", "confirmed", "ended", "retracted"):
    BREAKOUTS.labels("live", _status)
PARTITIONS_OWNED = Gauge(
    "breakout_partitions_owned", "Partitions assigned to the worker", ["processor"]
)
STATE_MODELS = Gauge("breakout_state_models", "Models in the memory of the worker", ["processor"])
STATE_LOAD_SECONDS = Histogram(
    "breakout_state_load_seconds",
    "Seconds to rebuild the state of a partition from ClickHouse",
    ["processor"],
    buckets=SECONDS,
)

# The API.
API_REQUESTS = Counter(
    "breakout_api_requests_total",
    "Requests by route and status; broken = the response was cut off",
    ["route", "status"],
)
API_SECONDS = Histogram(
    "breakout_api_seconds",
    "Seconds from a request to the end of its response",
    ["route"],
    buckets=SECONDS,
)
API_BYTES = Counter("breakout_api_bytes_total", "Bytes of response bodies", ["route"])
API_REFUSED = Counter(
    "breakout_api_refused_total",
    "Requests rejected by a limit: rate (requests), cost (query time), or key (an unknown API key)",
    ["why"],
)
API_CUT = Counter(
    "breakout_api_cut_total",
    "Connections closed by the API: request (not received in time), stalled or slow (the response "
    "was not read in time), too many (connections of one address)",
    ["why"],
)
API_RUNNING = Gauge("breakout_api_running_requests", "Requests in progress")
API_SHARED = Counter(
    "breakout_api_shared_total",
    "Queries saved by the answer cache, or because several requests shared one",
)
API_READERS = Gauge("breakout_api_readers", "Web pages subscribed to live updates")
