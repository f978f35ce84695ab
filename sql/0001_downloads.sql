-- Observations of download counters, as the downloads processor writes them.
-- One row per (model_id, source, observed_at). A replay writes equal rows; of two rows with
-- one key the one with the greater version, which knew more observations, wins.
CREATE TABLE downloads_log
(
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id as its hub spells it',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of the observation, UTC',
    source LowCardinality(String) COMMENT 'Whose counters: huggingface, modelscope',
    origin LowCardinality(String) COMMENT 'How they were read: live, or the name of an archive',
    downloads_all_time Nullable(UInt64) CODEC(Delta, ZSTD(1)) COMMENT 'Raw counter: downloads since creation; null = not said',
    downloads_30d Nullable(UInt64) CODEC(Delta, ZSTD(1)) COMMENT 'Raw counter: downloads in the 30 days before; never cumulative',
    likes Nullable(UInt64) CODEC(Delta, ZSTD(1)) COMMENT 'Likes at that moment',
    cumulative Nullable(UInt64) CODEC(Delta, ZSTD(1)) COMMENT 'Clean downloads: running maximum of the raw counter by observation time',
    delta Nullable(UInt64) CODEC(T64, ZSTD(1)) COMMENT 'New downloads since the observation before; null for the first',
    revision Nullable(UInt64) CODEC(T64, ZSTD(1)) COMMENT 'How far the raw counter fell since the observation before; null = it did not',
    standing Nullable(Bool) COMMENT 'Whether the raw counter equals the one before; null for the first',
    jump Bool COMMENT 'Cumulative grew at least tenfold from at least 1000 since the observation before',
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Observations of the partition known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (model_id, source, observed_at)
COMMENT 'Observations of download counters with their clean series';
