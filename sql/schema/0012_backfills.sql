-- What was published of archives, so that an interrupted backfill goes on where it was.
CREATE TABLE backfills
(
    source LowCardinality(String) COMMENT 'Whose counters',
    origin LowCardinality(String) COMMENT 'Archive they were read from',
    observed_at DateTime64(3, 'UTC') COMMENT 'Moment of the snapshot, UTC',
    digest UInt64 COMMENT 'Of a file of one''s own: a digest of the snapshot''s content, since files may share moments; 0 of an archive',
    models UInt32 COMMENT 'Models published',
    published_at DateTime64(3, 'UTC') COMMENT 'When Kafka had acknowledged all of it, UTC'
)
ENGINE = ReplacingMergeTree(published_at)
ORDER BY (source, origin, observed_at, digest)
COMMENT 'Snapshots of archives that were published whole';
