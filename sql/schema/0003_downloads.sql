-- Written by the downloads processor.
-- A replay writes equal rows. Of two rows with one key the one with the greater version wins: it was written with
-- more observations known.
CREATE TABLE downloads_log
(
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id, as its hub spells it',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of the observation, UTC',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    origin LowCardinality(String) COMMENT 'How it was read: live, or the name of an archive',
    downloads_all_time Nullable(UInt64) CODEC(Delta, ZSTD(1))
        COMMENT 'Raw counter: downloads since creation; null = not reported',
    downloads_30d Nullable(UInt64) CODEC(Delta, ZSTD(1))
        COMMENT 'Raw counter: downloads in the 30 days before; never cumulative',
    likes Nullable(UInt64) CODEC(Delta, ZSTD(1)) COMMENT 'Likes at that moment',
    cumulative Nullable(UInt64) CODEC(Delta, ZSTD(1))
        COMMENT 'Clean downloads: running maximum of the raw counter by observation time',
    delta Nullable(UInt64) CODEC(T64, ZSTD(1)) COMMENT 'New downloads since the observation before; null for the first',
    revision Nullable(UInt64) CODEC(T64, ZSTD(1))
        COMMENT 'Fall of the raw counter since the observation before; null = it did not fall',
    standing Nullable(Bool)
        COMMENT 'Whether the raw counter is unchanged since the observation before; null for the first',
    jump Bool COMMENT 'Whether cumulative grew at least tenfold from at least 1000 since the observation before',
    version UInt64 CODEC(Delta, ZSTD(1))
        COMMENT 'Number of observations of the partition known when the row was written: the greatest wins',
    closing Bool DEFAULT true
        COMMENT 'Whether it is the last of its day with a counter, among the rows inserted together'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (model_id, source, observed_at)
COMMENT 'Observations of download counters with their clean series: one row per model, source and moment';

-- Lets queries by day read one row a day instead of every observation.
-- Of one day the latest moment wins, and of one moment the greater version, as in `downloads_log`: rows
-- that are restated, late or written twice give the same result in any order.
CREATE TABLE closings_log
(
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id, as its hub spells it',
    day Date CODEC(DoubleDelta, ZSTD(1)) COMMENT 'UTC day',
    observed_at DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1))
        COMMENT 'Moment of its last observation with a counter, UTC',
    cumulative UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Clean cumulative downloads at that moment',
    standing Bool COMMENT 'Whether the raw counter was unchanged since the observation before',
    rank UInt128
        COMMENT 'That moment in milliseconds, times 2 to the 64th, and the version of its row: the greatest wins'
)
ENGINE = ReplacingMergeTree(rank)
PARTITION BY toYYYYMM(day)
ORDER BY (source, model_id, day)
COMMENT 'Last observation of each day: one row per source, model and UTC day';

-- Of the rows that a worker inserts together, only the last of each day can be a closing: the feed reads
-- those rows alone. Rows written without `closing` all count.
CREATE MATERIALIZED VIEW closings_feed TO closings_log
AS SELECT
    source, model_id, toDate(observed_at) AS day, observed_at,
    assumeNotNull(d.cumulative) AS cumulative, ifNull(d.standing, false) AS standing,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64) + version AS rank
FROM downloads_log AS d
WHERE closing AND d.cumulative IS NOT NULL
COMMENT 'Fills closings_log with every insert into downloads_log';
