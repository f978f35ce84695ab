CREATE TABLE breakouts_log
(
    baseline LowCardinality(String) COMMENT 'Baseline that was passed',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model then',
    model_id String COMMENT 'Model id as its hub spells it',
    crossed_at DateTime64(3, 'UTC') COMMENT 'Moment of the whole-day age at which RAM reached 1.0, UTC',
    age_days UInt16 COMMENT 'That age',
    ram Float64 COMMENT 'RAM at that age',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First age after it with RAM below 0.9, UTC; null = still a breakout',
    retracted Bool COMMENT 'Restated away: no crossing any more',
    version UInt64 COMMENT 'Updates of the bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (baseline, size_bin, model_id)
COMMENT 'First crossings of 1.0x';

-- When each crossing was first written. An alert's labels must not change while it fires, and `breakouts_log`
-- keeps only the newest row of a crossing: so what was known first is kept here.
CREATE TABLE breakouts_found
(
    baseline LowCardinality(String) COMMENT 'Baseline that was passed',
    model_id String COMMENT 'Model id as its hub spells it',
    found SimpleAggregateFunction(min, Tuple(at DateTime64(3, 'UTC'), crossed_at DateTime64(3, 'UTC')))
        COMMENT 'When the crossing was first written, and the moment that it had then, UTC'
)
ENGINE = AggregatingMergeTree
ORDER BY (baseline, model_id)
COMMENT 'When each crossing was found';

CREATE MATERIALIZED VIEW breakouts_found_feed TO breakouts_found
AS SELECT baseline, model_id, min((now64(3, 'UTC'), crossed_at)) AS found
FROM breakouts_log
WHERE NOT retracted
GROUP BY baseline, model_id
COMMENT 'Fills breakouts_found with every insert into breakouts_log';
