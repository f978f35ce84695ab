-- Lets an interrupted backfill continue where it stopped.
CREATE TABLE backfills
(
    source LowCardinality(String) COMMENT 'Source of the counters',
    origin LowCardinality(String) COMMENT 'Archive',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the snapshot, UTC',
    digest UInt64
        COMMENT 'Digest of the snapshot for a file given by the user, since files may share moments; 0 for an archive',
    models UInt32 COMMENT 'Number of models published',
    published_at DateTime64(3, 'UTC') COMMENT 'Moment at which Kafka had acknowledged all of it, UTC'
)
ENGINE = ReplacingMergeTree(published_at)
ORDER BY (source, origin, observed_at, digest)
COMMENT 'Snapshots of archives that were published completely: one row per source, archive and snapshot';
