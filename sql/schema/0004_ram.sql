-- Written by the RAM processor.
CREATE TABLE points_log
(
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    age_days UInt16 COMMENT 'Whole days since 00:00 UTC of the release date',
    model_id String COMMENT 'Model id, as its hub spells it',
    cumulative Nullable(UInt64) CODEC(Delta, ZSTD(1))
        COMMENT 'Cumulative downloads at that age; null = no point: withdrawn, or in a gap',
    downloads Nullable(UInt64) CODEC(T64, ZSTD(1))
        COMMENT 'Downloads of the day that ends at that age; null = withdrawn, or the partial first day of the series',
    capped Nullable(UInt64) CODEC(Delta, ZSTD(1))
        COMMENT 'Cumulative downloads with no day above 10 times the median day so far; null = too few days, or no point',
    as_of DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)) COMMENT 'Moment of that age, UTC',
    version UInt64 COMMENT 'Number of updates of the size bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (size_bin, model_id, age_days)
COMMENT 'Cumulative downloads at whole-day ages, and the days between: one row per size bin, model and age';

CREATE TABLE latest_log
(
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    model_id String COMMENT 'Model id, as its hub spells it',
    released_at Nullable(Date) COMMENT 'Release date: day 0 of the age, 00:00 UTC; null = the model left the size bin',
    tracked Bool COMMENT 'Whether it is eligible as a peer',
    observed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Moment of the last knot, UTC',
    cumulative Nullable(UInt64) COMMENT 'Cumulative downloads at that moment',
    capped Nullable(UInt64)
        COMMENT 'The same with no whole day above 10 times the median day; null = too few days, or older than 365 days',
    registry_changed_at DateTime64(3, 'UTC')
        COMMENT 'Moment of the last change of the release date, size bin or tracked flag, UTC',
    known UInt64 COMMENT 'Number of observations of the partition that the downloads processor knew',
    version UInt64 COMMENT 'Number of updates of the size bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (size_bin, model_id)
COMMENT 'Cumulative downloads at the last knot of models that have a RAM: one row per size bin and model';

CREATE TABLE baselines_log
(
    baseline LowCardinality(String) COMMENT 'live, live_fixed, live_cutoff, or the name of a frozen one',
    size_bin LowCardinality(String) COMMENT 'Size bin',
    age_days UInt16 COMMENT 'Whole days since release',
    peers UInt8 COMMENT 'Number of peers behind the value, at most 10',
    downloads Nullable(Float64) COMMENT 'Cumulative downloads at which RAM is 1.0; null with fewer than 10 peers',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest moment among the points behind it, UTC',
    version UInt64 COMMENT 'Number of updates of the size bin known when the row was written: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (baseline, size_bin, age_days)
COMMENT 'Baselines of the Relative Adoption Metric (RAM): one row per baseline, size bin and age';

CREATE TABLE frozen_baselines
(
    baseline String COMMENT 'Name of the frozen baseline',
    frozen_at DateTime64(3, 'UTC') COMMENT 'Moment at which it was frozen, UTC',
    method LowCardinality(String) COMMENT 'Built-in baseline that it copies'
)
ENGINE = ReplacingMergeTree
ORDER BY baseline
COMMENT 'Frozen baselines: one row per baseline';
