-- One row per Kafka partition, so that workers that share a scrape never write the same key.
CREATE TABLE scrapes_log
(
    source LowCardinality(String) COMMENT 'Source of the counters',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of the scrape, UTC',
    partition UInt16 COMMENT 'Kafka partition of these models',
    models UInt32 COMMENT 'Number of observations of the scrape in this partition',
    compared UInt32 COMMENT 'Number of those with an earlier observation',
    standing UInt32 COMMENT 'Number of those whose raw counter is unchanged',
    complete Bool COMMENT 'Whether no wanted model is missing',
    version UInt64 COMMENT 'Number of observations of the partition known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, observed_at, partition)
COMMENT 'Counts of observations and of unchanged counters: one row per source, scrape and Kafka partition';

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
