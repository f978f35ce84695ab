CREATE OR REPLACE VIEW ram_now
(
    baseline LowCardinality(String) COMMENT 'Baseline of the RAM; never compare RAM of different baselines',
    model_id String COMMENT 'Model id, as its hub spells it',
    org LowCardinality(String) COMMENT 'Publishing organisation',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    size_bin LowCardinality(String) COMMENT 'Size bin of the model',
    total_params_b Nullable(Float64) COMMENT 'Total parameters, decimal billions',
    released_at Nullable(Date) COMMENT 'Release date: day 0 of the age, 00:00 UTC',
    tracked Bool COMMENT 'Whether it is eligible as a peer',
    age_days Float64 COMMENT 'Exact age at the last knot, days',
    as_of DateTime64(3, 'UTC') COMMENT 'Last knot: the latest observation at which the true counter is known, UTC',
    cumulative UInt64 COMMENT 'Cumulative downloads at that moment',
    baseline_downloads Nullable(Float64)
        COMMENT 'Downloads at which RAM is 1.0 at that age, interpolated between whole days',
    peers UInt8 COMMENT 'Number of peers behind the baseline',
    ram Nullable(Float64) COMMENT 'Rolling Relative Adoption Metric; null with fewer than 10 peers',
    ram_capped Nullable(Float64)
        COMMENT 'The same with no whole day above 10 times the median day so far; null with too few days or peers'
)
AS
WITH current AS
(
    SELECT
        size_bin, model_id, assumeNotNull(released_at) AS released_on, tracked,
        assumeNotNull(observed_at) AS at, assumeNotNull(cumulative) AS total, capped,
        (toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(toDateTime64(released_on, 3, 'UTC')))
            / 86400000 AS exact_age,
        toInt32(floor(exact_age)) AS whole_age
    FROM latest_log FINAL
    WHERE released_at IS NOT NULL AND observed_at IS NOT NULL AND cumulative IS NOT NULL
),
curve AS
(
    SELECT
        baseline, size_bin, age_days, downloads AS low, peers AS low_peers,
        leadInFrame(age_days) OVER following = age_days + 1 AS has_next,
        if(has_next, leadInFrame(downloads) OVER following, NULL) AS high,
        if(has_next, leadInFrame(peers) OVER following, 0) AS high_peers
    FROM baselines_log FINAL
    WHERE peers > 0
    WINDOW following AS (PARTITION BY baseline, size_bin ORDER BY age_days ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
)
SELECT
    b.baseline AS baseline, c.model_id AS model_id, m.org AS org, m.region AS region,
    c.size_bin AS size_bin, m.total_params_b AS total_params_b, c.released_on AS released_at,
    c.tracked AS tracked, c.exact_age AS age_days, c.at AS as_of, c.total AS cumulative,
    if(c.exact_age = c.whole_age, b.low, b.low + (b.high - b.low) * (c.exact_age - c.whole_age)) AS baseline_downloads,
    if(c.exact_age = c.whole_age, b.low_peers, least(b.low_peers, b.high_peers)) AS peers,
    c.total / nullIf(baseline_downloads, 0) AS ram, c.capped / nullIf(baseline_downloads, 0) AS ram_capped
FROM current AS c
INNER JOIN
(
    SELECT model_id, org, region, total_params_b FROM models_log FINAL
) AS m ON m.model_id = c.model_id
INNER JOIN curve AS b ON b.size_bin = c.size_bin AND b.age_days = c.whole_age
WHERE c.exact_age >= 0 AND c.exact_age <= 365
COMMENT 'Rolling Relative Adoption Metric of models up to 365 days old: one row per baseline and model';
