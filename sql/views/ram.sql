CREATE OR REPLACE VIEW ram
(
    baseline LowCardinality(String) COMMENT 'Baseline of the RAM; never compare RAM of different baselines',
    model_id String COMMENT 'Model id, as its hub spells it',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    age_days UInt16 COMMENT 'Whole days since 00:00 UTC of the release date',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of that age, UTC',
    cumulative UInt64 COMMENT 'Cumulative downloads at that age',
    baseline_downloads Nullable(Float64)
        COMMENT 'Downloads at which RAM is 1.0 at that age; null with fewer than 10 peers',
    peers UInt8 COMMENT 'Number of peers behind the baseline at that age',
    ram Nullable(Float64)
        COMMENT 'Relative Adoption Metric: cumulative / baseline_downloads; null with fewer than 10 peers',
    ram_capped Nullable(Float64)
        COMMENT 'The same with no day above 10 times the median day so far; null with too few days or peers'
)
AS SELECT
    b.baseline AS baseline, p.model_id AS model_id, p.size_bin AS size_bin, p.age_days AS age_days,
    p.as_of AS as_of, assumeNotNull(p.cumulative) AS cumulative, b.downloads AS baseline_downloads, b.peers AS peers,
    assumeNotNull(p.cumulative) / nullIf(b.downloads, 0) AS ram, p.capped / nullIf(b.downloads, 0) AS ram_capped
FROM (SELECT * FROM points_log FINAL WHERE points_log.cumulative IS NOT NULL) AS p
INNER JOIN baselines AS b ON b.size_bin = p.size_bin AND b.age_days = p.age_days
COMMENT 'Relative Adoption Metric (RAM) at whole-day ages: one row per baseline, model and age';

CREATE OR REPLACE VIEW ram_milestones
(
    baseline LowCardinality(String) COMMENT 'Baseline of the RAM; never compare RAM of different baselines',
    model_id String COMMENT 'Model id, as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    total_params_b Nullable(Float64) COMMENT 'Total parameters, decimal billions',
    released_at Nullable(Date) COMMENT 'Release date: day 0 of the age, 00:00 UTC',
    tracked Bool COMMENT 'Whether it is eligible as a peer',
    age_days UInt16 COMMENT 'Milestone: 7, 14, 30, 60, 90, 180 or 365 days',
    as_of DateTime64(3, 'UTC') COMMENT 'Moment of that age, UTC',
    cumulative UInt64 COMMENT 'Cumulative downloads at that age',
    baseline_downloads Nullable(Float64) COMMENT 'Downloads at which RAM is 1.0; null with fewer than 10 peers',
    peers UInt8 COMMENT 'Number of peers behind the baseline',
    ram Nullable(Float64) COMMENT 'Relative Adoption Metric; null with fewer than 10 peers',
    ram_capped Nullable(Float64)
        COMMENT 'The same with no day above 10 times the median day so far; null with too few days or peers'
)
AS SELECT
    r.baseline AS baseline, r.model_id AS model_id, m.org AS org, m.region AS region,
    r.size_bin AS size_bin, m.total_params_b AS total_params_b, m.released_at AS released_at,
    m.tracked AS tracked, r.age_days AS age_days, r.as_of AS as_of, r.cumulative AS cumulative,
    r.baseline_downloads AS baseline_downloads, r.peers AS peers, r.ram AS ram,
    r.ram_capped AS ram_capped
FROM ram AS r
INNER JOIN models AS m ON m.model_id = r.model_id
WHERE r.age_days IN (7, 14, 30, 60, 90, 180, 365)
COMMENT 'Relative Adoption Metric (RAM) at the milestones: one row per baseline, model and milestone';
