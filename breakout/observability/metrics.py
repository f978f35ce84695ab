"""Every Prometheus metric of every component, with its meaning.

Counters that alerts watch have all their label sets from the start, at 0: Prometheus sees no
increase in a series that begins above it.
"""

from prometheus_client import Counter, Gauge, Histogram

from breakout.contract.topics import TOPICS

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
    "HTTP requests to a source by what came of them: ok, rate_limited, client_error, "
    "server_error, broken",
    ["source", "outcome"],
)
SOURCE_WAIT_SECONDS = Counter(
    "breakout_source_wait_seconds_total",
    "Seconds spent waiting for a source's rate limit",
    ["source"],
)
SCRAPES = Counter(
    "breakout_scrapes_total",
    "Scrapes by result: complete, partial, failed",
    ["source", "result"],
)
SCRAPE_SECONDS = Histogram(
    "breakout_scrape_seconds",
    "Seconds a scrape took, from its first request to its last record",
    ["source"],
    buckets=(1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
)
SCRAPE_MODELS = Gauge("breakout_scrape_models", "Models in the latest scrape", ["source"])
SCRAPE_MISSING = Gauge(
    "breakout_scrape_missing_models",
    "Models the latest scrape wanted and did not get",
    ["source"],
)
LAST_SCRAPE = Gauge(
    "breakout_last_scrape_timestamp_seconds",
    "Unix time of the observation of the latest published scrape",
    ["source"],
)
COLLECTOR_TURN = Gauge(
    "breakout_collector_turn", "1 where this process is the one that runs the source", ["source"]
)
COLLECTOR_NEXT_RUN = Gauge(
    "breakout_collector_next_run_timestamp_seconds",
    "Unix time at which this process runs the source next",
    ["source"],
)
PUBLISHED = Counter(
    "breakout_published_records_total", "Records that Kafka acknowledged", ["topic"]
)

# Stream processors.
RECORDS = Counter("breakout_records_total", "Records a worker has finished with", ["topic"])
OBSERVATIONS = Counter(
    "breakout_observations_total",
    "Observations by what they were: new, late, or duplicate (known already, nothing changed)",
    ["kind"],
)
ROWS_INSERTED = Counter("breakout_rows_inserted_total", "Rows that ClickHouse confirmed", ["table"])
INSERT_SECONDS = Histogram(
    "breakout_insert_seconds", "Seconds of one confirmed insert", ["table"], buckets=SECONDS
)
INSERT_FAILURES = Counter(
    "breakout_insert_failures_total",
    "Inserts that failed and were retried",
    ["table"],
)
for _table in (
    "baselines_log",
    "breakouts_log",
    "dead_letters",
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
    "Seconds from a batch's first record to its acknowledgement",
    ["processor"],
    buckets=SECONDS,
)
QUERYABLE_LATENCY = Histogram(
    "breakout_queryable_latency_seconds",
    "Seconds from a record's Kafka timestamp until its rows could be queried",
    ["processor"],
    buckets=SECONDS,
)
DEAD_LETTERS = Counter(
    "breakout_dead_letters_total",
    "Records sent to the dead-letter topic, by the topic or the source they came from",
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
    "Tombstones a worker has read in compacted topics: each deletes its key there, and no rows",
    ["topic"],
)
POSITIONS_LOST = Counter(
    "breakout_positions_lost_total",
    "Partitions read again from the start, or from where records were deleted, by why: beyond_end "
    "(the position lay beyond the log's end), other_log (another record than before it), deleted",
    ["topic", "why"],
)
REVISIONS = Counter("breakout_counter_revisions_total", "Observations whose raw counter had fallen")
JUMPS = Counter("breakout_counter_jumps_total", "Observations flagged as a jump of the counter")
BREAKOUTS = Counter(
    "breakout_crossings_total",
    "Breakout events published: crossed, ended, retracted",
    ["baseline", "status"],
)
for _status in ("crossed", "ended", "retracted"):
    BREAKOUTS.labels("live", _status)
PARTITIONS_OWNED = Gauge(
    "breakout_partitions_owned", "Partitions assigned to this worker", ["processor"]
)
STATE_MODELS = Gauge("breakout_state_models", "Models in this worker's memory", ["processor"])
STATE_LOAD_SECONDS = Histogram(
    "breakout_state_load_seconds",
    "Seconds to rebuild a partition's state from ClickHouse",
    ["processor"],
    buckets=SECONDS,
)

# The API.
API_REQUESTS = Counter(
    "breakout_api_requests_total",
    "Requests by route and status; broken: the answer did not end whole",
    ["route", "status"],
)
API_SECONDS = Histogram(
    "breakout_api_seconds",
    "Seconds from a request to the end of its answer",
    ["route"],
    buckets=SECONDS,
)
API_BYTES = Counter("breakout_api_bytes_total", "Bytes of answers", ["route"])
API_REFUSED = Counter(
    "breakout_api_refused_total",
    "Requests refused before they were looked at: by rate, by the cost of queries, or for a wrong "
    "key",
    ["why"],
)
API_CUT = Counter(
    "breakout_api_cut_total",
    "Connections ended by the API: request (it did not come whole in time), stalled or slow (its "
    "answer was not read), too many (of one address)",
    ["why"],
)
API_RUNNING = Gauge("breakout_api_running_requests", "Requests that are being answered")
API_SHARED = Counter(
    "breakout_api_shared_total", "Queries spared: somebody had asked the same just before"
)
API_READERS = Gauge("breakout_api_readers", "Web pages that follow the news")
