-- Written by the downloads processor. A slice is repeated as it was, so no count needs a state.
CREATE TABLE scrapes_log
(
    source LowCardinality(String) COMMENT 'Source of the counters',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of the scrape, UTC',
    scrape_id String COMMENT 'Id of the scrape, the same on a rerun',
    partition UInt16 COMMENT 'Kafka partition of these models',
    slice UInt32 COMMENT 'Number of the slice within the scrape',
    models UInt32 COMMENT 'Number of observations in the slice',
    complete Bool COMMENT 'Whether no wanted model is missing'
)
ENGINE = ReplacingMergeTree
ORDER BY (source, observed_at, scrape_id, partition, slice)
COMMENT 'Slices of scrapes: one row per source, scrape, Kafka partition and slice';

CREATE TABLE scrape_missing
(
    source LowCardinality(String) COMMENT 'Source of the counters',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the scrape, UTC',
    model_id String COMMENT 'Model that the scrape wanted',
    reason String COMMENT 'Why it is missing'
)
ENGINE = ReplacingMergeTree
ORDER BY (source, observed_at, model_id)
COMMENT 'Models missing from scrapes: one row per source, scrape and model';
