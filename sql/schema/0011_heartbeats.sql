-- Read by `breakout status`.
CREATE TABLE heartbeats
(
    component LowCardinality(String) COMMENT 'collector:SOURCE, or worker',
    instance String COMMENT 'Host name and process id',
    at DateTime64(3, 'UTC') COMMENT 'Moment of the heartbeat, UTC',
    interval_seconds Float64 COMMENT 'Seconds until the next heartbeat; a component that misses several is down',
    state LowCardinality(String) COMMENT 'State: running, idle, waiting, stopped',
    last_error Nullable(String) COMMENT 'Latest error',
    last_error_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of the latest error, UTC',
    metrics_address Nullable(String) COMMENT 'Address of its Prometheus metrics; null = not served'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (component, instance)
TTL toDateTime(at) + INTERVAL 7 DAY
COMMENT 'Latest heartbeats: one row per component and process';
