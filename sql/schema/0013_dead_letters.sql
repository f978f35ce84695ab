-- Which records a worker could not read: the bytes are in Kafka's dead-letter topic, the place and reason here.
-- Workers count by it how many of a partition's latest records were unreadable, also after a restart.
CREATE TABLE dead_letters
(
    topic LowCardinality(String) COMMENT 'Topic the record came from',
    partition UInt32 COMMENT 'Partition it came from',
    offset Int64 COMMENT 'Offset it had there',
    component LowCardinality(String) COMMENT 'Processor that could not read it',
    error String COMMENT 'What is wrong where',
    failed_at DateTime64(3, 'UTC') COMMENT 'When that was, UTC'
)
ENGINE = ReplacingMergeTree(failed_at)
ORDER BY (topic, partition, offset)
TTL toDateTime(failed_at) + INTERVAL 30 DAY
COMMENT 'Records that workers could not read within the last 30 days';
