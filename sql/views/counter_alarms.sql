-- The thresholds of `breakout status` and of the alert rule breakout-counters: half of at least 20 busy models are held, or
-- a tenth has fallen. Judged by the latest day, of today and yesterday, on which so many were observed.
CREATE OR REPLACE VIEW counter_alarms
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    age_band LowCardinality(String)
        COMMENT 'Creation of the repository: before 2023, 2023-2024, 2025 and after; unknown = the hub states none',
    alarm LowCardinality(String) COMMENT 'held or fallen, as in counter_health',
    firing Bool COMMENT 'Whether the share reaches the threshold',
    share Float64 COMMENT 'Share of the busy models',
    threshold Float64 COMMENT 'Share from which on it fires',
    hours Nullable(Float64) COMMENT 'Median time that the counters of those held are unchanged; null for fallen',
    busy UInt64 COMMENT 'Number of busy models',
    day Date COMMENT 'UTC day'
)
AS SELECT
    source, age_band, one.1 AS alarm, share >= threshold AS firing, one.2 AS share, one.3 AS threshold, one.4 AS hours,
    busy, day
FROM
(
    SELECT *
    FROM counter_health_since(since = toDate(now('UTC')) - 1)
    WHERE busy >= 20
    ORDER BY day DESC
    LIMIT 1 BY source, age_band
)
ARRAY JOIN
[
    ('held', held / busy, 0.5, held_hours), ('fallen', fallen / busy, 0.1, NULL)
] AS one
ORDER BY source, age_band, alarm
COMMENT 'Whether hubs fail to renew many counters now, or roll them back: one row per source, age band and alarm';
