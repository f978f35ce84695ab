CREATE TABLE breakouts_log
(
    baseline LowCardinality(String) COMMENT 'Baseline that was passed',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model at that moment',
    model_id String COMMENT 'Model id, as its hub spells it',
    crossed_at DateTime64(3, 'UTC') COMMENT 'Moment of the whole-day age at which RAM reached 1.0, UTC',
    age_days UInt16 COMMENT 'Age at the crossing, whole days',
    ram Float64 COMMENT 'RAM at that age',
    ended_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of the first age after it with RAM below 0.9, UTC; null = ongoing',
    confirmed_at Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of the first age, from the crossing on, with capped RAM of 1.0 or more, UTC; null = a burst',
    ram_capped Nullable(Float64)
        COMMENT 'RAM at the crossing with no day above 10 times the median day so far; null = too few days',
    top_day_share Nullable(Float64) COMMENT 'Share of the greatest day in the downloads up to the crossing',
    retracted Bool COMMENT 'Whether a restatement removed the crossing',
    version UInt64 COMMENT 'Number of updates of the size bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (baseline, size_bin, model_id)
COMMENT 'First crossings of 1.0x: one row per baseline, size bin and model';

-- An alert's labels must not change while it fires, and `breakouts_log` keeps only the newest row of a crossing.
CREATE TABLE breakouts_found
(
    baseline LowCardinality(String) COMMENT 'Baseline that was passed',
    model_id String COMMENT 'Model id, as its hub spells it',
    found SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), confirmed_at DateTime64(3, 'UTC')))
        COMMENT 'Moment at which the breakout was first written as confirmed, and confirmed_at as it was then, UTC'
)
ENGINE = AggregatingMergeTree
ORDER BY (baseline, model_id)
COMMENT 'Moments at which confirmed breakouts were found: one row per baseline and model';

CREATE MATERIALIZED VIEW breakouts_found_feed TO breakouts_found
AS SELECT baseline, model_id, min((now64(3, 'UTC'), assumeNotNull(confirmed_at))) AS found
FROM breakouts_log
WHERE NOT retracted AND confirmed_at IS NOT NULL
GROUP BY baseline, model_id
COMMENT 'Fills breakouts_found with every insert into breakouts_log';
