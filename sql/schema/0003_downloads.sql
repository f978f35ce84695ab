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
    version UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Observations of the partition known when the row was written: the greatest wins',
    closing Bool DEFAULT true COMMENT 'Last of its day with a counter, among the rows written with it'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (model_id, source, observed_at)
COMMENT 'Observations of download counters with their clean series';

-- The last observation of every day, so that what is asked by day need not read every observation.
-- Of one day the latest moment wins, and of one moment the greater version, as in `downloads_log`: rows
-- that are restated, late or written twice end up the same, in any order.
CREATE TABLE closings_log
(
    source LowCardinality(String) COMMENT 'Whose counters: huggingface, modelscope',
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id as its hub spells it',
    day Date CODEC(DoubleDelta, ZSTD(1)) COMMENT 'UTC day',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of its last observation with a counter, UTC',
    cumulative UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Clean downloads then',
    standing Bool COMMENT 'Whether the raw counter equalled the one before',
    rank UInt128 COMMENT 'That moment in milliseconds, times 2 to the 64th, and the version of its row: the greatest wins'
)
ENGINE = ReplacingMergeTree(rank)
PARTITION BY toYYYYMM(day)
ORDER BY (source, model_id, day)
COMMENT 'Last observation of every model and day';

-- Of the rows a worker writes together, only the last of each day can be a closing: the feed takes in
-- those alone. Rows of a worker that does not say which they are count, all of them.
CREATE MATERIALIZED VIEW closings_feed TO closings_log
AS SELECT
    source, model_id, toDate(observed_at) AS day, observed_at,
    assumeNotNull(d.cumulative) AS cumulative, ifNull(d.standing, false) AS standing,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64) + version AS rank
FROM downloads_log AS d
WHERE closing AND d.cumulative IS NOT NULL
COMMENT 'Fills closings_log with every insert into downloads_log';
