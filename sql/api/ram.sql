-- Rolling RAM of every model up to a year old that has one, at its last knot as of a timestamp. Ids are filtered inside
-- each subquery, so that of every table only the rows of the wanted models are read.
WITH
aged AS
(
    SELECT
        assumeNotNull(size_bin) AS bin, s.model_id AS model_id, m.org AS of_org, m.region AS of_region, m.total_params_b AS size,
        assumeNotNull(released_at) AS released_on, tracked, assumeNotNull(s.observed_at) AS at,
        assumeNotNull(s.cumulative) AS total,
        (toUnixTimestamp64Milli(at) - toUnixTimestamp64Milli(toDateTime64(released_on, 3, 'UTC'))) / 86400000 AS exact_age,
        toInt32(floor(exact_age)) AS whole_age
    -- past:
    FROM latest_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS s
    INNER JOIN models_as_of(moment = {as_of:DateTime64(3, 'UTC')}) AS m ON m.model_id = s.model_id
    WHERE size_bin IS NOT NULL AND released_at IS NOT NULL
    -- :past
    -- now:
        , s.capped AS capped
    FROM
    (
        SELECT model_id, size_bin, released_at, tracked, observed_at, cumulative, capped FROM latest_log FINAL
        WHERE released_at IS NOT NULL AND observed_at IS NOT NULL AND cumulative IS NOT NULL
            AND (empty({model:Array(String)}) OR model_id IN {model:Array(String)})
    ) AS s
    INNER JOIN
    (
        SELECT model_id, org, region, total_params_b FROM models_log FINAL
        WHERE empty({model:Array(String)}) OR model_id IN {model:Array(String)}
    ) AS m ON m.model_id = s.model_id
    -- :now
),
curve AS
(
    SELECT
        size_bin, age_days, downloads AS low, peers AS low_peers,
        leadInFrame(age_days) OVER following = age_days + 1 AS has_next,
        if(has_next, leadInFrame(downloads) OVER following, NULL) AS high,
        if(has_next, leadInFrame(peers) OVER following, 0) AS high_peers
    -- past:
    FROM baselines_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    WHERE baseline = {baseline:String}
    -- :past
    -- now:
    FROM baselines_log FINAL
    WHERE peers > 0 AND baseline = {baseline:String}
    -- :now
    WINDOW following AS (PARTITION BY size_bin ORDER BY age_days ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
)
-- past:
,
-- What the last point has above its capped value. In a tuple: argMax skips null.
excess AS
(
    SELECT size_bin, model_id, argMax(tuple(cumulative - capped), age_days).1 AS excess
    FROM capped_as_of(moment = {as_of:DateTime64(3, 'UTC')})
    GROUP BY size_bin, model_id
)
-- :past
SELECT
    {baseline:String} AS baseline, c.model_id AS model_id, toString(c.of_org) AS org, toString(c.of_region) AS region,
    toString(c.bin) AS size_bin, c.size AS total_params_b, c.released_on AS released_at, c.tracked AS tracked,
    c.exact_age AS age_days, c.at AS as_of, c.total AS cumulative,
    if(c.exact_age = c.whole_age, b.low, b.low + (b.high - b.low) * (c.exact_age - c.whole_age)) AS baseline_downloads,
    if(c.exact_age = c.whole_age, b.low_peers, least(b.low_peers, b.high_peers)) AS peers,
    c.total / nullIf(baseline_downloads, 0) AS ram,
    -- past:
    if(e.excess IS NULL, NULL, greatest(c.total - e.excess, 0)) / nullIf(baseline_downloads, 0) AS ram_capped
    -- :past
    -- now:
    c.capped / nullIf(baseline_downloads, 0) AS ram_capped
    -- :now
FROM aged AS c
-- past:
LEFT JOIN excess AS e ON e.size_bin = c.bin AND e.model_id = c.model_id
-- :past
INNER JOIN curve AS b ON b.size_bin = c.bin AND b.age_days = c.whole_age
WHERE c.exact_age >= 0 AND c.exact_age <= 365
    AND (empty({model:Array(String)}) OR c.model_id IN {model:Array(String)})
    AND (empty({org:Array(String)}) OR c.of_org IN {org:Array(String)})
    AND (empty({region:Array(String)}) OR ifNull(toString(c.of_region), 'unreviewed') IN {region:Array(String)})
    AND (empty({size_bin:Array(String)}) OR c.bin IN {size_bin:Array(String)})
    AND ({min_age:Nullable(Float64)} IS NULL OR c.exact_age >= {min_age:Nullable(Float64)})
    AND ({max_age:Nullable(Float64)} IS NULL OR c.exact_age <= {max_age:Nullable(Float64)})
    AND ({tracked:Nullable(Bool)} IS NULL OR c.tracked = {tracked:Nullable(Bool)})
