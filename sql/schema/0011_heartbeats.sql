-- Every running part says how it is, for `breakout status`.
CREATE TABLE heartbeats
(
    component LowCardinality(String) COMMENT 'collector of a source, or worker',
    instance String COMMENT 'Host and process',
    at DateTime64(3, 'UTC') COMMENT 'When it said so, UTC',
    interval_seconds Float64 COMMENT 'Seconds until it says so again: silence of several means it is down',
    state LowCardinality(String) COMMENT 'running, idle, waiting, stopped',
    last_error Nullable(String) COMMENT 'Its latest error',
    last_error_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When that was, UTC',
    metrics_address Nullable(String) COMMENT 'Where Prometheus can read it'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (component, instance)
TTL toDateTime(at) + INTERVAL 7 DAY
COMMENT 'Latest sign of life of every running part';
