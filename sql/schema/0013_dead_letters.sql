-- The records themselves are in the dead-letter topic.
-- Workers count rejected records of a partition from this table, also after a restart.
CREATE TABLE dead_letters
(
    topic LowCardinality(String) COMMENT 'Topic of the record',
    partition UInt32 COMMENT 'Partition of the record',
    offset Int64 COMMENT 'Offset of the record',
    component LowCardinality(String) COMMENT 'Processor that rejected it',
    error String COMMENT 'What is wrong, and where',
    failed_at DateTime64(3, 'UTC') COMMENT 'Moment of the rejection, UTC'
)
ENGINE = ReplacingMergeTree(failed_at)
ORDER BY (topic, partition, offset)
TTL toDateTime(failed_at) + INTERVAL 30 DAY
COMMENT 'Records that workers rejected within the last 30 days: one row per record';
