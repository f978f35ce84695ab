-- Cumulative downloads at whole-day ages, as the score processor has them.
CREATE TABLE points_log
(
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    age_days UInt16 COMMENT 'Whole days since 00:00 UTC of the release date',
    model_id String COMMENT 'Model id as its hub spells it',
    cumulative Nullable(UInt64) CODEC(Delta, ZSTD(1)) COMMENT 'Clean cumulative downloads at that age; null = taken back',
    as_of DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of that age, UTC',
    version UInt64 COMMENT 'Updates of the bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (size_bin, age_days, model_id)
COMMENT 'Cumulative downloads at whole-day ages';

CREATE TABLE latest_log
(
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    model_id String COMMENT 'Model id as its hub spells it',
    released_at Nullable(Date) COMMENT 'Day 0 of the age, 00:00 UTC; null = the model left the bin',
    tracked Bool COMMENT 'Whether it counts among the peers',
    observed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest observation, UTC',
    cumulative Nullable(UInt64) COMMENT 'Clean cumulative downloads then',
    scored_since DateTime64(3, 'UTC') COMMENT 'When the registry last changed what scoring needs, UTC',
    known UInt64 COMMENT 'Observations of the partition the downloads processor knew',
    version UInt64 COMMENT 'Updates of the bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (size_bin, model_id)
COMMENT 'Latest clean cumulative of each scored model';

CREATE TABLE baselines_log
(
    baseline LowCardinality(String) COMMENT 'live, live_fixed, live_cutoff, or the name of a frozen one',
    size_bin LowCardinality(String) COMMENT 'Size bin',
    age_days UInt16 COMMENT 'Whole days since release',
    peers UInt8 COMMENT 'Models the value rests on, 10 at most',
    downloads Nullable(Float64) COMMENT 'Cumulative downloads at which RAM is 1.0; null with fewer than 10 peers',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest moment among the points it rests on, UTC',
    version UInt64 COMMENT 'Updates of the bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (baseline, size_bin, age_days)
COMMENT 'Baselines of the Relative Adoption Metric';

CREATE TABLE frozen_baselines
(
    baseline String COMMENT 'Name of the frozen baseline',
    frozen_at DateTime64(3, 'UTC') COMMENT 'When it was frozen, UTC',
    method LowCardinality(String) COMMENT 'Built-in baseline it copies'
)
ENGINE = ReplacingMergeTree
ORDER BY baseline
COMMENT 'Names of the frozen baselines';
