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
    state LowCardinality(Nullable(String))
        COMMENT 'first, rise, between, idle, held, rollback or correction; null = no counter since creation',
    correction Nullable(UInt64) CODEC(T64, ZSTD(1))
        COMMENT 'Downloads that a correction took away; null in any other state',
    knot_since Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of the later observation that made it a knot, UTC; null = a knot from the start, or none',
    knot_until Nullable(DateTime64(3, 'UTC'))
        COMMENT 'Moment of the later observation since which it is no knot, UTC; null = still a knot, or never one',
    opening Nullable(UInt64) CODEC(Delta, ZSTD(1))
        COMMENT 'Cumulative downloads at 00:00 UTC of its day; null = no knot, or the first day of the series',
    version UInt64 CODEC(Delta, ZSTD(1))
        COMMENT 'Number of observations of the partition known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (model_id, source, observed_at)
COMMENT 'Observations of download counters and their states: one row per model, source and moment';

CREATE TABLE daily_log
(
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id, as its hub spells it',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    day Date CODEC(DoubleDelta, ZSTD(1)) COMMENT 'UTC day',
    cumulative UInt64 CODEC(Delta, ZSTD(1)) COMMENT 'Cumulative downloads at the end of the day, 24:00 UTC',
    downloads Nullable(UInt64) CODEC(T64, ZSTD(1))
        COMMENT 'Downloads within the day; null on the first day, which is partial',
    correction UInt64 CODEC(T64, ZSTD(1)) COMMENT 'Downloads that corrections within the day took away',
    basis LowCardinality(String) COMMENT 'What the row rests on: observed, held or gap',
    known_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'Moment of the observation since which it is known, UTC',
    withdrawn UInt8 COMMENT '1 = a restatement removed the row',
    version UInt64 CODEC(Delta, ZSTD(1))
        COMMENT 'Number of observations of the partition known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version, withdrawn)
ORDER BY (model_id, source, day)
COMMENT 'The daily grid: one row per model, source and UTC day';

-- Lets a past moment be computed exactly: what was known then is in `daily_log` with an earlier `known_at`, or here.
CREATE TABLE daily_superseded
(
    model_id String CODEC(ZSTD(1)) COMMENT 'Model id, as its hub spells it',
    source LowCardinality(String) COMMENT 'Source of the counters: huggingface, modelscope',
    day Date COMMENT 'UTC day',
    known_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation since which it was known, UTC',
    superseded_at DateTime64(3, 'UTC') COMMENT 'Moment of the observation that replaced or removed it, UTC',
    cumulative UInt64 COMMENT 'Cumulative downloads at the end of the day, 24:00 UTC',
    downloads Nullable(UInt64) COMMENT 'Downloads within the day; null on the first day, which is partial',
    correction UInt64 COMMENT 'Downloads that corrections within the day took away',
    basis LowCardinality(String) COMMENT 'What the row rested on: observed, held or gap',
    withdrawn UInt8 COMMENT '1 = a restatement removed the row',
    version UInt64
        COMMENT 'Number of observations of the partition known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version, withdrawn)
ORDER BY (model_id, source, day, known_at)
COMMENT 'Rows of the daily grid that later observations replaced: one row per model, source, UTC day and known_at';
