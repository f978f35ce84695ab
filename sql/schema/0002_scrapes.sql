-- Per scrape and Kafka partition, so that workers that share a scrape do not meet.
CREATE TABLE scrapes_log
(
    source LowCardinality(String) COMMENT 'Whose counters',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of the scrape, UTC',
    partition UInt16 COMMENT 'Kafka partition of these models',
    models UInt32 COMMENT 'Observations of the scrape in this partition',
    compared UInt32 COMMENT 'Those with an earlier observation to compare with',
    standing UInt32 COMMENT 'Those whose raw counter equals the one before',
    complete Bool COMMENT 'Whether the scrape got all it wanted',
    version UInt64 COMMENT 'Observations of the partition known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, observed_at, partition)
COMMENT 'Scrapes by partition: how many observations, how many stood still';

CREATE TABLE scrape_missing
(
    source LowCardinality(String) COMMENT 'Whose counters',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the scrape, UTC',
    model_id String COMMENT 'Model the scrape wanted',
    reason String COMMENT 'Why it did not get it'
)
ENGINE = ReplacingMergeTree
ORDER BY (source, observed_at, model_id)
COMMENT 'What each scrape wanted and did not get';
